/* Reductions of floating types only; continues reference.inc.h. */

FOLD(deviation, value += (x - cell->also.f) * (x - cell->also.f))
FOLD(exp, value += exp(x - cell->also.f))
FOLD(abs, value += fabs(x))
FOLD(square, value += x * x)
FOLD(power, value += pow(fabs(x), b->param))
FOLD(nonzero, value += x != 0)
FOLD(max_abs, value = fabs(x) > value || x != x ? fabs(x) : value)
FOLD(min_abs, value = fabs(x) < value || x != x ? fabs(x) : value)
