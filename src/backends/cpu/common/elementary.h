/* Elementary functions of single numbers of f64: the same bits with every C library and compiler. Errors are about one
 * unit of the last place; tests/test_elementary.c has them. */
#ifndef SPUSK_ELEMENTARY_H
#define SPUSK_ELEMENTARY_H

double sp__exp(double x);
double sp__expm1(double x);
double sp__log(double x);
double sp__log1p(double x);
double sp__tanh(double x);
double sp__erf(double x);
double sp__pow(double x, double y);
/* libm's own where |x| is above 2^20. */
double sp__sin(double x);
double sp__cos(double x);

#endif
