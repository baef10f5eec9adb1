/* A file that holds the state of a training: "model.0.weight", "optimizer.0.exp_avg", "scheduler.last_epoch", and
 * "training", which holds the epochs and the seed and position of the default generator, as i64 bit by bit. */
#include <spusk/extend.h>
#include <spusk/train.h>
#include <stdio.h>

/* Adds a tensor as "prefix.name"; names of deep networks are long. */
static sp_status add(sp_dict *all, const char *prefix, const char *name, sp_tensor *x)
{
    const size_t size = strlen(prefix) + strlen(name) + 2;
    char *whole = sp_alloc(size);
    if (!whole) return SP_ERROR_MEMORY;
    snprintf(whole, size, "%s.%s", prefix, name);
    const sp_status status = sp_dict_set(all, whole, x);
    sp_free(whole, size);
    return status;
}

static sp_status add_all(sp_dict *all, const char *prefix, const sp_dict *part)
{
    sp_status status = part ? SP_OK : sp_error_status();
    for (int64_t i = 0; i < sp_dict_length(part) && !status; i++)
        status = add(all, prefix, sp_dict_name(part, i), sp_dict_get(part, i));
    return status;
}

static sp_tensor *training_state(int64_t epoch)
{
    const sp_generator *generator = sp_default_generator();
    return sp_vector_i64(epoch, (int64_t)sp_generator_initial_seed(generator),
                         (int64_t)sp_generator_position(generator));
}

static sp_status check_parts(const char *function, const char *path, const sp_module *model,
                             const sp_optimizer *optimizer, const sp_scheduler *scheduler)
{
    const char *missing = !path        ? "path"
                          : !model     ? "model"
                          : !optimizer ? "optimizer"
                          : !scheduler ? "scheduler"
                                       : NULL;
    return missing ? sp_raise_null(function, missing) : SP_OK;
}

/* More epochs than any training has. A larger number comes from a damaged file. */
enum { MOST_EPOCHS = 1000000000 };

static sp_status check_epoch(const char *function, const char *path, int64_t epoch)
{
    if (epoch >= 0 && epoch <= MOST_EPOCHS) return SP_OK;
    return sp_raise(SP_ERROR_ARGUMENT, "%s: %s: epoch %lld; it can be 0 to %d", function, path, (long long)epoch,
                    MOST_EPOCHS);
}

sp_status sp_save_checkpoint(const sp_module *model, const sp_optimizer *optimizer, const sp_scheduler *scheduler,
                             int64_t epoch, const char *path)
{
    return sp_save_checkpoint_with(model, optimizer, scheduler, epoch, path, NULL);
}

sp_status sp_save_checkpoint_with(const sp_module *model, const sp_optimizer *optimizer, const sp_scheduler *scheduler,
                                  int64_t epoch, const char *path, const char *const *metadata)
{
    sp_status status = check_parts("sp_save_checkpoint", path, model, optimizer, scheduler);
    if (!status) status = check_epoch("sp_save_checkpoint", path, epoch);
    if (status) return status;
    SP_SCOPE {
        sp_dict *all = sp_dict_new();
        status = all ? add_all(all, "model", sp_state_dict(model)) : sp_error_status();
        if (!status) status = add_all(all, "optimizer", sp_optimizer_state_dict(optimizer));
        if (!status) status = add_all(all, "scheduler", sp_scheduler_state_dict(scheduler));
        if (!status) status = sp_dict_set(all, "training", training_state(epoch));
        if (!status) status = sp_save_tensors(all, path, metadata);
    }
    return status;
}

/* The tensors whose names begin with "prefix.", without it. */
static sp_dict *part_of(const sp_dict *all, const char *prefix)
{
    const size_t length = strlen(prefix);
    sp_dict *part = sp_dict_new();
    for (int64_t i = 0; part && i < sp_dict_length(all); i++) {
        const char *name = sp_dict_name(all, i);
        if (strncmp(name, prefix, length) != 0 || name[length] != '.') continue;
        if (sp_dict_set(part, name + length + 1, sp_dict_get(all, i))) return NULL;
    }
    return part;
}

/* Copies of tensors, to go back to. */
static sp_dict *copy_of(const sp_dict *state)
{
    sp_dict *copy = state ? sp_dict_new() : NULL;
    for (int64_t i = 0; copy && i < sp_dict_length(state); i++)
        if (sp_dict_set(copy, sp_dict_name(state, i), sp_clone(sp_dict_get(state, i)))) return NULL;
    return copy;
}

/* Changes one part after the other. If one fails, those that were changed before go back. */
static sp_status load_parts(const sp_dict *all, sp_module *model, sp_optimizer *optimizer, sp_scheduler *scheduler)
{
    const sp_dict *weights = part_of(all, "model"), *state = part_of(all, "optimizer");
    const sp_dict *schedule = part_of(all, "scheduler");
    const sp_dict *old_weights = copy_of(sp_state_dict(model)),
                  *old_state = copy_of(sp_optimizer_state_dict(optimizer));
    if (!weights || !state || !schedule || !old_weights || !old_state) return sp_error_status();
    sp_status status = sp_load_state_dict(model, weights);
    if (status) return status;
    status = sp_optimizer_load_state_dict(optimizer, state);
    if (!status) {
        status = sp_scheduler_load_state_dict(scheduler, schedule);
        if (!status) return SP_OK;
        sp_optimizer_load_state_dict(optimizer, old_state);
    }
    sp_load_state_dict(model, old_weights);
    return status;
}

static int64_t put_back(const sp_dict *all, const char *path, sp_module *model, sp_optimizer *optimizer,
                        sp_scheduler *scheduler)
{
    sp_tensor *training = sp_dict_find(all, "training");
    if (!training || sp_dtype_of(training) != SP_I64 || sp_numel(training) != 3) {
        sp_raise(SP_ERROR_FORMAT, "sp_load_checkpoint: %s is not a checkpoint", path);
        return -1;
    }
    const int64_t *numbers = sp_const_data(training);
    if (!numbers || check_epoch("sp_load_checkpoint", path, numbers[0])) return -1;
    if (load_parts(all, model, optimizer, scheduler)) return -1;
    sp_manual_seed((uint64_t)numbers[1]);
    return sp_generator_set_position(sp_default_generator(), (uint64_t)numbers[2]) ? -1 : numbers[0];
}

int64_t sp_load_checkpoint(sp_module *model, sp_optimizer *optimizer, sp_scheduler *scheduler, const char *path)
{
    int64_t epoch = -1;
    if (check_parts("sp_load_checkpoint", path, model, optimizer, scheduler)) return -1;
    SP_NO_GRAD {
        const sp_dict *all = sp_load_tensors(path);
        if (all) epoch = put_back(all, path, model, optimizer, scheduler);
    }
    return epoch;
}
