/* Tensors against numbers written in the test. */
#ifndef SPUSK_TESTS_VALUES_H
#define SPUSK_TESTS_VALUES_H

#include "support/support.h"
#include <spusk/autograd.h>

/* x holds these numbers, in row-major order, as closely as its dtype allows; NaN is NaN, infinities are exact. */
#define assert_holds(x, ...)                                                                                           \
    support_assert_holds(x, (const double[]){__VA_ARGS__},                                                             \
                         (int64_t)(sizeof((const double[]){__VA_ARGS__}) / sizeof(double)), __FILE__, __LINE__)
void support_assert_holds(sp_tensor *x, const double *expected, int64_t n, const char *file, int line);
/* x has this shape: assert_shape(x, SP_DIMS(2, 3)). */
#define assert_shape(x, dims) support_assert_shape(x, dims, __FILE__, __LINE__)
void support_assert_shape(sp_tensor *x, sp_dims expected, const char *file, int line);

/* A 1-d f64 tensor of these numbers; the same as a leaf; as rows of `columns`. */
#define f64(...)                                                                                                       \
    support_f64((const double[]){__VA_ARGS__}, (int64_t)(sizeof((const double[]){__VA_ARGS__}) / sizeof(double)))
sp_tensor *support_f64(const double *values, int64_t n);
#define f64_leaf(...) sp_requires_grad(f64(__VA_ARGS__))
#define f64_rows(columns, ...) (sp_view)(f64(__VA_ARGS__), SP_DIMS(-1, columns))

/* dΣy/dx, in the graph. */
sp_tensor *support_gradient(sp_tensor *y, sp_tensor *x);

#endif
