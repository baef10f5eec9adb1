/* Automatic differentiation: an eager tape, gradients of gradients, hooks, checks. */
#ifndef SPUSK_AUTOGRAD_H
#define SPUSK_AUTOGRAD_H

#include <spusk/tensor.h>

SP_BEGIN

/* Records gradients for x, a leaf, from now on, x.requires_grad_(); returns x. Fails for integers and bool. */
SP_API sp_tensor *sp_requires_grad(sp_tensor *x);

/* Starts or ends recording gradients for a leaf. Fails for integers and bool, and to end it for what an operator made
 * (sp_detach does that). */
SP_API sp_status sp_set_requires_grad(sp_tensor *x, bool on);

/* Whether gradients are recorded for x, x.requires_grad. false for NULL. */
SP_API bool sp_needs_grad(const sp_tensor *x);

/* Whether x was made by the user, not by an operator that recorded it: x.is_leaf. */
SP_API bool sp_is_leaf(const sp_tensor *x);

/* The gradient that sp_backward added up in x, a leaf or a tensor with sp_retain_grad, in x's shape: x.grad. SP_NONE
 * where there is none yet. */
SP_API sp_tensor *sp_grad(const sp_tensor *x);

/* Replaces the gradient of x; SP_NONE drops it. Fails for another shape, dtype or device than x's, and for x itself. */
SP_API sp_status sp_set_grad(sp_tensor *x, sp_tensor *grad);

/* Keeps the gradient of x although x is no leaf: x.retain_grad(). Fails when x needs no gradient. */
SP_API sp_status sp_retain_grad(sp_tensor *x);

/* A view of x outside the graph: no gradient flows through it. */
SP_API sp_tensor *sp_detach(sp_tensor *x);

/* The name of x.grad_fn, "AddBackward0" and so on; "" for a leaf. Constant text. */
SP_API const char *sp_grad_fn_name(const sp_tensor *x);

typedef struct sp_backward_options {
    size_t size;
    bool retain_graph; /* keep what the graph holds, to go back through it again */
    bool create_graph; /* record the gradients themselves; implies retain_graph */
    bool allow_unused; /* sp_autograd_grad: an input that the outputs do not depend on gives SP_NONE */
    SP_OPTIONS_END;
} sp_backward_options;

/* Adds ∂x/∂leaf to sp_grad of every leaf behind x, a tensor with one element: x.backward(). Fails when x needs no
 * gradient, and when the graph was freed by an earlier call or one of its tensors has changed since. */
SP_API sp_status sp_backward(sp_tensor *x, const sp_backward_options *options SP_OR_NULL);
#define sp_backward(...) SP__CALL1(sp_backward, sp_backward_options, __VA_ARGS__)

/* sp_backward for an x of any shape: adds ∂(Σ gradient·x)/∂leaf. gradient has x's shape, dtype and device. */
SP_API sp_status sp_backward_with(sp_tensor *x, sp_tensor *gradient, const sp_backward_options *options SP_OR_NULL);
#define sp_backward_with(...) SP__CALL2(sp_backward_with, sp_backward_options, __VA_ARGS__)

/* ∂(Σ outputs)/∂input for each input, as a list, without a change of sp_grad: torch.autograd.grad. Outputs have one
 * element each. Fails for an input that the outputs do not depend on, unless `.allow_unused`. */
SP_API sp_list *sp_autograd_grad(const sp_list *outputs, const sp_list *inputs,
                                 const sp_backward_options *options SP_OR_NULL);
#define sp_autograd_grad(...) SP__CALL2(sp_autograd_grad, sp_backward_options, __VA_ARGS__)

/* sp_autograd_grad for outputs of any shape, each weighted by its entry of grad_outputs, which has its shape. */
SP_API sp_list *sp_autograd_grad_with(const sp_list *outputs, const sp_list *inputs, const sp_list *grad_outputs,
                                      const sp_backward_options *options SP_OR_NULL);
#define sp_autograd_grad_with(...) SP__CALL3(sp_autograd_grad_with, sp_backward_options, __VA_ARGS__)

/* Sees the gradient of a tensor when it is complete; returns another to use instead, or SP_NONE for the same. Backward
 * fails when the other's shape, dtype or device is not the tensor's. */
typedef sp_tensor *sp_hook(sp_tensor *grad, void *user);

/* Registers a hook on x, which must need a gradient, and returns a handle to remove it; 0 on failure. Hooks run in the
 * order in which they were registered. */
SP_API int64_t sp_register_hook(sp_tensor *x, sp_hook *hook, void *user);

/* Removes a hook from x. SP_ERROR_NOT_FOUND when x has no hook of that handle. */
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

/* Whether the gradient of every f64 input that needs one agrees with central differences of step eps:
 * |gradient - difference| ≤ atol + rtol·|difference|. false and an error that names the input, the element and both
 * values where it does not. */
SP_API bool sp_gradcheck(sp_gradcheck_function *function, const sp_list *inputs, void *user,
                         const sp_gradcheck_options *options SP_OR_NULL);
#define sp_gradcheck(...) SP__CALL3(sp_gradcheck, sp_gradcheck_options, __VA_ARGS__)

/* sp_gradcheck for the gradient's own gradient. */
SP_API bool sp_gradgradcheck(sp_gradcheck_function *function, const sp_list *inputs, void *user,
                             const sp_gradcheck_options *options SP_OR_NULL);
#define sp_gradgradcheck(...) SP__CALL3(sp_gradgradcheck, sp_gradcheck_options, __VA_ARGS__)

SP_END_DECLS

#endif
