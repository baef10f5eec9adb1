/* Loaders: their options and questions. */
#include "data_private.h"

enum { MOST_WORKERS = 256, MOST_PREFETCH = 1024 };

static void loader_destroy(void *object)
{
    sp_drop(((sp_loader *)object)->dataset);
}

static const sp_kind loader_kind = {"loader", loader_destroy};

sp_status sp__loader_check(const sp_loader *loader, const char *function)
{
    return sp__data_argument(loader, &loader_kind, function, "loader", loader_kind.name);
}

/* ---- options ---- */

static sp_status check_batch_size(int64_t batch_size, const char *function)
{
    if (batch_size >= 1) return SP_OK;
    return sp_raise(SP_ERROR_ARGUMENT, "%s: batch_size must be at least 1, got %lld", function, (long long)batch_size);
}

/* Puts in the defaults and checks the rest. */
static sp_status settle(sp_loader_options *o)
{
    o->batch_size = sp_option_int(o->batch_size, 1);
    o->prefetch = (int)sp_option_int(o->prefetch, 2);
    o->num_workers = (int)sp_option_int(o->num_workers, 0);
    if (check_batch_size(o->batch_size, "sp_data_loader")) return SP_ERROR_ARGUMENT;
    if (o->num_workers < 0 || o->num_workers > MOST_WORKERS) {
        return sp_raise(SP_ERROR_ARGUMENT, "sp_data_loader: num_workers must be 0 to %d, got %d", MOST_WORKERS,
                        o->num_workers);
    }
    if (o->prefetch >= 1 && o->prefetch <= MOST_PREFETCH) return SP_OK;
    return sp_raise(SP_ERROR_ARGUMENT, "sp_data_loader: prefetch must be 1 to %d, got %d", MOST_PREFETCH, o->prefetch);
}

/* A seed that was not given comes from the thread's generator, so that sp_manual_seed decides it. */
static uint64_t choose_seed(uint64_t seed)
{
    if (seed) return sp__data_seed(seed);
    uint64_t high = sp_generator_u32(sp_default_generator());
    return high << 32 | sp_generator_u32(sp_default_generator());
}

sp_loader *(sp_data_loader)(sp_dataset *dataset, const sp_loader_options *given)
{
    sp_loader_options options;
    sp_options_copy(&options, sizeof options, given);
    if (sp__dataset_check(dataset, "sp_data_loader") || settle(&options)) return NULL;
    sp_loader *loader = sp_object_new(&loader_kind, sizeof *loader);
    if (!loader) return NULL;
    loader->dataset = sp_retain(dataset);
    loader->options = options;
    loader->options.seed = choose_seed(options.seed);
    return loader;
}

/* ---- questions ---- */

int64_t sp__batches(int64_t examples, int64_t batch_size, bool drop_last)
{
    return examples / batch_size + (examples % batch_size && !drop_last);
}

int64_t sp_loader_length(const sp_loader *loader)
{
    if (sp__loader_check(loader, "sp_loader_length")) return 0;
    return sp__batches(sp_data_length(loader->dataset), loader->options.batch_size, loader->options.drop_last);
}

sp_dataset *sp_loader_dataset(const sp_loader *loader)
{
    return sp__loader_check(loader, "sp_loader_dataset") ? NULL : loader->dataset;
}

int64_t sp_loader_epoch(const sp_loader *loader)
{
    if (sp__loader_check(loader, "sp_loader_epoch")) return 0;
    return loader->epoch;
}

sp_status sp_loader_set_epoch(sp_loader *loader, int64_t epoch)
{
    sp_status status = sp__loader_check(loader, "sp_loader_set_epoch");
    if (status) return status;
    if (epoch < 0)
        return sp_raise(SP_ERROR_ARGUMENT, "sp_loader_set_epoch: epoch must not be negative, got %lld",
                        (long long)epoch);
    loader->epoch = epoch;
    return SP_OK;
}

int64_t sp_loader_batch_size(const sp_loader *loader)
{
    return sp__loader_check(loader, "sp_loader_batch_size") == SP_OK ? loader->options.batch_size : 0;
}

sp_status sp_loader_set_batch_size(sp_loader *loader, int64_t batch_size)
{
    sp_status status = sp__loader_check(loader, "sp_loader_set_batch_size");
    if (!status) status = check_batch_size(batch_size, "sp_loader_set_batch_size");
    if (!status) loader->options.batch_size = batch_size;
    return status;
}
