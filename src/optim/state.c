/* An optimiser's state as tensors: "0.exp_avg", "0.step", "group.0.lr". Parameters count through all groups. */
#include "optim_private.h"

#include <math.h>
#include <spusk/pointwise.h>
#include <stdio.h>

typedef struct key {
    char text[80];
} key;

static key slot_key(int64_t i, const char *what)
{
    key k;
    snprintf(k.text, sizeof k.text, "%lld.%s", (long long)i, what);
    return k;
}

static key group_key(int g, const char *what)
{
    key k;
    snprintf(k.text, sizeof k.text, "group.%d.%s", g, what);
    return k;
}

/* ---- out ---- */

static sp_status put(sp_dict *dict, key k, sp_tensor *x)
{
    return x ? sp_dict_set(dict, k.text, x) : sp_error_status();
}

static sp_status put_number(sp_dict *dict, key k, double value)
{
    return put(dict, k, sp_full(SP_DIMS(), value, .dtype = SP_F64));
}

static sp_status put_flag(sp_dict *dict, sp__group *group, int g, sp__field f)
{
    return put(dict, group_key(g, sp__field_name(f)),
               sp_full(SP_DIMS(), *sp__flag_of(&group->options, f), .dtype = SP_BOOL));
}

static sp_status put_group(sp_dict *dict, const sp_optimizer *optimizer, int g)
{
    sp__group *group = &optimizer->groups[g];
    sp_status status = SP_OK;
    for (int f = 0; f < SP__N_NUMBERS && status == SP_OK; f++)
        status = put_number(dict, group_key(g, sp__field_name((sp__field)f)),
                            *sp__number_of(&group->options, (sp__field)f));
    for (int f = SP__N_NUMBERS; f < SP__N_FIELDS && status == SP_OK; f++)
        if (sp__takes(optimizer->rule, (sp__field)f)) status = put_flag(dict, group, g, (sp__field)f);
    if (status == SP_OK && group->has_initial_lr)
        status = put_number(dict, group_key(g, "initial_lr"), group->initial_lr);
    return status;
}

/* A parameter that was never updated has no state to save. */
static sp_status put_slot(sp_dict *dict, const sp_optimizer *optimizer, int64_t i)
{
    const sp__slot *slot = &optimizer->slots[i];
    if (slot->step == 0) return SP_OK;
    sp_status status = put(dict, slot_key(i, "step"), sp_scalar_i64(slot->step));
    if (status == SP_OK && optimizer->rule->update == SP_UPDATE_NADAM)
        status = put_number(dict, slot_key(i, "mu_product"), slot->mu_product);
    for (int k = 0; k < SP__MAX_STATES && status == SP_OK; k++)
        if (slot->state[k]) status = put(dict, slot_key(i, optimizer->rule->states[k].name), slot->state[k]);
    return status;
}

static sp_status put_all(sp_dict *dict, const void *object)
{
    const sp_optimizer *optimizer = object;
    sp_status status = SP_OK;
    for (int64_t i = 0; i < optimizer->n_slots && status == SP_OK; i++) status = put_slot(dict, optimizer, i);
    for (int g = 0; g < optimizer->n_groups && status == SP_OK; g++) status = put_group(dict, optimizer, g);
    return status;
}

sp_dict *sp__state_dict(sp_status (*fill)(sp_dict *dict, const void *object), const void *object)
{
    sp_dict *dict = sp_dict_new();
    if (!dict) return NULL;
    sp_status status = SP_OK;
    SP_SCOPE {
        status = fill(dict, object);
    }
    if (status == SP_OK) return dict;
    sp_release(dict);
    return NULL;
}

sp_dict *sp_optimizer_state_dict(const sp_optimizer *optimizer)
{
    if (sp__optimizer_check(optimizer, "sp_optimizer_state_dict") != SP_OK) return NULL;
    return sp__state_dict(put_all, optimizer);
}

