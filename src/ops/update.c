/* Optimisers' updates: one pass over a parameter, its gradient and its state, by the backend's kernels for them. Not an
 * operator: nothing is recorded. */
#include "ops/ops.h"
#include <spusk/extend/update.h>
#include <string.h>

static sp_status check_operand(const sp_tensor *p, const sp_tensor *x, const char *name, bool layout)
{
    if (sp__check_tensor(x, "sp_update_step_", name)) return sp_error_status();
    if (x->ndim != p->ndim || memcmp(x->sizes, p->sizes, (size_t)p->ndim * sizeof *p->sizes) != 0)
        return sp_raise(SP_ERROR_SHAPE, "sp_update_step_: the %s has shape %s, the parameter %s", name, sp__shape_of(x),
                        sp__shape_of(p));
    if (x->dtype != p->dtype)
        return sp_raise(SP_ERROR_DTYPE, "sp_update_step_: the %s is %s, the parameter %s", name,
                        sp_dtype_name(x->dtype), sp_dtype_name(p->dtype));
    if (layout && !sp__same_strides(p, x))
        return sp_raise(SP_ERROR_STATE, "sp_update_step_: the %s does not lie in memory as the parameter does", name);
    return SP_OK;
}

static sp_status check_parameter(const sp_tensor *p)
{
    if (sp__check_tensor(p, "sp_update_step_", "parameter")) return sp_error_status();
    if (p->dtype != SP_F32 && p->dtype != SP_F64)
        return sp_raise(SP_ERROR_DTYPE, "sp_update_step_: parameters are float32 or float64, not %s",
                        sp_dtype_name(p->dtype));
    if (sp_is_dense(p)) return SP_OK;
    return sp_raise(SP_ERROR_STATE,
                    "sp_update_step_: a parameter of shape %s with strides %s leaves gaps in its memory",
                    sp__shape_of(p), sp__shape_text(p->ndim, p->strides));
}

/* A rule's kernel reads its first states without asking; what may be SP_NONE stands behind them. */
static sp_status check_states(sp_update_rule rule, const sp_tensor *p, sp_tensor *const *state)
{
    static const char *const names[] = {"first state", "second state", "third state"};
    static const int needed[] = {
        [SP_UPDATE_SGD] = 0,  [SP_UPDATE_ADAGRAD] = 1, [SP_UPDATE_ADADELTA] = 2, [SP_UPDATE_RMSPROP] = 1,
        [SP_UPDATE_ADAM] = 2, [SP_UPDATE_ADAMAX] = 2,  [SP_UPDATE_NADAM] = 2,
    };
    for (int i = 0; i < 3; i++) {
        if (i < needed[rule] && state[i] == SP_NONE)
            return sp_raise(SP_ERROR_ARGUMENT, "sp_update_step_: the rule needs a %s", names[i]);
        if (state[i] != SP_NONE && check_operand(p, state[i], names[i], true)) return sp_error_status();
    }
    return SP_OK;
}

/* The gradient arranged as the parameter: itself, or a copy in the open scope. */
static sp_tensor *arranged(const sp_tensor *p, sp_tensor *grad)
{
    if (sp__same_strides(p, grad)) return grad;
    sp_tensor *copy = sp__tensor_empty(grad->dtype, grad->device, grad->ndim, grad->sizes);
    if (!copy) return NULL;
    memcpy(copy->strides, p->strides, sizeof copy->strides);
    return sp__copy_values(copy, grad) ? NULL : copy;
}

static sp_status check(sp_update_rule rule, const sp_update *u)
{
    if (check_parameter(u->parameter) || check_operand(u->parameter, u->grad, "gradient", false))
        return sp_error_status();
    return check_states(rule, u->parameter, u->state);
}

/* The kernel's call for an update, whose gradient is `grad`. */
static sp_status prepare(sp_update_rule rule, const sp_update *u, sp_tensor *grad, sp__update *call)
{
    sp_tensor *p = u->parameter;
    if (!grad || sp__before_write(p) || sp__ready(grad)) return sp_error_status();
    *call = (sp__update){.rule = (int)rule,
                         .dtype = p->dtype,
                         .n = sp__product(p->ndim, p->sizes),
                         .parameter = sp__operand_of(p),
                         .grad = sp__operand_of(grad),
                         .numbers = &u->numbers};
    for (int i = 0; i < 3; i++) {
        if (sp__is_none(u->state[i])) continue;
        if (sp__before_write(u->state[i])) return sp_error_status();
        call->state[i] = sp__operand_of(u->state[i]);
    }
    return SP_OK;
}

static void bump_versions(const sp_update *u)
{
    sp__bump_version(u->parameter);
    for (int i = 0; i < 3; i++)
        if (!sp__is_none(u->state[i])) sp__bump_version(u->state[i]);
}

/* Runs the calls of one dtype, in the order of the updates. */
static sp_status run(sp_update_rule rule, const sp_update *updates, int64_t n, sp_dtype dtype, sp__update *calls)
{
    int64_t filled = 0;
    const sp__backend *backend = NULL;
    for (int64_t i = 0; i < n; i++) {
        const sp_update *u = &updates[i];
        if (u->parameter->dtype != dtype || sp__product(u->parameter->ndim, u->parameter->sizes) == 0) continue;
        backend = sp__backend_for(u->parameter);
        if (prepare(rule, u, arranged(u->parameter, u->grad), &calls[filled++])) return sp_error_status();
    }
    return filled ? backend->update(calls, filled) : SP_OK;
}

static sp_status run_all(sp_update_rule rule, const sp_update *updates, int64_t n)
{
    enum { FEW = 8 };
    sp__update few[FEW];
    const size_t bytes = (size_t)n * sizeof *few;
    sp__update *calls = n <= FEW ? few : sp_alloc(bytes);
    if (!calls) return sp_error_status();
    sp_status status = run(rule, updates, n, SP_F32, calls);
    if (status == SP_OK) status = run(rule, updates, n, SP_F64, calls);
    if (calls != few) sp_free(calls, bytes);
    for (int64_t i = 0; i < n; i++) bump_versions(&updates[i]);
    return status;
}

static sp_status check_rule(sp_update_rule rule)
{
    if (rule >= SP_UPDATE_SGD && rule <= SP_UPDATE_NADAM) return SP_OK;
    return sp_raise(SP_ERROR_ARGUMENT, "sp_update_step_: %d is no rule", (int)rule);
}

sp_status sp_update_steps_(sp_update_rule rule, const sp_update *updates, int64_t n)
{
    if (n < 0) return sp_raise(SP_ERROR_ARGUMENT, "sp_update_steps_: %lld updates", (long long)n);
    if (!updates && n > 0) return sp_raise_null("sp_update_steps_", "updates");
    if (check_rule(rule)) return sp_error_status();
    for (int64_t i = 0; i < n; i++)
        if (check(rule, &updates[i])) return sp_error_status();
    sp_scope scope = sp_scope_open();
    sp_status status = n > 0 ? run_all(rule, updates, n) : SP_OK;
    sp_scope_close(&scope);
    return status;
}

sp_status sp_update_step_(sp_update_rule rule, sp_tensor *parameter, sp_tensor *grad, sp_tensor *const state[3],
                          const sp_update_numbers *numbers)
{
    if (!state || !numbers) return sp_raise_null("sp_update_step_", state ? "numbers" : "state");
    const sp_update update = {parameter, grad, {state[0], state[1], state[2]}, *numbers};
    return sp_update_steps_(rule, &update, 1);
}
