/* The optimisers that walk down surfaces. */
#include "descent.h"

#include <spusk/extend/text.h>

static sp_optimizer *sgd(const sp_list *parameters, double lr)
{
    return sp_optim_sgd(parameters, .lr = lr);
}
static sp_optimizer *momentum(const sp_list *parameters, double lr)
{
    return sp_optim_sgd(parameters, .lr = lr, .momentum = 0.9);
}
static sp_optimizer *nesterov(const sp_list *parameters, double lr)
{
    return sp_optim_sgd(parameters, .lr = lr, .momentum = 0.9, .nesterov = true);
}
static sp_optimizer *adagrad(const sp_list *parameters, double lr)
{
    return sp_optim_adagrad(parameters, .lr = lr);
}
static sp_optimizer *adadelta(const sp_list *parameters, double lr)
{
    return sp_optim_adadelta(parameters, .lr = lr);
}
static sp_optimizer *rmsprop(const sp_list *parameters, double lr)
{
    return sp_optim_rmsprop(parameters, .lr = lr);
}
static sp_optimizer *adam(const sp_list *parameters, double lr)
{
    return sp_optim_adam(parameters, .lr = lr);
}
static sp_optimizer *amsgrad(const sp_list *parameters, double lr)
{
    return sp_optim_adam(parameters, .lr = lr, .amsgrad = true);
}
static sp_optimizer *adamax(const sp_list *parameters, double lr)
{
    return sp_optim_adamax(parameters, .lr = lr);
}
static sp_optimizer *nadam(const sp_list *parameters, double lr)
{
    return sp_optim_nadam(parameters, .lr = lr);
}

/* The first three take steps as long as the gradient, so their default rate is in units of the surface's own rate. The
 * others do not, so their rate is a part of the surface's width. */
static const rule rules[] = {
    {"sgd", "SGD", sgd, 1, false},
    {"momentum", "momentum", momentum, 0.2, false},
    {"nesterov", "Nesterov", nesterov, 0.2, false},
    {"adagrad", "Adagrad", adagrad, 0.08, true},
    {"adadelta", "Adadelta", adadelta, 2, true},
    {"rmsprop", "RMSprop", rmsprop, 0.005, true},
    {"adam", "Adam", adam, 0.02, true},
    {"amsgrad", "AMSGrad", amsgrad, 0.02, true},
    {"adamax", "Adamax", adamax, 0.03, true},
    {"nadam", "NAdam", nadam, 0.02, true},
};
#define N_RULES (int)(sizeof rules / sizeof *rules)

double rule_default_lr(const rule *how, const sp_surface_about *about)
{
    return how->lr * (how->by_width ? about->x_range[1] - about->x_range[0] : about->lr);
}

const rule *rule_number(int i)
{
    return i < N_RULES ? &rules[i] : NULL;
}

const rule *rule_find(const common *c, const char *name, size_t n)
{
    char names[256];
    const int i = sp_name_find(rules, N_RULES, sizeof *rules, name, n, names, sizeof names);
    if (i >= 0) return &rules[i];
    complain(c, "--optimizer has '%.*s'; there are: %s", (int)n, name, names);
    return NULL;
}
