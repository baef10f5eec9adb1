/* What normalisation and its gradients share. */
#ifndef SPUSK_NORM_H
#define SPUSK_NORM_H

#include "ops/elementwise.h"

typedef struct sp__norm_attributes {
    double eps;
    int n_normalized; /* layer_norm: the last dimensions; 0: batch_norm */
    int64_t normalized[SP_MAX_DIMS];
    bool own;       /* batch_norm: its mean and var are x's own, and move with x */
    bool needed[3]; /* of a backward: dx, dweight, dbias */
} sp__norm_attributes;

/* In batch_norm a group is a channel, in layer_norm all leading dimensions' product are groups. */
int64_t sp__norm_groups(const sp__norm_attributes *a, const sp_tensor *x);
sp_dims sp__norm_parameter_dims(const sp__norm_attributes *a, const sp_tensor *x);
bool sp__norm_has_dims(const sp_tensor *x, sp_dims dims);
/* Whether x can be normalised so. */
bool sp__norm_ends_with(const sp_tensor *x, const sp__norm_attributes *a);

/* What follows a normalisation and is done with it, if the backend does that: the addition of a tensor of y's shape,
 * dtype and layout, then ReLU. Backward with `out`, ReLU's result, or else with `bias`. NULL: none. */
typedef struct sp__norm_tail {
    bool relu;
    const sp_tensor *add, *out, *dadd, *bias;
} sp__norm_tail;

/* Runs a call of batch_norm or layer_norm, whose y is given; with a tail (NULL: none) only where it is *taken. */
sp_status sp__norm_run(const sp_call *call, const sp_tensor *y, const sp__norm_tail *tail, bool *taken);
/* The same of a call of their backwards. */
sp_status sp__norm_run_backward(const sp_call *call, const sp__norm_tail *tail, bool *taken);

/* x as the kernel sees it, (outer, groups, inner, inner); by its own strides, or contiguous. */
sp__operand sp__norm_operand(const sp__norm_attributes *a, const sp_tensor *x, int64_t sizes[4]);
/* x, or a contiguous copy where the kernel wants one; one more reference either way. */
sp_tensor *sp__norm_value(const sp__norm_attributes *a, sp_tensor *x);
/* A parameter or statistic as a row of numbers. */
sp__operand sp__norm_row(const sp_tensor *x);
/* Runs the kernel; with a tail only where the backend does it. */
sp_status sp__norm_kernel(sp__norm *kernel, const sp_tensor *x, bool has_tail, bool *taken);

/* In infer: whether p fits x; an output in x's layout where the kernel goes by strides. */
sp_status sp__norm_check_parameter(const sp_call *call, const sp_tensor *x, const sp_tensor *p, const char *name);
sp_status sp__norm_output_like(sp_call *call, int i, const sp_tensor *x);

/* The dimensions that a group's statistics, or a parameter's gradient, go over; `dims` has room for SP_MAX_DIMS. */
sp_dims sp__norm_dims_over(const sp__norm_attributes *a, int ndim, bool of_parameter, int64_t *dims);
/* Applies the operator: y, mean and var of each group. Again, by scaled inputs, where a variance is not finite. Without
 * inputs 3 and 4, batch_norm gets x's own mean and var. */
sp_status sp__norm_apply(const sp_op *op, sp_tensor *const *inputs, int n, const sp__norm_attributes *a,
                         sp_tensor **outputs);

/* The backwards of batch_norm and layer_norm. */
sp_status sp__batch_norm_gradient(sp_grad_call *call);
sp_status sp__layer_norm_gradient(sp_grad_call *call);

#endif
