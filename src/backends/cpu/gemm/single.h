/* Operands are packed element by element: a STEP of 1. */

SP__INLINE vector side_by_side(const element *p, int64_t n)
{
    return fetch(p, n);
}

SP__INLINE vector across(const element *p, int64_t next, int64_t n, int64_t left)
{
    (void)next, (void)left;
    return fetch(p, n);
}

SP__INLINE vector multiply_add(vector sum, number a, vector b)
{
    return fused(a - (vector){0}, b, sum);
}

SP__INLINE vector spin_step(vector sum, vector x, vector y)
{
    return fused(sum, y, x);
}
