/* The graph: nodes, what they saved, and the one function that calls every operator. */
#ifndef SPUSK_AUTOGRAD_PRIVATE_H
#define SPUSK_AUTOGRAD_PRIVATE_H

#include "tensor/tensor.h"
#include <spusk/extend/operator.h>

typedef struct sp__node sp__node;

/* From a node to what made one of its inputs. */
typedef struct sp__edge {
    sp__node *node; /* held; NULL: no gradient goes there */
    int output;
} sp__edge;

/* A tensor that backward will read, and the version that it must still have. */
typedef struct sp__saved {
    sp_tensor *tensor; /* an inner hold */
    uint64_t version;
} sp__saved;

/* The shape of an input or output. */
typedef struct sp__meta {
    sp_dtype dtype;
    sp_device device;
    int ndim;
    int64_t sizes[SP_MAX_DIMS];
} sp__meta;

typedef struct sp__hook {
    struct sp__hook *next;
    sp_hook *function;
    void *user;
    int64_t handle;
    int output;
    bool retain_grad;  /* stands for sp_retain_grad: `tensor` gets the gradient */
    sp_tensor *tensor; /* not held */
} sp__hook;

/* One recorded call, or a leaf's place in the graph (op NULL). An object. */
struct sp__node {
    const sp_op *op;
    sp_tensor *leaf; /* an inner hold */
    int n_inputs, n_outputs;
    bool released; /* saved tensors were dropped by a backward without retain_graph */
    sp__edge *edges;
    sp__saved *saved_inputs;  /* n_inputs, tensors NULL where not saved */
    sp__saved *saved_outputs; /* n_outputs */
    sp__meta *input_meta;
    sp__meta *output_meta;
    void *attributes;
    sp__hook *hooks;
    void *block; /* the one allocation behind all arrays */
    size_t block_size;
};

/* Whether a call with these inputs is to be recorded. */
bool sp__should_record(sp_tensor *const *inputs, int n);
/* The edge to what made x (a leaf's accumulator, made on demand). */
sp_status sp__edge_of(sp_tensor *x, sp__edge *edge);
/* Shape, dtype and device of x. */
sp__meta sp__meta_of(const sp_tensor *x);
/* Whether `grad` can be the gradient of what has this shape, dtype and device; raises. `what` it is: "a gradient". */
sp_status sp__check_gradient(const char *function, const char *what, const sp__meta *of, const sp_tensor *grad);
/* sum of x over the dimensions that broadcast `dims` to x's shape, in the graph. */
sp_tensor *sp__sum_to(sp_tensor *x, sp_dims dims);
/* In a backward: what has arrived for input i from other readers, where nobody else holds it. The backward may add its
 * share to it in place, and give it as its result. NULL: nothing has arrived, or it may not be changed. */
sp_tensor *sp__sum_so_far(const sp_grad_call *call, int i);
/* A copy in the graph: contiguous, or with these strides, of a dense tensor of x's shape. */
sp_tensor *sp__clone_contiguous(sp_tensor *x);
sp_tensor *sp__clone_strided(sp_tensor *x, const int64_t *strides);
/* The inputs of a call as mixed precision wants them: `cast` gets those, or others in the open scope. */
sp_status sp__autocast(const sp_op *op, sp_tensor *const *inputs, int n, sp_tensor **cast);
/* A number as an operand: a 0-d tensor marked as a Python float or int. */
sp_tensor *sp__wrapped_f64(double value);
sp_tensor *sp__wrapped_i64(int64_t value);

#endif