sp_status sp__count_of(const char *function, const char *name, const sp_tensor *x, int64_t least, int64_t *value)
{
    const bool floating = sp_dtype_is_floating_point(sp_dtype_of(x));
    const double number = sp_item(x);
    /* Up to 2^53 a double holds every count. */
    const bool whole = !floating || (fabs(number) <= 0x1p53 && number == floor(number));
    if (!whole || !(number >= (double)least))
        return sp_raise(SP_ERROR_ARGUMENT, "%s: \"%s\" must be a whole number of %lld or more, got %g", function, name,
                        (long long)least, number);
    *value = floating ? (int64_t)number : sp_item_i64(x);
    return SP_OK;
}

/* ---- in: read into copies of slots and groups, which replace the old ones when all fits ---- */

typedef struct loading {
    const sp_optimizer *optimizer;
    const sp_dict *state;
    sp__slot *slots;
    sp__group *groups;
    int64_t used; /* entries of the dict that were read */
} loading;

static sp_status not_there(const char *name)
{
    return sp_raise(SP_ERROR_NOT_FOUND, "sp_optimizer_load_state_dict: \"%s\" is missing from the state", name);
}

/* An entry that must be there, of one number; NULL after an error. */
static const sp_tensor *get(loading *l, key k)
{
    const sp_tensor *x = sp_dict_find(l->state, k.text);
    if (!x) return not_there(k.text), NULL;
    if (sp_numel(x) == 1) return l->used++, x;
    sp_raise(SP_ERROR_SHAPE, "sp_optimizer_load_state_dict: \"%s\" is not one number", k.text);
    return NULL;
}

static sp_status get_number(loading *l, key k, double *value)
{
    const sp_tensor *x = get(l, k);
    if (!x) return sp_error_status();
    *value = sp_item(x);
    return SP_OK;
}

/* Reads a flag of the rule. A file of an older version has none; then the group keeps its own. */
static sp_status get_flag(loading *l, int g, sp__field f, bool *flag)
{
    key k = group_key(g, sp__field_name(f));
    if (!sp__takes(l->optimizer->rule, f) || !sp_dict_find(l->state, k.text)) return SP_OK;
    double value = 0;
    sp_status status = get_number(l, k, &value);
    if (status == SP_OK && value != 0 && value != 1)
        return sp_raise(SP_ERROR_ARGUMENT, "sp_optimizer_load_state_dict: \"%s\" must be 0 or 1, got %g", k.text,
                        value);
    *flag = value == 1;
    return status;
}

static sp_status get_initial_lr(loading *l, int g)
{
    sp__group *group = &l->groups[g];
    key k = group_key(g, "initial_lr");
    group->has_initial_lr = sp_dict_find(l->state, k.text) != NULL;
    if (!group->has_initial_lr) return SP_OK;
    sp_status status = get_number(l, k, &group->initial_lr);
    return status == SP_OK ? sp__check_range("sp_optimizer_load_state_dict: initial_lr", SP__LR, group->initial_lr)
                           : status;
}

static sp_status get_group(loading *l, int g)
{
    sp__group *group = &l->groups[g];
    /* The usual reader checks the ranges. It takes its defaults as they are, and a zero among them as a zero. */
    sp_optim_options read = group->options;
    sp_status status = SP_OK;
    for (int f = 0; f < SP__N_NUMBERS && status == SP_OK; f++)
        status = get_number(l, group_key(g, sp__field_name((sp__field)f)), sp__number_of(&read, (sp__field)f));
    for (int f = SP__N_NUMBERS; f < SP__N_FIELDS && status == SP_OK; f++)
        status = get_flag(l, g, (sp__field)f, sp__flag_of(&read, (sp__field)f));
    if (status == SP_OK)
        status = sp__options_read(l->optimizer->rule, "sp_optimizer_load_state_dict", NULL, &read, &group->options);
    return status == SP_OK ? get_initial_lr(l, g) : status;
}

