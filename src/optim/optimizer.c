/* Optimisers as objects: parameters, groups, learning rates. */
#include "optim_private.h"

static void optimizer_destroy(void *object)
{
    sp_optimizer *optimizer = object;
    for (int64_t i = 0; i < optimizer->n_slots; i++) {
        sp_drop(optimizer->slots[i].parameter);
        for (int k = 0; k < SP__MAX_STATES; k++) sp_drop(optimizer->slots[i].state[k]);
    }
    sp_free(optimizer->slots, optimizer->max_slots * sizeof *optimizer->slots);
    sp_free(optimizer->groups, optimizer->max_groups * sizeof *optimizer->groups);
}

static const sp_kind optimizer_kind = {"optimizer", optimizer_destroy};

sp_status sp__optimizer_check(const sp_optimizer *optimizer, const char *function)
{
    if (!optimizer) return sp_raise_null(function, "optimizer");
    if (sp_object_is(optimizer, &optimizer_kind)) return SP_OK;
    return sp_raise(SP_ERROR_ARGUMENT, "%s: the argument is not an optimizer", function);
}

/* ---- groups ---- */

/* `seen` leads from parameters to their places in the list, or to INT64_MAX for another group's. */
static sp_status check_new(const char *function, sp_map *seen, const sp_tensor *x, int64_t i)
{
    const int64_t place = sp_map_find(seen, x, SP_MAP_ADDRESS);
    if (place < 0) return sp_map_set(seen, x, SP_MAP_ADDRESS, i);
    if (place < INT64_MAX)
        return sp_raise(SP_ERROR_ARGUMENT, "%s: parameters %lld and %lld are the same", function, (long long)place,
                        (long long)i);
    return sp_raise(SP_ERROR_ARGUMENT, "%s: parameter %lld is in another group already", function, (long long)i);
}

static sp_status check_parameter(const char *function, const sp_list *list, int64_t i, sp_map *seen)
{
    const sp_tensor *x = sp_list_get(list, i);
    if (!x || x == SP_NONE) return sp_raise(SP_ERROR_NULL, "%s: parameter %lld is missing", function, (long long)i);
    if (!sp_dtype_is_floating_point(sp_dtype_of(x)))
        return sp_raise(SP_ERROR_DTYPE, "%s: parameter %lld is %s; only floating tensors are trained", function,
                        (long long)i, sp_dtype_name(sp_dtype_of(x)));
    if (!sp_is_leaf(x))
        return sp_raise(SP_ERROR_STATE, "%s: parameter %lld was computed (%s); only leaves are trained", function,
                        (long long)i, sp_grad_fn_name(x));
    return check_new(function, seen, x, i);
}

static sp_status check_parameters(const sp_optimizer *optimizer, const char *function, const sp_list *list)
{
    int64_t n = sp_list_length(list);
    if (n == 0) return sp_raise(SP_ERROR_ARGUMENT, "%s: the list of parameters is empty", function);
    sp_status status = SP_OK;
    sp_map seen = {0};
    for (int64_t i = 0; i < optimizer->n_slots && status == SP_OK; i++)
        status = sp_map_set(&seen, optimizer->slots[i].parameter, SP_MAP_ADDRESS, INT64_MAX);
    for (int64_t i = 0; i < n && status == SP_OK; i++) status = check_parameter(function, list, i, &seen);
    sp_map_free(&seen);
    return status;
}

static sp_status append_group(sp_optimizer *optimizer, const sp_list *list, const sp_optim_options *options)
{
    const int64_t n = sp_list_length(list), first = optimizer->n_slots;
    const size_t slots = (size_t)(first + n), groups = (size_t)optimizer->n_groups + 1;
    if (sp_reserve(&optimizer->slots, &optimizer->max_slots, slots, sizeof *optimizer->slots) != SP_OK ||
        sp_reserve(&optimizer->groups, &optimizer->max_groups, groups, sizeof *optimizer->groups) != SP_OK)
        return sp_error_status();
    for (int64_t i = 0; i < n; i++)
        optimizer->slots[first + i] = (sp__slot){.parameter = sp_retain(sp_list_get(list, i)), .mu_product = 1};
    optimizer->groups[optimizer->n_groups++] = (sp__group){.options = *options, .first = first, .n = n};
    optimizer->n_slots = first + n;
    return SP_OK;
}

static sp_status add_group(sp_optimizer *optimizer, const char *function, const sp_list *parameters,
                           const sp_optim_options *options)
{
    sp_status status = check_parameters(optimizer, function, parameters);
    return status == SP_OK ? append_group(optimizer, parameters, options) : status;
}

sp_optimizer *sp__optimizer_new(const sp__rule *rule, const sp_list *parameters, const sp_optim_options *options)
{
    sp_optim_options defaults;
    if (!parameters) return sp_raise_null(rule->function, "parameters"), NULL;
    if (sp__options_read(rule, rule->function, options, &rule->defaults, &defaults) != SP_OK) return NULL;
    sp_optimizer *optimizer = sp_object_new(&optimizer_kind, sizeof *optimizer);
    if (!optimizer) return NULL;
    optimizer->rule = rule;
    optimizer->defaults = defaults;
    if (add_group(optimizer, rule->function, parameters, &defaults) == SP_OK) return optimizer;
    sp_release(optimizer);
    return NULL;
}

sp_status(sp_add_param_group)(sp_optimizer *optimizer, const sp_list *parameters, const sp_optim_options *options)
{
    static const char function[] = "sp_add_param_group";
    sp_optim_options o;
    sp_status status = sp__optimizer_check(optimizer, function);
    if (status != SP_OK) return status;
    if (!parameters) return sp_raise_null(function, "parameters");
    status = sp__options_read(optimizer->rule, function, options, &optimizer->defaults, &o);
    return status == SP_OK ? add_group(optimizer, function, parameters, &o) : status;
}

sp_status sp_zero_grad(sp_optimizer *optimizer)
{
    sp_status status = sp__optimizer_check(optimizer, "sp_zero_grad");
    for (int64_t i = 0; status == SP_OK && i < optimizer->n_slots; i++)
        status = sp_set_grad(optimizer->slots[i].parameter, SP_NONE);
    return status;
}

int sp_num_param_groups(const sp_optimizer *optimizer)
{
    return sp__optimizer_check(optimizer, "sp_num_param_groups") == SP_OK ? optimizer->n_groups : 0;
}

static sp_status check_group(const sp_optimizer *optimizer, int group, const char *function)
{
    sp_status status = sp__optimizer_check(optimizer, function);
    if (status != SP_OK || (group >= 0 && group < optimizer->n_groups)) return status;
    return sp_raise(SP_ERROR_ARGUMENT, "%s: there is no group %d among %d", function, group, optimizer->n_groups);
}

double sp_lr(const sp_optimizer *optimizer, int group)
{
    return check_group(optimizer, group, "sp_lr") == SP_OK ? optimizer->groups[group].options.lr : 0;
}

sp_status sp_set_lr(sp_optimizer *optimizer, int group, double lr)
{
    sp_status status = check_group(optimizer, group, "sp_set_lr");
    if (status == SP_OK) status = sp__check_range("sp_set_lr", SP__LR, lr);
    if (status == SP_OK) optimizer->groups[group].options.lr = lr;
    return status;
}

const char *sp_optimizer_name(const sp_optimizer *optimizer)
{
    return sp__optimizer_check(optimizer, "sp_optimizer_name") == SP_OK ? optimizer->rule->name : "";
}
