/* Clipping gradients in place. */
#include <spusk/extend.h>
#include <spusk/optim.h>
#include <spusk/pointwise.h>

#include <math.h>

/* Gradient i of a list of parameters; SP_NONE for none, NULL after an error. */
static sp_tensor *grad_of(const sp_list *parameters, int64_t i)
{
    return sp_grad(sp_list_get(parameters, i));
}

/* Adds one part to a norm. NaN stays NaN. */
static double add_norm(double total, double norm, double p)
{
    if (isnan(total) || isnan(norm)) return NAN;
    if (p == INFINITY) return fmax(total, norm);
    if (p == -INFINITY) return fmin(total, norm);
    return total + (p == 0 ? norm != 0 : p == 2 ? norm * norm : pow(norm, p));
}

/* The norm of all parts. The norm of nothing is 0. */
static double finish_norm(double total, double p, int64_t parts)
{
    if (parts == 0) return 0;
    return isinf(p) || p == 0 ? total : p == 2 ? sqrt(total) : pow(total, 1 / p);
}

static double total_norm(const sp_list *parameters, double p)
{
    double total = p == -INFINITY ? INFINITY : 0;
    int64_t parts = 0;
    for (int64_t i = 0; i < sp_list_length(parameters); i++) {
        sp_tensor *grad = grad_of(parameters, i);
        if (!grad) return NAN;
        if (grad == SP_NONE || sp_numel(grad) == 0) continue;
        parts++;
        sp_tensor *norm = sp_norm(grad, .p = sp_exactly(p));
        if (!norm) return NAN;
        total = add_norm(total, sp_item(norm), p);
    }
    return finish_norm(total, p, parts);
}

static sp_status scale_all(const sp_list *parameters, double factor)
{
    for (int64_t i = 0; i < sp_list_length(parameters); i++) {
        sp_tensor *grad = grad_of(parameters, i);
        if (!grad || (grad != SP_NONE && !sp_mul_scalar_(grad, factor))) return sp_error_status();
    }
    return SP_OK;
}

double(sp_clip_grad_norm_)(const sp_list *parameters, double max_norm, const sp_reduce_options *options)
{
    sp_reduce_options o;
    sp_options_copy(&o, sizeof o, options);
    if (!parameters) return sp_raise_null("sp_clip_grad_norm_", "parameters"), NAN;
    if (!(max_norm >= 0) || isnan(o.p)) {
        sp_raise(SP_ERROR_ARGUMENT, "sp_clip_grad_norm_: %s, got %g",
                 isnan(o.p) ? "p is not a number" : "max_norm must not be negative", isnan(o.p) ? o.p : max_norm);
        return NAN;
    }
    double total = NAN;
    sp_status status = SP_OK;
    SP_NO_GRAD {
        bool pending = sp_error_status() != SP_OK;
        total = total_norm(parameters, sp_option(o.p, 2));
        if (!pending) status = sp_error_status();
        /* PyTorch's guard against a division by zero. A norm that is NaN or infinite spoils the gradients, as there. */
        double factor = max_norm / (total + 1e-6);
        if (status == SP_OK && !(factor >= 1)) status = scale_all(parameters, factor);
    }
    return status == SP_OK ? total : NAN;
}

sp_status sp_clip_grad_value_(const sp_list *parameters, double value)
{
    if (!parameters) return sp_raise_null("sp_clip_grad_value_", "parameters");
    if (!(value >= 0))
        return sp_raise(SP_ERROR_ARGUMENT, "sp_clip_grad_value_: value must not be negative, got %g", value);
    sp_status status = SP_OK;
    SP_NO_GRAD {
        for (int64_t i = 0; i < sp_list_length(parameters) && status == SP_OK; i++) {
            sp_tensor *grad = grad_of(parameters, i);
            if (!grad || (grad != SP_NONE && !sp_clamp_(grad, -value, value))) status = sp_error_status();
        }
    }
    return status;
}
