/* Gradients against central differences, for the library's tests and for its users'. */
#include "autograd/node.h"
#include <math.h>
#include <spusk/pointwise.h>
#include <spusk/reductions.h>

typedef struct check {
    sp_gradcheck_function *function;
    void *user;
    sp_tensor *const *inputs;
    int n;
    double eps, atol, rtol;
} check;

/* The sum of the function's value weighted by w, which makes any shape one number. */
static double weighted_value(const check *c, sp_tensor *weights)
{
    double value = NAN;
    SP_NO_GRAD {
        value = sp_item(sp_sum(sp_mul(c->function(c->inputs, c->user), weights)));
    }
    return value;
}

/* Fixed weights without symmetry, so that errors do not cancel. */
static sp_tensor *weights_for(sp_tensor *y)
{
    sp_tensor *w = sp_empty(sp_sizes(y), .dtype = SP_F64);
    double *values = w ? sp_data(w) : NULL;
    for (int64_t i = 0; values && i < sp_numel(w); i++)
        values[i] = 0.5 + fmod(0.6180339887498949 * (double)(i + 1), 1.0);
    return w;
}

static bool close_enough(const check *c, double a, double b)
{
    return fabs(a - b) <= c->atol + c->rtol * fabs(b) || (isnan(a) && isnan(b));
}

/* One element: its derivative by differences against the one given. */
static sp_status check_element(const check *c, int input, int64_t i, double *at, double analytical, sp_tensor *weights)
{
    double x = *at;
    *at = x + c->eps;
    double above = weighted_value(c, weights);
    *at = x - c->eps;
    double below = weighted_value(c, weights);
    *at = x;
    double numerical = (above - below) / (2 * c->eps);
    if (isnan(above) && sp_error_status()) return sp_error_status();
    if (close_enough(c, analytical, numerical)) return SP_OK;
    return sp_raise(SP_ERROR_STATE, "sp_gradcheck: input %d, element %lld: the gradient is %.9g, differences give %.9g",
                    input, (long long)i, analytical, numerical);
}

static sp_status check_input(const check *c, int input, sp_tensor *grad, sp_tensor *weights)
{
    sp_tensor *x = c->inputs[input];
    double *values = sp_data(x);
    if (!values) return sp_error_status();
    sp_tensor *plain = sp__is_none(grad) ? NULL : sp_contiguous(grad);
    const double *given = plain ? sp_const_data(plain) : NULL;
    if (!given && !sp__is_none(grad)) return sp_error_status();
    sp_status status = SP_OK;
    for (int64_t i = 0; i < sp_numel(x) && !status; i++)
        status = check_element(c, input, i, &values[i], given ? given[i] : 0, weights);
    return status;
}

static bool is_checked(const sp_tensor *x)
{
    return x->dtype == SP_F64 && x->requires_grad;
}

static sp_status run_check(const check *c)
{
    sp_list *wanted = sp_list_new(NULL, 0);
    for (int i = 0; wanted && i < c->n; i++)
        if (is_checked(c->inputs[i]) && sp_list_append(wanted, c->inputs[i])) return sp_error_status();
    if (sp_list_length(wanted) == 0)
        return sp_raise(SP_ERROR_ARGUMENT, "sp_gradcheck: no f64 input requires a gradient: nothing to check");
    sp_tensor *y = c->function(c->inputs, c->user);
    sp_tensor *weights = y ? weights_for(y) : NULL;
    if (!weights) return sp_error_status();
    sp_list *grads = sp_autograd_grad_with(SP_LIST(sp_cast(y, SP_F64)), wanted, SP_LIST(weights), .allow_unused = true);
    if (!grads) return sp_error_status();
    sp_status status = SP_OK;
    for (int i = 0, k = 0; i < c->n && !status; i++)
        if (is_checked(c->inputs[i])) status = check_input(c, i, sp_list_get(grads, k++), weights);
    return status;
}

static sp_status prepare(const char *name, sp_gradcheck_function *function, const sp_list *inputs, void *user,
                         const sp_gradcheck_options *options, check *c)
{
    sp_gradcheck_options o;
    sp_options_copy(&o, sizeof o, options);
    if (!function) return sp_raise_null(name, "function");
    if (sp__check(inputs, &sp__list_kind, name, "inputs")) return sp_error_status();
    *c = (check){function,
                 user,
                 inputs->items,
                 (int)inputs->n,
                 sp_option(o.eps, 1e-6),
                 sp_option(o.atol, 1e-5),
                 sp_option(o.rtol, 1e-3)};
    if (c->eps > 0 && isfinite(c->eps) && c->atol >= 0 && c->rtol >= 0) return SP_OK;
    return sp_raise(SP_ERROR_ARGUMENT, "%s: eps must be above 0, atol and rtol not negative, got %g, %g and %g", name,
                    c->eps, c->atol, c->rtol);
}

bool(sp_gradcheck)(sp_gradcheck_function *function, const sp_list *inputs, void *user,
                   const sp_gradcheck_options *options)
{
    check c;
    if (prepare("sp_gradcheck", function, inputs, user, options, &c)) return false;
    sp_scope scope = sp_scope_open_grad();
    sp_status status = run_check(&c);
    sp_scope_close(&scope);
    return status == SP_OK;
}

/* The gradient as a function of the inputs: Σ over all inputs' gradients, each weighted. */
static sp_tensor *gradient_sum(sp_tensor *const *inputs, void *user)
{
    const check *c = user;
    sp_tensor *sum = NULL;
    SP_ENABLE_GRAD {
        sp_list *wanted = sp_list_new(NULL, 0);
        for (int i = 0; wanted && i < c->n; i++)
            if (is_checked(inputs[i])) sp_list_append(wanted, inputs[i]);
        sp_tensor *y = c->function(inputs, c->user);
        sp_list *grads = y ? sp_autograd_grad_with(SP_LIST(sp_cast(y, SP_F64)), wanted, SP_LIST(weights_for(y)),
                                                   .create_graph = true, .allow_unused = true)
                           : NULL;
        for (int64_t i = 0; grads && i < sp_list_length(grads); i++) {
            sp_tensor *grad = sp_list_get(grads, i);
            if (sp__is_none(grad)) continue;
            sp_tensor *part = sp_sum(sp_mul(grad, weights_for(grad)));
            sum = sum ? sp_add(sum, part) : part;
        }
        if (grads && !sum) sum = sp_scalar(0);
        sum = sp_escape(sum);
    }
    return sum;
}

/* A gradient that depends on no input (of a linear function) has nothing to differentiate. */
static bool depends_on_inputs(const check *c)
{
    bool depends = false;
    SP_ENABLE_GRAD {
        sp_tensor *g = gradient_sum(c->inputs, (void *)(uintptr_t)c);
        depends = g && sp__in_graph(g);
    }
    return depends;
}

bool(sp_gradgradcheck)(sp_gradcheck_function *function, const sp_list *inputs, void *user,
                       const sp_gradcheck_options *options)
{
    check c;
    if (prepare("sp_gradgradcheck", function, inputs, user, options, &c)) return false;
    if (!depends_on_inputs(&c)) return sp_error_status() == SP_OK;
    sp_scope scope = sp_scope_open_grad();
    check outer = c;
    outer.function = gradient_sum;
    outer.user = &c;
    sp_status status = run_check(&outer);
    sp_scope_close(&scope);
    return status == SP_OK;
}
