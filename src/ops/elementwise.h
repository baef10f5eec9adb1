/* What the families that work element by element share: type rules, forwards, gradients. */
#ifndef SPUSK_ELEMENTWISE_H
#define SPUSK_ELEMENTWISE_H

#include "ops/ops.h"

/* ---- in infer ---- */

/* Output 0: the inputs' broadcast shape, this dtype; the layout of the first dense input that has this shape. */
sp_status sp__broadcast_output(sp_call *call, sp_dtype dtype);
/* An integer or bool becomes f32. */
sp_dtype sp__floating(sp_dtype dtype);
/* Raises that the operator is not for this dtype; hint: "; what to do", or "". */
sp_status sp__refuse_dtype(const sp_call *call, sp_dtype dtype, const char *hint);
/* Fails unless the number fits into the dtype. */
sp_status sp__check_number(const sp_call *call, double value, sp_dtype dtype);

/* A number as Python's float or int has it. */
typedef struct sp__number {
    double value;
    int64_t whole;
    bool is_whole; /* an int: `whole` is exact, `value` near it */
} sp__number;
sp__number sp__float_number(double value);
sp__number sp__int_number(int64_t value);
/* In infer: fails unless the number fits into the dtype. */
sp_status sp__check_fits(const sp_call *call, const sp__number *number, sp_dtype dtype);
/* A 0-d tensor of it that decides no dtype within its category; NULL after an error. */
sp_tensor *sp__wrapped(const sp__number *number);
/* All of x's values become the number. */
sp_status sp__fill_number(sp_tensor *x, sp__number number);

/* The rules of one input: its dtype, whatever it is; not for bool; integers become f32; floating point only. */
sp_status sp__infer_any(sp_call *call);
sp_status sp__infer_number(sp_call *call);
sp_status sp__infer_floating(sp_call *call);
sp_status sp__infer_floating_only(sp_call *call);
/* Output 0 is bool, with the broadcast shape. */
sp_status sp__infer_predicate(sp_call *call);

/* ---- in forward ---- */

/* The dtype in which a call computes: the inputs' promoted one; f32 for bf16 with a number, which then is not rounded
 * to bf16 before it is used. */
sp_dtype sp__compute_type(const sp_call *call);
/* One map kernel over all inputs, in the promoted dtype, or in the floating one that stands for it. */
sp_status sp__map_call(sp_call *call, sp__map_kind kind, const double *params);
sp_status sp__map_call_floating(sp_call *call, sp__map_kind kind, const double *params);

/* ---- in backward ---- */

/* grad becomes the gradient of input i, summed to its shape; the engine casts it. NULL fails. */
sp_status sp__give(sp_grad_call *call, int i, sp_tensor *grad);
/* The same where input i wants one; what is not wanted is not computed either. */
#define SP__GIVE(call, i, ...) ((call)->needed[i] ? sp__give(call, i, __VA_ARGS__) : SP_OK)

/* x in f32 where it is bf16, for formulas of several steps: only the result is rounded. */
sp_tensor *sp__widened(sp_tensor *x);

/* Under mixed precision, x in f32 where it is narrower: for losses made of several operators. NULL passes. */
sp_tensor *sp__mixed_f32(sp_tensor *x);

/* ---- operators for inside ---- */

sp_tensor *sp_erf(sp_tensor *x);                             /* 2/√π·∫₀ˣ e^(-t²) dt */
sp_tensor *sp__relu_backward(sp_tensor *g, sp_tensor *y);    /* y > 0 ? g : 0 */
sp_tensor *sp__sigmoid_backward(sp_tensor *g, sp_tensor *y); /* g·y·(1 - y) */
sp_tensor *sp__tanh_backward(sp_tensor *g, sp_tensor *y);    /* g·(1 - y²) */
/* The gradient of an activation of x by one kernel with its parameters. */
sp_tensor *sp__activation_backward(sp_tensor *g, sp_tensor *x, sp__map_kind kind, double p, double q);
/* Runs an operator on a tensor and a number: fresh, or in place. */
sp_tensor *sp__apply_f64(const sp_op *op, sp_tensor *x, double value);
sp_tensor *sp__apply_i64(const sp_op *op, sp_tensor *x, int64_t value);
sp_tensor *sp__apply_f64_inplace(const sp_op *op, sp_tensor *x, double value);
sp_tensor *sp__apply_i64_inplace(const sp_op *op, sp_tensor *x, int64_t value);

/* ---- samples ---- */

/* For samples of changes in place: a copy of x; what is no tensor passes, so that the change itself complains. */
sp_tensor *sp__sample_copy(sp_tensor *x);

/* An input of a shape with values in a range; calls with one and with two. */
#define SP__RANGE(SHAPE, LOW, HIGH)                                                                                    \
    {                                                                                                                  \
        .shape = SHAPE, .low = LOW, .high = HIGH                                                                       \
    }
#define SP__ONE(CALL, TORCH, SHAPE, LOW, HIGH)                                                                         \
    {                                                                                                                  \
        .call = CALL, .torch = TORCH, .inputs = { SP__RANGE(SHAPE, LOW, HIGH) }                                        \
    }
#define SP__PAIR(CALL, TORCH, A, B, LOW, HIGH)                                                                         \
    {                                                                                                                  \
        .call = CALL, .torch = TORCH, .inputs = { SP__RANGE(A, LOW, HIGH), SP__RANGE(B, LOW, HIGH) }                   \
    }

/* A normal case, a number, nothing, one element, and enough for a vector loop with a tail. */
#define SP__UNARY_SAMPLES(CALL, TORCH, LOW, HIGH)                                                                      \
    SP__ONE(CALL, TORCH, "3 4", LOW, HIGH), SP__ONE(CALL, TORCH, "", LOW, HIGH),                                       \
        SP__ONE(CALL, TORCH, "0 3", LOW, HIGH), SP__ONE(CALL, TORCH, "1", LOW, HIGH),                                  \
        SP__ONE(CALL, TORCH, "67", LOW, HIGH)

/* The pairs of shapes that broadcast in each possible way. */
#define SP__BINARY_SAMPLES(CALL, TORCH, LOW, HIGH)                                                                     \
    SP__PAIR(CALL, TORCH, "3 4", "3 4", LOW, HIGH), SP__PAIR(CALL, TORCH, "2 3", "3", LOW, HIGH),                      \
        SP__PAIR(CALL, TORCH, "4 1 3", "2 1", LOW, HIGH), SP__PAIR(CALL, TORCH, "", "2 2", LOW, HIGH),                 \
        SP__PAIR(CALL, TORCH, "", "", LOW, HIGH), SP__PAIR(CALL, TORCH, "0 3", "1 3", LOW, HIGH),                      \
        SP__PAIR(CALL, TORCH, "1", "1", LOW, HIGH), SP__PAIR(CALL, TORCH, "67", "67", LOW, HIGH)

#endif
