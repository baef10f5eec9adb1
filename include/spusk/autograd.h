/* Automatic differentiation: an eager tape, gradients of gradients, hooks, checks. */
#ifndef SPUSK_AUTOGRAD_H
#define SPUSK_AUTOGRAD_H

#include <spusk/tensor.h>

SP_BEGIN

/* Records gradients for a leaf from now on; returns x. Fails for integers and bool. */
SP_API sp_tensor *sp_requires_grad(sp_tensor *x);
/* Sets or clears the mark of a leaf. */
SP_API sp_status sp_set_requires_grad(sp_tensor *x, bool on);
/* Whether gradients are recorded for x. */
SP_API bool sp_needs_grad(const sp_tensor *x);
/* Whether x was made by the user, not by an operator that recorded. */
SP_API bool sp_is_leaf(const sp_tensor *x);
/* The gradient that sp_backward added up in a leaf (or after sp_retain_grad), in x's shape. SP_NONE before the first.
 */
SP_API sp_tensor *sp_grad(const sp_tensor *x);
/* Replaces the gradient; SP_NONE drops it. Shape, dtype and device must be x's; fails for x itself. */
SP_API sp_status sp_set_grad(sp_tensor *x, sp_tensor *grad);
/* Keeps the gradient of a tensor that is not a leaf, too. */
SP_API sp_status sp_retain_grad(sp_tensor *x);
/* A view of x that is outside the graph. */
SP_API sp_tensor *sp_detach(sp_tensor *x);
/* "AddBackward0" and so on: what made x; "" for a leaf. Borrowed, constant. */
SP_API const char *sp_grad_fn_name(const sp_tensor *x);

typedef struct sp_backward_options {
    size_t size;
    bool retain_graph; /* keep what the graph holds, to go back through it again */
    bool create_graph; /* record the gradients themselves; implies retain_graph */
    bool allow_unused; /* sp_autograd_grad: an input that the outputs do not depend on gives SP_NONE */
    SP_OPTIONS_END;
} sp_backward_options;

/* Adds dx/dleaf to sp_grad of every leaf behind x, a tensor with one element. */
SP_API sp_status sp_backward(sp_tensor *x, const sp_backward_options *options SP_OR_NULL);
#define sp_backward(...) SP__CALL1(sp_backward, sp_backward_options, __VA_ARGS__)
/* The same for any x, weighted by gradient, which has its shape. */
SP_API sp_status sp_backward_with(sp_tensor *x, sp_tensor *gradient, const sp_backward_options *options SP_OR_NULL);
#define sp_backward_with(...) SP__CALL2(sp_backward_with, sp_backward_options, __VA_ARGS__)

/* d Σoutputs / d inputs, one tensor for each input, without touching sp_grad. Outputs have one element each. */
SP_API sp_list *sp_autograd_grad(const sp_list *outputs, const sp_list *inputs,
                                 const sp_backward_options *options SP_OR_NULL);
#define sp_autograd_grad(...) SP__CALL2(sp_autograd_grad, sp_backward_options, __VA_ARGS__)
/* The same, each output of any shape weighted by its entry of grad_outputs. */
SP_API sp_list *sp_autograd_grad_with(const sp_list *outputs, const sp_list *inputs, const sp_list *grad_outputs,
                                      const sp_backward_options *options SP_OR_NULL);
#define sp_autograd_grad_with(...) SP__CALL3(sp_autograd_grad_with, sp_backward_options, __VA_ARGS__)

/* Sees the gradient of a tensor when it is complete; returns another to use instead, or SP_NONE for the same. Backward
 * fails when the other's shape, dtype or device is not the tensor's. */
typedef sp_tensor *sp_hook(sp_tensor *grad, void *user);
/* Registers a hook on x; the handle removes it. 0 on failure. Hooks run in the order in which they were registered. */
SP_API int64_t sp_register_hook(sp_tensor *x, sp_hook *hook, void *user);
SP_API sp_status sp_remove_hook(sp_tensor *x, int64_t handle);

/* The function that gradcheck differentiates. */
typedef sp_tensor *sp_gradcheck_function(sp_tensor *const *inputs, void *user);
typedef struct sp_gradcheck_options {
    size_t size;
    double eps;  /* step of the differences; default 1e-6 */
    double atol; /* default 1e-5 */
    double rtol; /* default 1e-3 */
    SP_OPTIONS_END;
} sp_gradcheck_options;
/* Whether the analytical gradient of every f64 input that needs one agrees with central differences; false and an
 * error that names input, element and both values when not. */
SP_API bool sp_gradcheck(sp_gradcheck_function *function, const sp_list *inputs, void *user,
                         const sp_gradcheck_options *options SP_OR_NULL);
#define sp_gradcheck(...) SP__CALL3(sp_gradcheck, sp_gradcheck_options, __VA_ARGS__)
/* The same for the gradient's gradient. */
SP_API bool sp_gradgradcheck(sp_gradcheck_function *function, const sp_list *inputs, void *user,
                             const sp_gradcheck_options *options SP_OR_NULL);
#define sp_gradgradcheck(...) SP__CALL3(sp_gradgradcheck, sp_gradcheck_options, __VA_ARGS__)

SP_END_DECLS

#endif
