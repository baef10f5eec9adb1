/* Networks with the settings that train them well, and the parts of a recipe by their names. */
#include "names.h"

#include <spusk/train.h>

static const sp_recipe recipes[] = {
    {.name = "mlp",
     .model = "mlp",
     .summary = "Adam, as the lesson's classifier",
     .optimizer = "adam",
     .lr = 1e-3,
     .schedule = "constant",
     .epochs = 10,
     .batch_size = 64,
     .augment = ""},
    {.name = "cnn",
     .model = "cnn",
     .summary = "Adam in one cycle, digits shifted and turned",
     .optimizer = "adam",
     .lr = 3e-3,
     .schedule = "one-cycle",
     .epochs = 10,
     .batch_size = 64,
     .augment = "shift,rotate"},
    {.name = "example",
     .model = "example",
     .summary = "as PyTorch's MNIST example: Adadelta, the rate times 0.7 after each epoch",
     .optimizer = "adadelta",
     .lr = 1,
     .schedule = "exponential",
     .gamma = 0.7,
     .epochs = 14,
     .batch_size = 64,
     .augment = "",
     .mean = 0.1307,
     .std = 0.3081},
    {.name = "fast",
     .model = "cnn",
     .summary = "Adam in one short cycle of large batches",
     .optimizer = "adam",
     .lr = 6e-3,
     .schedule = "one-cycle",
     .epochs = 2,
     .batch_size = 128,
     .augment = "",
     .mixed = true,
     .validation_only = true},
    {.name = "blitz",
     .model = "compact",
     .summary = "Adam in one cycle of one epoch, images normalised",
     .optimizer = "adam",
     .lr = 5e-3,
     .schedule = "one-cycle",
     .epochs = 1,
     .batch_size = 64,
     .augment = "",
     .mean = 0.1307,
     .std = 0.3081,
     .validation_only = true},
    {.name = "logistic",
     .model = "logistic",
     .summary = "Adam, as the lesson's classifier",
     .optimizer = "adam",
     .lr = 1e-3,
     .schedule = "constant",
     .epochs = 10,
     .batch_size = 64,
     .augment = ""},
};
enum { N_RECIPES = sizeof recipes / sizeof *recipes };

const sp_recipe *sp_recipe_at(int i)
{
    return i >= 0 && i < N_RECIPES ? &recipes[i] : NULL;
}

const sp_recipe *sp_recipe_by_name(const char *name)
{
    return sp_recipe_at(sp__row_by_name("sp_recipe_by_name", "recipe", recipes, N_RECIPES, sizeof *recipes, name));
}

/* ---- optimisers ---- */

static const struct {
    const char *name;
    sp_optimizer *(*make)(const sp_list *parameters, const sp_optim_options *options);
} optimizers[] = {
    {"sgd", (sp_optim_sgd)},         {"adagrad", (sp_optim_adagrad)}, {"adadelta", (sp_optim_adadelta)},
    {"rmsprop", (sp_optim_rmsprop)}, {"adam", (sp_optim_adam)},       {"adamw", (sp_optim_adamw)},
    {"adamax", (sp_optim_adamax)},   {"nadam", (sp_optim_nadam)},
};
enum { N_OPTIMIZERS = sizeof optimizers / sizeof *optimizers };

sp_optimizer *(sp_optim_by_name)(const char *name, const sp_list *parameters, const sp_optim_options *options)
{
    const int i = sp__row_by_name("sp_optim_by_name", "optimiser", optimizers, N_OPTIMIZERS, sizeof *optimizers, name);
    return i >= 0 ? optimizers[i].make(parameters, options) : NULL;
}

/* ---- schedules, stepped after each batch ---- */

/* Only these have a momentum that a cycle can move. */
static bool has_betas(const sp_optimizer *optimizer)
{
    const char *name = sp_optimizer_name(optimizer);
    return strncmp(name, "Adam", 4) == 0 || strcmp(name, "NAdam") == 0;
}

sp_scheduler *sp_schedule_by_name(const char *name, sp_optimizer *optimizer, double gamma, int64_t epochs,
                                  int64_t steps)
{
    if (!name || !optimizer) return sp_raise_null("sp_schedule_by_name", name ? "optimizer" : "name"), NULL;
    if (epochs < 1 || steps < 1) {
        sp_raise(SP_ERROR_ARGUMENT, "sp_schedule_by_name: epochs and steps must be at least 1, got %lld, %lld",
                 (long long)epochs, (long long)steps);
        return NULL;
    }
    if (epochs > INT64_MAX / steps) {
        sp_raise(SP_ERROR_ARGUMENT, "sp_schedule_by_name: %lld epochs of %lld steps are more than can be counted",
                 (long long)epochs, (long long)steps);
        return NULL;
    }
    if (strcmp(name, "constant") == 0) return sp_lr_scheduler_exponential_lr(optimizer, 1);
    if (strcmp(name, "exponential") == 0) return sp_lr_scheduler_step_lr(optimizer, steps, .gamma = sp_exactly(gamma));
    if (strcmp(name, "one-cycle") == 0)
        return sp_lr_scheduler_one_cycle_lr(optimizer, sp_lr(optimizer, 0), epochs * steps,
                                            .keep_momentum = !has_betas(optimizer));
    sp_raise(SP_ERROR_NOT_FOUND,
             "sp_schedule_by_name: there is no schedule \"%s\"; there are: constant, exponential, one-cycle", name);
    return NULL;
}

/* ---- augmentation ---- */

static sp_transform *new_shift(void)
{
    return sp_transform_shift(2);
}

static sp_transform *new_rotate(void)
{
    return sp_transform_rotate(10);
}

static sp_transform *new_elastic(void)
{
    return sp_transform_elastic(34, 4);
}

static const struct {
    const char *name;
    sp_transform *(*make)(void);
} distortions[] = {{"shift", new_shift}, {"rotate", new_rotate}, {"elastic", new_elastic}};
enum { N_DISTORTIONS = sizeof distortions / sizeof *distortions };

static sp_transform *distortion(const char *name, size_t length)
{
    char names[64];
    const int i = sp_name_find(distortions, N_DISTORTIONS, sizeof *distortions, name, length, names, sizeof names);
    if (i >= 0) return distortions[i].make();
    sp_raise(SP_ERROR_NOT_FOUND, "sp_transform_by_name: there is no distortion \"%.*s\"; there are: %s", (int)length,
             name, names);
    return NULL;
}

sp_transform *sp_transform_by_name(const char *list)
{
    enum { MOST = 16 };
    sp_transform *parts[MOST + 1];
    int n = 0;
    if (!list) return sp_raise_null("sp_transform_by_name", "list"), NULL;
    for (const char *at = list; *at;) {
        const size_t length = strcspn(at, ",");
        if (n == MOST) return sp_raise(SP_ERROR_ARGUMENT, "sp_transform_by_name: more than %d distortions", MOST), NULL;
        if (!(parts[n++] = distortion(at, length))) return NULL;
        at += length;
        if (*at == ',') at++;
    }
    parts[n] = sp_last_transform_;
    return sp_transform_compose_until(parts);
}
