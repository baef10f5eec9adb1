/* Schedules that make the batch larger instead of the learning rate smaller. */
#include "schedule.h"

#include <math.h>

struct sp_batch_scheduler {
    sp_loader *loader;
    sp_optimizer *optimizer;
    int64_t *milestones;
    int n_milestones;
    int64_t epoch, max_batch_size;
    double factor;
};

static sp_status check_numbers(const char *function, double factor, int64_t max_batch_size)
{
    if (!(factor >= 1 && isfinite(factor)))
        return sp_raise(SP_ERROR_ARGUMENT, "%s: factor must be at least 1, got %g", function, factor);
    if (max_batch_size < 1)
        return sp_raise(SP_ERROR_ARGUMENT, "%s: max_batch_size must be at least 1, got %lld", function,
                        (long long)max_batch_size);
    return SP_OK;
}

static sp_status check(const sp_loader *loader, const sp_optimizer *optimizer, sp_dims milestones, double factor,
                       int64_t max_batch_size)
{
    const char *function = "sp_batch_scheduler_multi_step";
    if (!loader || !optimizer) return sp_raise_null(function, loader ? "optimizer" : "loader");
    if (milestones.n < 0 || (milestones.n > 0 && !milestones.data)) return sp_raise_null(function, "milestones");
    if (sp_loader_batch_size(loader) < 1 || sp_num_param_groups(optimizer) < 1) return sp_error_status();
    return check_numbers(function, factor, max_batch_size);
}

static void drop_milestones(sp_batch_scheduler *s)
{
    if (s->milestones) sp_free(s->milestones, (size_t)s->n_milestones * sizeof *s->milestones);
    s->milestones = NULL;
    s->n_milestones = 0;
}

/* Replaces the milestones by a copy of these. */
static sp_status set_milestones(sp_batch_scheduler *s, sp_dims milestones)
{
    int64_t *copy;
    if (sp__copy_milestones(milestones, &copy) != SP_OK) return sp_error_status();
    drop_milestones(s);
    s->milestones = copy;
    s->n_milestones = milestones.n;
    return SP_OK;
}

static void destroy(void *object)
{
    sp_batch_scheduler *s = object;
    sp_drop(s->loader);
    sp_drop(s->optimizer);
    drop_milestones(s);
}

static const sp_kind kind = {"batch scheduler", destroy};

sp_batch_scheduler *(sp_batch_scheduler_multi_step)(sp_loader *loader, sp_optimizer *optimizer, sp_dims milestones,
                                                    const sp_batch_scheduler_options *given)
{
    sp_batch_scheduler_options options;
    sp_options_copy(&options, sizeof options, given);
    double factor = sp_option(options.factor, 5);
    int64_t most = sp_option_int(options.max_batch_size, 0);
    if (loader && options.max_batch_size == 0) {
        most = sp_data_length(sp_loader_dataset(loader)) / 10;
        if (most < sp_loader_batch_size(loader)) most = sp_loader_batch_size(loader);
    }
    if (check(loader, optimizer, milestones, factor, most) != SP_OK) return NULL;
    sp_batch_scheduler *s = sp_object_new(&kind, sizeof *s);
    if (!s) return NULL;
    s->factor = factor;
    s->max_batch_size = most;
    s->loader = sp_retain(loader);
    s->optimizer = sp_retain(optimizer);
    if (set_milestones(s, milestones) == SP_OK) return s;
    sp_release(s);
    return NULL;
}

/* The part by which the batch cannot grow lowers the rate instead. */
static sp_status grow(const sp_batch_scheduler *s)
{
    double before = (double)sp_loader_batch_size(s->loader);
    double after = fmax(before, fmin(round(before * s->factor), (double)s->max_batch_size));
    sp_status status = sp_loader_set_batch_size(s->loader, (int64_t)after);
    double rest = after / before / s->factor;
    for (int g = 0; fabs(rest - 1) > 1e-9 && g < sp_num_param_groups(s->optimizer) && status == SP_OK; g++)
        status = sp_set_lr(s->optimizer, g, sp_lr(s->optimizer, g) * rest);
    return status;
}

sp_status sp_batch_scheduler_step(sp_batch_scheduler *scheduler)
{
    if (!scheduler) return sp_raise_null("sp_batch_scheduler_step", "scheduler");
    sp_status status = SP_OK;
    scheduler->epoch = sp__next_count(scheduler->epoch);
    for (int i = 0; i < scheduler->n_milestones && status == SP_OK; i++)
        if (scheduler->milestones[i] == scheduler->epoch) status = grow(scheduler);
    return status;
}

/* ---- its state ---- */

