/* An optimiser of one's own: an object that holds its parameters and one tensor for each. */
#include "extending.h"

#include <spusk/extend.h>

struct lion {
    sp_list *parameters, *momenta;
    double lr, weight_decay;
};

static const double beta1 = 0.9, beta2 = 0.99;

static void lion_destroy(void *object)
{
    lion *optimizer = object;
    sp_drop(optimizer->parameters);
    sp_drop(optimizer->momenta);
}

static const sp_kind lion_kind = {"Lion", lion_destroy};

/* The lists are made here and retained, so that they live as long as the optimiser, whatever scope is open. */
lion *lion_new(const sp_list *parameters, double lr, double weight_decay)
{
    lion *optimizer = sp_object_new(&lion_kind, sizeof *optimizer);
    if (!optimizer) return NULL;
    *optimizer = (lion){.lr = lr, .weight_decay = weight_decay};
    optimizer->parameters = sp_retain(sp_list_new(NULL, 0));
    optimizer->momenta = sp_retain(sp_list_new(NULL, 0));
    for (int64_t i = 0; i < sp_list_length(parameters); i++) {
        sp_tensor *p = sp_list_get(parameters, i);
        if (sp_list_append(optimizer->parameters, p) || sp_list_append(optimizer->momenta, sp_zeros_like(p)))
            return NULL;
    }
    return optimizer;
}

static sp_status step_one(const lion *optimizer, sp_tensor *p, sp_tensor *m)
{
    sp_tensor *g = sp_grad(p);
    sp_tensor *direction = sp_sign(sp_lerp(g, m, beta1));
    sp_mul_scalar_(p, 1 - optimizer->lr * optimizer->weight_decay);
    sp_sub_(p, sp_mul_scalar(direction, optimizer->lr));
    return sp_lerp_(m, g, 1 - beta2) ? SP_OK : sp_error_status();
}

sp_status lion_step(lion *optimizer)
{
    sp_status status = SP_OK;
    SP_NO_GRAD {
        for (int64_t i = 0; i < sp_list_length(optimizer->parameters) && !status; i++) {
            sp_tensor *p = sp_list_get(optimizer->parameters, i);
            if (sp_grad(p)) status = step_one(optimizer, p, sp_list_get(optimizer->momenta, i));
        }
    }
    return status;
}
