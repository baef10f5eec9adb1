/* A schedule's state as tensors, by its options' names and PyTorch's: "gamma", "last_epoch", "base_lrs". */
#include "schedule.h"

static const sp__schedule_field common[] = {{"last_epoch", SP__INT, offsetof(sp_scheduler, epoch)},
                                            {"last_lr", SP__NUMBER, offsetof(sp_scheduler, last_lr)},
                                            {NULL}};

/* ---- out ---- */

static sp_status put(sp_dict *dict, const char *name, sp_tensor *x)
{
    return x ? sp_dict_set(dict, name, x) : sp_error_status();
}

static sp_tensor *field_tensor(const sp_scheduler *s, const sp__schedule_field *field)
{
    const void *at = (const char *)s + field->offset;
    if (field->type == SP__INT) return sp_scalar_i64(*(const int64_t *)at);
    if (field->type == SP__FLAG) return sp_full(SP_DIMS(), *(const bool *)at, .dtype = SP_BOOL);
    return sp_full(SP_DIMS(), *(const double *)at, .dtype = SP_F64);
}

static sp_status put_fields(sp_dict *dict, const sp_scheduler *s, const sp__schedule_field *fields)
{
    sp_status status = SP_OK;
    for (; fields->name && status == SP_OK; fields++) status = put(dict, fields->name, field_tensor(s, fields));
    return status;
}

/* The rates that the groups started from, one element a group. */
static sp_status put_base_lrs(sp_dict *dict, const sp_optimizer *optimizer)
{
    sp_tensor *rates = sp_empty(SP_DIMS(optimizer->n_groups), .dtype = SP_F64);
    double *to = sp_data(rates);
    if (!to) return sp_error_status();
    for (int g = 0; g < optimizer->n_groups; g++) {
        const sp__group *group = &optimizer->groups[g];
        to[g] = group->has_initial_lr ? group->initial_lr : group->options.lr;
    }
    return sp_dict_set(dict, "base_lrs", rates);
}

static sp_status put_milestones(sp_dict *dict, const sp_scheduler *s)
{
    const int64_t none = 0;
    const int64_t *milestones = s->n_milestones > 0 ? s->milestones : &none;
    return put(dict, "milestones", sp_from_data(milestones, SP_DIMS(s->n_milestones), .dtype = SP_I64));
}

static bool has_milestones(const sp_scheduler *s)
{
    return strcmp(s->kind->function, "sp_lr_scheduler_multi_step_lr") == 0;
}

static sp_status put_all(sp_dict *dict, const void *object)
{
    const sp_scheduler *s = object;
    sp_status status = put_fields(dict, s, common);
    if (status == SP_OK) status = put_fields(dict, s, s->kind->fields);
    if (status == SP_OK && s->kind->next) status = put_base_lrs(dict, s->optimizer);
    if (status == SP_OK && has_milestones(s)) status = put_milestones(dict, s);
    return status;
}

sp_dict *sp_scheduler_state_dict(const sp_scheduler *scheduler)
{
    if (sp__scheduler_check(scheduler, "sp_scheduler_state_dict") != SP_OK) return NULL;
    return sp__state_dict(put_all, scheduler);
}

/* ---- in: into a copy, which replaces the schedule when all fits ---- */

static const char load[] = "sp_scheduler_load_state_dict";

typedef struct loading {
    const sp_dict *state;
    sp_scheduler *copy;
    const double *base_lrs;
    int64_t used; /* entries of the dict that were read */
} loading;

/* An entry of n elements that must be there. */
static sp_tensor *get(loading *l, const char *name, int64_t n)
{
    sp_tensor *x = sp_dict_find(l->state, name);
    if (!x)
        sp_raise(SP_ERROR_NOT_FOUND, "%s: \"%s\" is missing from the state", load, name);
    else if (n >= 0 && sp_numel(x) != n)
        sp_raise(SP_ERROR_SHAPE, "%s: \"%s\" has %lld elements, not %lld", load, name, (long long)sp_numel(x),
                 (long long)n);
    else {
        l->used++;
        return x;
    }
    return NULL;
}