static sp_status put_all(sp_dict *dict, const void *object)
{
    const sp_batch_scheduler *s = object;
    const int64_t none = 0;
    const struct {
        const char *name;
        sp_tensor *value;
    } entries[] = {
        {"last_epoch", sp_scalar_i64(s->epoch)},
        {"milestones", sp_from_data(s->milestones ? s->milestones : &none, SP_DIMS(s->n_milestones), .dtype = SP_I64)},
        {"factor", sp_full(SP_DIMS(), s->factor, .dtype = SP_F64)},
        {"max_batch_size", sp_scalar_i64(s->max_batch_size)},
        {"batch_size", sp_scalar_i64(sp_loader_batch_size(s->loader))},
    };
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++) {
        if (!entries[i].value) return sp_error_status();
        const sp_status status = sp_dict_set(dict, entries[i].name, entries[i].value);
        if (status != SP_OK) return status;
    }
    return SP_OK;
}

sp_dict *sp_batch_scheduler_state_dict(const sp_batch_scheduler *scheduler)
{
    if (!scheduler) {
        sp_raise_null("sp_batch_scheduler_state_dict", "scheduler");
        return NULL;
    }
    return sp__state_dict(put_all, scheduler);
}

static const char load[] = "sp_batch_scheduler_load_state_dict";

/* An entry that must exist: of one element, or of one dimension. */
static sp_tensor *get(const sp_dict *state, const char *name, bool one)
{
    sp_tensor *x = sp_dict_find(state, name);
    if (!x)
        sp_raise(SP_ERROR_NOT_FOUND, "%s: \"%s\" is missing from the state", load, name);
    else if (one ? sp_numel(x) != 1 : sp_ndim(x) != 1)
        sp_raise(SP_ERROR_SHAPE, "%s: \"%s\" has %lld elements in %d dimensions", load, name, (long long)sp_numel(x),
                 sp_ndim(x));
    else
        return x;
    return NULL;
}

static sp_status get_count(const sp_dict *state, const char *name, int64_t least, int64_t *value)
{
    const sp_tensor *x = get(state, name, true);
    return x ? sp__count_of(load, name, x, least, value) : sp_error_status();
}

/* What is read; the scheduler changes when all of it fits. */
typedef struct state {
    int64_t epoch, max_batch_size, batch_size;
    double factor;
    sp_dims milestones;
} state;

static sp_status read_state(const sp_dict *from, state *to)
{
    sp_status status = get_count(from, "last_epoch", 0, &to->epoch);
    if (status == SP_OK) status = get_count(from, "max_batch_size", 1, &to->max_batch_size);
    if (status == SP_OK) status = get_count(from, "batch_size", 1, &to->batch_size);
    if (status != SP_OK) return status;
    sp_tensor *factor = get(from, "factor", true), *milestones = get(from, "milestones", false);
    if (!factor || !milestones) return sp_error_status();
    if (sp_dtype_is_floating_point(sp_dtype_of(milestones)))
        return sp_raise(SP_ERROR_DTYPE, "%s: \"milestones\" are %s, not whole numbers", load,
                        sp_dtype_name(sp_dtype_of(milestones)));
    const int64_t *numbers = sp_const_data(sp_contiguous(sp_cast(milestones, SP_I64)));
    if (!numbers) return sp_error_status();
    to->factor = sp_item(factor);
    to->milestones = (sp_dims){numbers, (int)sp_numel(milestones)};
    status = check_numbers(load, to->factor, to->max_batch_size);
    if (status != SP_OK || sp_dict_length(from) == 5) return status;
    return sp_raise(SP_ERROR_NOT_FOUND, "%s: the state has %lld entries, of which a batch scheduler knows 5", load,
                    (long long)sp_dict_length(from));
}

static sp_status replace(sp_batch_scheduler *s, const state *with)
{
    const int64_t before = sp_loader_batch_size(s->loader);
    sp_status status = sp_loader_set_batch_size(s->loader, with->batch_size);
    if (status != SP_OK) return status;
    status = set_milestones(s, with->milestones);
    if (status != SP_OK) {
        sp_loader_set_batch_size(s->loader, before);
        return status;
    }
    s->epoch = with->epoch;
    s->factor = with->factor;
    s->max_batch_size = with->max_batch_size;
    return SP_OK;
}

sp_status sp_batch_scheduler_load_state_dict(sp_batch_scheduler *scheduler, const sp_dict *from)
{
    if (!scheduler) return sp_raise_null(load, "scheduler");
    if (!from) return sp_raise_null(load, "state");
    sp_status status = SP_OK;
    SP_NO_GRAD {
        state to = {0};
        status = read_state(from, &to);
        if (status == SP_OK) status = replace(scheduler, &to);
    }
    return status;
}
