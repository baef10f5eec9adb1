/* A larger batch in the place of a smaller learning rate. */
#include <math.h>
#include <spusk/extend.h>
#include <spusk/optim.h>

struct sp_batch_scheduler {
    sp_loader *loader;
    sp_optimizer *optimizer;
    int64_t *milestones;
    int n_milestones;
    int64_t epoch, max_batch_size;
    double factor;
};

static void destroy(void *object)
{
    sp_batch_scheduler *s = object;
    sp_drop(s->loader);
    sp_drop(s->optimizer);
    if (s->milestones) sp_free(s->milestones, (size_t)s->n_milestones * sizeof *s->milestones);
}

static const sp_kind kind = {"batch scheduler", destroy};

static sp_status check(const sp_loader *loader, const sp_optimizer *optimizer, sp_dims milestones, double factor,
                       int64_t max_batch_size)
{
    const char *function = "sp_batch_multi_step";
    if (!loader || !optimizer) return sp_raise_null(function, loader ? "optimizer" : "loader");
    if (milestones.n < 0 || (milestones.n > 0 && !milestones.data)) return sp_raise_null(function, "milestones");
    if (sp_loader_batch_size(loader) < 1 || sp_num_param_groups(optimizer) < 1) return sp_error_status();
    if (!(factor >= 1 && isfinite(factor)))
        return sp_raise(SP_ERROR_ARGUMENT, "%s: factor must be at least 1, got %g", function, factor);
    if (max_batch_size < 1)
        return sp_raise(SP_ERROR_ARGUMENT, "%s: max_batch_size must be at least 1, got %lld", function,
                        (long long)max_batch_size);
    return SP_OK;
}

static sp_status fill(sp_batch_scheduler *s, sp_loader *loader, sp_optimizer *optimizer, sp_dims milestones)
{
    s->loader = sp_retain(loader);
    s->optimizer = sp_retain(optimizer);
    if (milestones.n == 0) return SP_OK;
    size_t bytes = (size_t)milestones.n * sizeof *s->milestones;
    s->milestones = sp_alloc(bytes);
    if (!s->milestones) return sp_error_status();
    s->n_milestones = milestones.n;
    memcpy(s->milestones, milestones.data, bytes);
    return SP_OK;
}

sp_batch_scheduler *(sp_batch_multi_step)(sp_loader *loader, sp_optimizer *optimizer, sp_dims milestones,
                                          const sp_batch_scheduler_options *given)
{
    sp_batch_scheduler_options options;
    sp_options_copy(&options, sizeof options, given);
    double factor = sp_option(options.factor, 5);
    int64_t most = options.max_batch_size;
    if (loader && most == 0) {
        most = sp_data_length(sp_loader_dataset(loader)) / 10;
        if (most < sp_loader_batch_size(loader)) most = sp_loader_batch_size(loader);
    }
    if (check(loader, optimizer, milestones, factor, most) != SP_OK) return NULL;
    sp_batch_scheduler *s = sp_object_new(&kind, sizeof *s);
    if (!s) return NULL;
    s->factor = factor;
    s->max_batch_size = most;
    if (fill(s, loader, optimizer, milestones) == SP_OK) return s;
    sp_release(s);
    return NULL;
}

/* What the batch cannot grow by is left to the rate. */
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
    scheduler->epoch++;
    for (int i = 0; i < scheduler->n_milestones && status == SP_OK; i++)
        if (scheduler->milestones[i] == scheduler->epoch) status = grow(scheduler);
    return status;
}
