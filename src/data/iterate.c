/* Runs through a loader, for sp_foreach_batch. */
#include "data_private.h"

/* ---- making a batch ---- */

/* The numbers of the examples of batch k. *scratch must be given back where it is not NULL. */
static const int64_t *examples_of(const sp__iterator *it, int64_t k, int64_t n, int64_t **scratch)
{
    int64_t first = k * it->batch_size;
    if (it->order) return it->order + first;
    *scratch = sp_alloc(sp_size_bytes(n, sizeof **scratch));
    for (int64_t i = 0; *scratch && i < n; i++) (*scratch)[i] = first + i;
    return *scratch;
}

/* Examples draw from streams of their own. Afterwards the thread's generator goes on as if nothing had been drawn. */
sp_example sp__iterator_make(const sp__iterator *it, int64_t k)
{
    int64_t left = it->n_examples - k * it->batch_size, n = left < it->batch_size ? left : it->batch_size;
    int64_t *scratch = NULL;
    const int64_t *index = examples_of(it, k, n, &scratch);
    if (!index) return (sp_example){NULL, NULL};
    sp_generator *generator = sp_default_generator();
    uint64_t seed = sp_generator_initial_seed(generator), position = sp_generator_position(generator);
    sp_example batch = sp__data_batch(it->loader->dataset, index, n, &it->draws);
    sp_generator_manual_seed(generator, seed);
    sp_generator_set_position(generator, position);
    if (scratch) sp_free(scratch, sp_size_bytes(n, sizeof *scratch));
    return batch;
}

/* ---- beginning and end ---- */

static void iterator_free(sp__iterator *it)
{
    sp__workers_stop(it->workers);
    if (it->order) sp_free(it->order, sp_size_bytes(it->n_examples, sizeof *it->order));
    sp_drop(it->loader);
    sp_free(it, sizeof *it);
}

static sp_status start(sp__iterator *it)
{
    const sp_loader_options *o = &it->loader->options;
    it->n_examples = sp_data_length(it->loader->dataset);
    it->batch_size = o->batch_size;
    it->n_batches = sp__batches(it->n_examples, o->batch_size, o->drop_last);
    it->draws = (sp__draws){o->seed, it->loader->epoch};
    it->loader->epoch = sp_size_add(it->loader->epoch, 1);
    if (o->shuffle && it->n_batches) {
        it->order = sp__shuffled(it->n_examples, o->seed, it->draws.epoch);
        if (!it->order) return sp_error_status();
    }
    int threads = o->num_workers < it->n_batches ? o->num_workers : (int)it->n_batches;
    if (!threads) return SP_OK;
    it->workers = sp__workers_start(it, threads, o->prefetch);
    return it->workers ? SP_OK : sp_error_status();
}

static sp__iterator *iterator_new(sp_loader *loader)
{
    sp__iterator *it = sp_alloc(sizeof *it);
    if (!it) return NULL;
    it->loader = sp_retain(loader);
    if (!start(it)) return it;
    iterator_free(it);
    return NULL;
}

/* ---- the loop ---- */

void sp_batch_end(sp_batch *batch)
{
    if (!batch || !batch->iterator) return;
    sp_scope_close(&batch->scope);
    iterator_free(batch->iterator);
    batch->iterator = NULL;
    batch->x = batch->y = NULL;
}

/* Opens the scope of the next iteration and fills it; at the end, and after an error, there is no x. */
static void deliver(sp_batch *batch)
{
    sp__iterator *it = batch->iterator;
    batch->scope = sp_scope_open();
    sp_example e = {NULL, NULL};
    if (it->next < it->n_batches)
        e = it->workers ? sp__workers_take(it->workers, it->next) : sp__iterator_make(it, it->next);
    if (!e.x || !e.y) {
        sp_batch_end(batch);
        return;
    }
    batch->x = e.x;
    batch->y = e.y;
    batch->index = it->next++;
}

sp_batch sp_batch_first(sp_loader *loader)
{
    sp_batch batch = {0};
    if (sp__loader_check(loader, "sp_foreach_batch")) return batch;
    batch.iterator = iterator_new(loader);
    if (batch.iterator) deliver(&batch);
    return batch;
}

void sp_batch_next(sp_batch *batch)
{
    if (!batch || !batch->iterator) {
        if (batch) batch->x = batch->y = NULL;
        return;
    }
    sp_scope_close(&batch->scope);
    batch->x = batch->y = NULL;
    deliver(batch);
}
