/* Examples put together to a batch, one by one: the way that works for every data set. */
#include "data_private.h"

#include <stdio.h>

/* A batch in the making: its tensors, and where their bytes are. */
typedef struct part {
    sp_tensor *tensor;
    char *bytes;
    size_t each; /* bytes of one example */
} part;

typedef struct collation {
    int64_t n;
    part x, y;
} collation;

/* The stream of random numbers for one example: Philox of the example and the epoch under the loader's seed. */
static void seed_example(const sp__draws *draws, int64_t example)
{
    uint64_t i = (uint64_t)example, epoch = (uint64_t)draws->epoch;
    const uint32_t counter[4] = {(uint32_t)i, (uint32_t)(i >> 32), (uint32_t)epoch, (uint32_t)(epoch >> 32)};
    const uint32_t key[2] = {(uint32_t)draws->seed, (uint32_t)(draws->seed >> 32)};
    uint32_t words[4];
    sp_philox(words, counter, key);
    sp_generator_manual_seed(sp_default_generator(), (uint64_t)words[0] << 32 | words[1]);
}

/* Room for n of what the first example has. It belongs to the scope around that of the example. */
static sp_status make_room(part *to, const sp_tensor *first, int64_t n)
{
    int64_t sizes[SP_MAX_DIMS + 1] = {n};
    int ndim = sp_ndim(first);
    for (int d = 0; d < ndim; d++) sizes[d + 1] = sp_size(first, d);
    to->tensor = sp_escape(sp_empty(((sp_dims){sizes, ndim + 1}), .dtype = sp_dtype_of(first)));
    if (!to->tensor) return sp_error_status();
    to->bytes = sp_data(to->tensor);
    to->each = (size_t)sp_numel(first) * sp_dtype_size(sp_dtype_of(first));
    return SP_OK;
}

static void shape_text(const sp_tensor *x, int from, char *text, size_t size)
{
    size_t length = (size_t)snprintf(text, size, "%s (", sp_dtype_name(sp_dtype_of(x)));
    for (int d = from; d < sp_ndim(x) && length < size; d++) {
        length += (size_t)snprintf(text + length, size - length, "%s%lld", d > from ? ", " : "",
                                   (long long)sp_size(x, d));
    }
    if (length < size) snprintf(text + length, size - length, ")");
}

/* Whether an example is like those before it. */
static sp_status check_like(const part *to, const sp_tensor *x, const char *name)
{
    bool same = sp_ndim(x) + 1 == sp_ndim(to->tensor) && sp_dtype_of(x) == sp_dtype_of(to->tensor);
    for (int d = 0; same && d < sp_ndim(x); d++) same = sp_size(x, d) == sp_size(to->tensor, d + 1);
    if (same) return SP_OK;
    char got[160], wanted[160];
    shape_text(x, 0, got, sizeof got);
    shape_text(to->tensor, 1, wanted, sizeof wanted);
    return sp_raise(SP_ERROR_SHAPE, "%s is %s, and those before it in the batch are %s", name, got, wanted);
}

static sp_status put(part *to, sp_tensor *value, int64_t i, int64_t n, const char *name)
{
    if (!i && value == SP_NONE) {
        to->tensor = SP_NONE;
        return SP_OK;
    }
    if (!i && make_room(to, value, n)) return sp_error_status();
    if ((to->tensor == SP_NONE) != (value == SP_NONE))
        return sp_raise(SP_ERROR_SHAPE, "%s is there in some examples of the batch, and not in others", name);
    if (value == SP_NONE) return SP_OK;
    sp_status status = check_like(to, value, name);
    return status ? status : sp_copy_out(to->bytes + (size_t)i * to->each, value, to->each);
}

/* Makes an example in a scope of its own and copies it to place i. */
static sp_status add(collation *batch, sp_dataset *dataset, int64_t example, int64_t i)
{
    char name[48];
    snprintf(name, sizeof name, "example %lld", (long long)example);
    sp_error_frame frame;
    sp_error_enter(&frame, name, NULL);
    sp_scope scope = sp_scope_open_no_grad();
    sp_example e = dataset->type->get(dataset, example);
    sp_status status;
    if (!e.x || !e.y) {
        status = sp_raise(SP_ERROR_NULL, "the data set returned NULL, though no error is pending");
    } else {
        status = put(&batch->x, e.x, i, batch->n, "x");
        if (!status) status = put(&batch->y, e.y, i, batch->n, "y");
    }
    sp_scope_close(&scope);
    sp_error_leave(&frame);
    return status;
}

static void give_up(part *p)
{
    if (sp__is_tensor(p->tensor)) sp_release(p->tensor);
}

sp_example sp__data_collate(sp_dataset *dataset, const int64_t *index, int64_t n, const sp__draws *draws)
{
    collation batch = {.n = n};
    for (int64_t i = 0; i < n; i++) {
        if (draws) seed_example(draws, index[i]);
        if (!add(&batch, dataset, index[i], i)) continue;
        give_up(&batch.x);
        give_up(&batch.y);
        return (sp_example){NULL, NULL};
    }
    if (sp__is_tensor(batch.x.tensor)) sp_data_end(batch.x.tensor);
    return (sp_example){batch.x.tensor, batch.y.tensor};
}

sp_example sp__data_batch(sp_dataset *dataset, const int64_t *index, int64_t n, const sp__draws *draws)
{
    if (dataset->type->batch) return dataset->type->batch(dataset, index, n, draws);
    return sp__data_collate(dataset, index, n, draws);
}