static sp_status get_field(loading *l, const sp__schedule_field *field)
{
    const sp_tensor *x = get(l, field->name, 1);
    if (!x) return sp_error_status();
    void *at = (char *)l->copy + field->offset;
    if (field->type == SP__FLAG) {
        *(bool *)at = sp_item(x) != 0;
        return SP_OK;
    }
    if (field->type == SP__INT) return sp__count_of(load, field->name, x, 0, at);
    *(double *)at = sp_item(x);
    return SP_OK;
}

static sp_status get_fields(loading *l, const sp__schedule_field *fields)
{
    sp_status status = SP_OK;
    for (; fields->name && status == SP_OK; fields++) status = get_field(l, fields);
    return status;
}

/* The elements of an entry side by side, of one type; NULL after an error. They live until the scope ends. */
static const void *elements(sp_tensor *x, sp_dtype dtype)
{
    return sp_const_data(sp_contiguous(sp_cast(x, dtype)));
}

static sp_status get_base_lrs(loading *l)
{
    const int n = l->copy->optimizer->n_groups;
    l->base_lrs = elements(get(l, "base_lrs", n), SP_F64);
    sp_status status = l->base_lrs ? SP_OK : sp_error_status();
    for (int g = 0; g < n && status == SP_OK; g++)
        status = sp__check_range("sp_scheduler_load_state_dict: base_lrs", SP__LR, l->base_lrs[g]);
    return status;
}

static sp_status get_milestones(loading *l)
{
    sp_tensor *x = get(l, "milestones", -1);
    if (x && sp_dtype_is_floating_point(sp_dtype_of(x)))
        return sp_raise(SP_ERROR_DTYPE, "%s: \"milestones\" are %s, not whole numbers", load,
                        sp_dtype_name(sp_dtype_of(x)));
    const int64_t *milestones = elements(x, SP_I64);
    if (!milestones) return sp_error_status();
    return sp__scheduler_set_milestones(l->copy, (sp_dims){milestones, (int)sp_numel(x)});
}

/* Milestones come last: nothing that can fail follows, so their memory is never lost. */
static sp_status read_all(loading *l)
{
    const sp__schedule *kind = l->copy->kind;
    sp_status status = get_fields(l, common);
    if (status == SP_OK) status = get_fields(l, kind->fields);
    if (status == SP_OK && kind->next) status = get_base_lrs(l);
    if (status == SP_OK) status = sp__scheduler_check_options(l->copy, load);
    const int64_t n = l->used + has_milestones(l->copy);
    if (status == SP_OK && n != sp_dict_length(l->state))
        status = sp_raise(SP_ERROR_NOT_FOUND, "%s: the state has %lld entries, of which the schedule of %s knows %lld",
                          load, (long long)sp_dict_length(l->state), kind->function, (long long)n);
    return status == SP_OK && has_milestones(l->copy) ? get_milestones(l) : status;
}

static void replace(sp_scheduler *s, const loading *l)
{
    if (s->milestones) sp_free(s->milestones, (size_t)s->n_milestones * sizeof *s->milestones);
    *s = *l->copy;
    for (int g = 0; l->base_lrs && g < s->optimizer->n_groups; g++) {
        s->optimizer->groups[g].initial_lr = l->base_lrs[g];
        s->optimizer->groups[g].has_initial_lr = true;
    }
}

sp_status sp_scheduler_load_state_dict(sp_scheduler *scheduler, const sp_dict *state)
{
    sp_status status = sp__scheduler_check(scheduler, load);
    if (status != SP_OK) return status;
    if (!state) return sp_raise_null(load, "state");
    sp_scheduler copy = *scheduler;
    loading l = {.state = state, .copy = &copy};
    SP_NO_GRAD {
        status = read_all(&l);
        if (status == SP_OK) replace(scheduler, &l);
    }
    return status;
}
