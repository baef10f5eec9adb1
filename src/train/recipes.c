/* Networks with the settings that train them well, and the parts of a recipe by their names. */
#include <spusk/extend.h>
#include <spusk/train.h>
#include <stdio.h>

static const sp_recipe recipes[] = {
    {"mlp", "mlp", "Adam, as the lesson's classifier", "adam", 1e-3, "constant", 0, 10, 64, "", 0, 0, false},
    {"cnn", "cnn", "Adam in one cycle, digits shifted and turned", "adam", 3e-3, "one-cycle", 0, 10, 64, "shift,rotate",
     0, 0, false},
    {"example", "example", "as PyTorch's MNIST example: Adadelta, the rate times 0.7 after each epoch", "adadelta", 1,
     "exponential", 0.7, 14, 64, "", 0.1307, 0.3081, false},
    {"fast", "cnn", "Adam in one short cycle of large batches", "adam", 6e-3, "one-cycle", 0, 2, 128, "", 0, 0, true},
    {"logistic", "logistic", "Adam, as the lesson's classifier", "adam", 1e-3, "constant", 0, 10, 64, "", 0, 0, false},
};
enum { N_RECIPES = sizeof recipes / sizeof *recipes };

const sp_recipe *sp_recipe_at(int i)
{
    return i >= 0 && i < N_RECIPES ? &recipes[i] : NULL;
}

/* "a, b, c" from a table of names. */
#define LIST_NAMES(text, table, n, field)                                                                              \
    do {                                                                                                               \
        size_t used_ = 0;                                                                                              \
        for (int i_ = 0; i_ < (n); i_++)                                                                               \
            used_ += (size_t)snprintf((text) + used_, sizeof(text) - used_, "%s%s", i_ ? ", " : "",                    \
                                      (table)[i_].field);                                                              \
    } while (0)

const sp_recipe *sp_recipe_by_name(const char *name)
{
    char names[128] = "";
    if (!name) return sp_raise_null("sp_recipe_by_name", "name"), NULL;
    for (int i = 0; i < N_RECIPES; i++)
        if (strcmp(recipes[i].name, name) == 0) return &recipes[i];
    LIST_NAMES(names, recipes, N_RECIPES, name);
    sp_raise(SP_ERROR_NOT_FOUND, "sp_recipe_by_name: there is no recipe \"%s\"; there are: %s", name, names);
    return NULL;
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
    char names[128] = "";
    if (!name) return sp_raise_null("sp_optim_by_name", "name"), NULL;
    for (int i = 0; i < N_OPTIMIZERS; i++)
        if (strcmp(optimizers[i].name, name) == 0) return optimizers[i].make(parameters, options);
    LIST_NAMES(names, optimizers, N_OPTIMIZERS, name);
    sp_raise(SP_ERROR_NOT_FOUND, "sp_optim_by_name: there is no optimiser \"%s\"; there are: %s", name, names);
    return NULL;
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
    for (int i = 0; i < N_DISTORTIONS; i++)
        if (strlen(distortions[i].name) == length && strncmp(distortions[i].name, name, length) == 0)
            return distortions[i].make();
    sp_raise(SP_ERROR_NOT_FOUND,
             "sp_transform_by_name: there is no distortion \"%.*s\"; there are: shift, rotate, elastic", (int)length,
             name);
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
