/* Operators of one's own, PyTorch's autograd.Function. An operator is one constant sp_op. sp_op_apply calls it: it
 * checks the inputs, runs `infer` (which checks shapes and makes the outputs), `forward`, and, when a gradient will be
 * needed, records a node that runs `backward`. */
#ifndef SPUSK_EXTEND_OPERATOR_H
#define SPUSK_EXTEND_OPERATOR_H

#include <spusk/autograd.h>

SP_BEGIN

#define SP_MAX_INPUTS 64

typedef struct sp_op sp_op;

/* A call in progress: what infer and forward see. */
typedef struct sp_call {
    const sp_op *op;
    sp_tensor *const *inputs; /* SP_NONE for an optional one left out */
    int n_inputs;
    const void *attributes;
    sp_tensor *outputs[4];
    int n_outputs;
} sp_call;

/* A gradient in progress: what backward sees, and the gradients that it makes. */
typedef struct sp_grad_call {
    const sp_op *op;
    const void *attributes;
    sp_tensor *const *grads; /* of each output; NULL where nothing arrived */
    int n_outputs;
    const bool *needed; /* whether the gradient of input i is wanted */
    int n_inputs;
    sp_tensor *result[SP_MAX_INPUTS]; /* to be set for each i that is needed: the gradient of input i */
    void *node, *pass;                /* the library's */
} sp_grad_call;

/* In sp_op.saves: what backward reads. */
#define SP_SAVE_INPUT(i) (1u << (i))
#define SP_SAVE_OUTPUT(i) (1u << (16 + (i)))
#define SP_SAVE_INPUTS 0xffffu

/* One input of a test sample. */
typedef struct sp_sample_input {
    const char *shape; /* "2 3"; "" for a number; NULL ends the list */
    double low, high;  /* values are drawn between, away from multiples of 1/2; both 0: -2 … 2 */
    sp_dtype dtype;    /* default: the one under test; else always this one, not differentiated unless floating */
} sp_sample_input;

/* A way to call an operator, for its tests: `call` in C, `torch` the same in PyTorch of a, b, c, d. */
typedef struct sp_sample {
    sp_tensor *(*call)(sp_tensor *const *inputs);
    const char *torch;
    sp_sample_input inputs[5];
    bool no_grad; /* has no gradient to check */
} sp_sample;

/* What mixed precision does to the inputs of an operator. */
typedef enum sp_cast_rule {
    SP_CAST_NOTHING = 0,
    SP_CAST_LOWER, /* f32 to the scope's dtype: where the arithmetic is */
    SP_CAST_F32,   /* what is narrower to f32: where rounding would show */
} sp_cast_rule;

struct sp_op {
    const char *name;          /* "add" */
    const char *backward_name; /* "AddBackward0"; NULL: no gradient */
    int n_inputs;              /* -1: one to SP_MAX_INPUTS */
    int n_outputs;             /* 0 means 1 */
    size_t attributes_size;
    unsigned saves;
    unsigned optional; /* bit i: input i may be SP_NONE */
    /* Checks inputs and attributes, raising errors, and makes the outputs by sp_call_output or sp_call_view. */
    sp_status (*infer)(sp_call *call);
    /* Writes the outputs, which have memory now. NULL for a pure view. */
    sp_status (*forward)(sp_call *call);
    /* Sets result[i] for each needed input, by calling operators, so that it can be differentiated again. */
    sp_status (*backward)(sp_grad_call *call);
    sp_cast_rule autocast;
    const sp_sample *samples; /* ends with a sample without call; an operator without any fails the tests */
};

/* In infer: makes output i, a contiguous tensor of this dtype and these sizes. */
SP_API sp_status sp_call_output(sp_call *call, int i, sp_dtype dtype, sp_dims dims);

/* In infer: makes output i, laid out as `like` where that is dense and has these sizes, else contiguous: PyTorch's
 * preserve_format. */
SP_API sp_status sp_call_output_like(sp_call *call, int i, sp_dtype dtype, sp_dims dims, const sp_tensor *like);

/* In infer: makes output i of images (N, C, H, W) or (C, H, W), with the channels of a pixel side by side in memory. */
SP_API sp_status sp_call_output_channels_last(sp_call *call, int i, sp_dtype dtype, sp_dims dims);

/* In infer: makes output i a view of a tensor's memory. offset counts elements from the beginning of its storage. */
SP_API sp_status sp_call_view(sp_call *call, int i, sp_tensor *of, sp_dims sizes, const int64_t *strides,
                              int64_t offset);

/* In backward: input i, which `saves` names; borrowed. NULL and an error when it was changed since, or freed. */
SP_API sp_tensor *sp_saved_input(sp_grad_call *call, int i);

/* In backward: output i, which `saves` names; borrowed. NULL and an error when it was changed since, or freed. */
SP_API sp_tensor *sp_saved_output(sp_grad_call *call, int i);

/* In backward: the shape of input i, saved or not. */
SP_API sp_dims sp_input_sizes(sp_grad_call *call, int i);

/* In backward: the dtype of input i, saved or not. */
SP_API sp_dtype sp_input_dtype(sp_grad_call *call, int i);

/* Calls an operator with n inputs and returns output 0. The attributes are copied; NULL where it has none. */
SP_API sp_tensor *sp_op_apply(const sp_op *op, sp_tensor *const *inputs, int n, const void *attributes);

/* Calls an operator and stores all its outputs to outputs[0 … n_outputs - 1]; NULL each on failure. */
SP_API sp_status sp_op_apply_n(sp_tensor **outputs, const sp_op *op, sp_tensor *const *inputs, int n,
                               const void *attributes);

/* Calls an operator, writes the result into inputs[0] and returns that. Fails unless inputs[0] has the result's shape
 * and a dtype that can hold it. */
SP_API sp_tensor *sp_op_apply_inplace(const sp_op *op, sp_tensor *const *inputs, int n, const void *attributes);

SP_END_DECLS

#endif