/* A new state tensor, in the layout that the kernels want. */
static sp_status get_state(loading *l, const sp__group *group, sp__slot *slot, int64_t i, int k)
{
    const char *name = l->optimizer->rule->states[k].name;
    sp_tensor *given = name ? sp_dict_find(l->state, slot_key(i, name).text) : NULL;
    if (!given)
        return sp__wants_state(l->optimizer->rule, &group->options, k) ? not_there(slot_key(i, name).text) : SP_OK;
    sp_dims a = sp_sizes(given), b = sp_sizes(slot->parameter);
    if (a.n != b.n || (a.n > 0 && memcmp(a.data, b.data, (size_t)a.n * sizeof *a.data) != 0))
        return sp_raise(SP_ERROR_SHAPE, "sp_optimizer_load_state_dict: \"%s\" has not the shape of its parameter",
                        slot_key(i, name).text);
    sp_tensor *copy = sp__state_new(l->optimizer, group, slot, k);
    slot->state[k] = sp_copy_(copy, given) ? copy : NULL;
    if (!slot->state[k]) return sp_error_status();
    l->used++;
    return SP_OK;
}

static sp_status get_slot(loading *l, const sp__group *group, int64_t i)
{
    sp__slot *slot = &l->slots[i];
    *slot = (sp__slot){.parameter = slot->parameter, .mu_product = 1};
    key k = slot_key(i, "step");
    if (!sp_dict_find(l->state, k.text)) return SP_OK;
    const sp_tensor *step = get(l, k);
    if (!step) return sp_error_status();
    sp_status status = sp__count_of("sp_optimizer_load_state_dict", k.text, step, 0, &slot->step);
    if (status == SP_OK && l->optimizer->rule->update == SP_UPDATE_NADAM)
        status = get_number(l, slot_key(i, "mu_product"), &slot->mu_product);
    for (int s = 0; s < SP__MAX_STATES && status == SP_OK; s++) status = get_state(l, group, slot, i, s);
    slot->has_momentum = slot->state[0] != NULL;
    return status;
}

/* Raises an error that names the first entry that belongs to nothing. */
static sp_status check_used(const loading *l)
{
    const sp_dict *state = l->state;
    if (l->used == sp_dict_length(state)) return SP_OK;
    return sp_raise(
        SP_ERROR_NOT_FOUND,
        "sp_optimizer_load_state_dict: the state has %lld entries, of which %s with %lld parameters knows %lld",
        (long long)sp_dict_length(state), l->optimizer->rule->name, (long long)l->optimizer->n_slots,
        (long long)l->used);
}

static sp_status read_all(loading *l)
{
    sp_status status = SP_OK;
    for (int g = 0; g < l->optimizer->n_groups && status == SP_OK; g++) {
        status = get_group(l, g);
        const sp__group *group = &l->groups[g];
        for (int64_t i = 0; i < group->n && status == SP_OK; i++) status = get_slot(l, group, group->first + i);
    }
    return status == SP_OK ? check_used(l) : status;
}

/* The new states live with the optimiser, the old ones go. */
static void replace(sp_optimizer *optimizer, const loading *l)
{
    for (int64_t i = 0; i < optimizer->n_slots; i++)
        for (int k = 0; k < SP__MAX_STATES; k++) {
            sp_retain(l->slots[i].state[k]);
            sp_drop(optimizer->slots[i].state[k]);
        }
    memcpy(optimizer->slots, l->slots, (size_t)optimizer->n_slots * sizeof *l->slots);
    memcpy(optimizer->groups, l->groups, (size_t)optimizer->n_groups * sizeof *l->groups);
}

sp_status sp_optimizer_load_state_dict(sp_optimizer *optimizer, const sp_dict *state)
{
    sp_status status = sp__optimizer_check(optimizer, "sp_optimizer_load_state_dict");
    if (status != SP_OK) return status;
    if (!state) return sp_raise_null("sp_optimizer_load_state_dict", "state");
    size_t slots = (size_t)optimizer->n_slots * sizeof(sp__slot),
           groups = (size_t)optimizer->n_groups * sizeof(sp__group);
    loading l = {optimizer, state, sp_alloc(slots), sp_alloc(groups), 0};
    if (l.slots && l.groups) {
        memcpy(l.slots, optimizer->slots, slots);
        memcpy(l.groups, optimizer->groups, groups);
        SP_NO_GRAD {
            status = read_all(&l);
            if (status == SP_OK) replace(optimizer, &l);
        }
    } else {
        status = sp_error_status();
    }
    sp_free(l.slots, slots);
    sp_free(l.groups, groups);
    return status;
}
