/* Deferred calls. What a fused run makes on the way (a convolution's sums, before ReLU and pooling) is then never
 * written, unless somebody reads it.
 *
 * A deferred call has settled everything but its values: shape, dtype, errors, modes. It holds its operands. Before one
 * of them is written, the call gets a copy of the old values (sp__before_write), so it may run at any time later. One
 * lock guards all that links calls, operands and readers. It is held for a few instructions, never while values are
 * computed. */
#include "autograd/deferred.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t finished = PTHREAD_COND_INITIALIZER; /* a call was computed, or a hold on it given up */

/* ---- the switch ---- */

static atomic_int wanted; /* 0: not read from the environment yet; 1: on; 2: off */

bool sp__deferral(void)
{
    int now = atomic_load_explicit(&wanted, memory_order_relaxed);
    if (now) return now == 1;
    const char *wish = getenv("SPUSK_FUSION");
    now = wish && !strcmp(wish, "0") ? 2 : 1;
    atomic_store_explicit(&wanted, now, memory_order_relaxed);
    return now == 1;
}

void sp__set_deferral(bool on)
{
    atomic_store(&wanted, on ? 1 : 2);
}

/* ---- links from operands to the calls that have yet to read them; under the lock ---- */

static void link_readers(sp__deferred *d)
{
    for (int i = 0; i < d->n_inputs; i++) {
        if (sp__is_none(d->inputs[i])) continue;
        sp__reader *reader = &d->readers[i], **head = &d->inputs[i]->storage->readers;
        *reader = (sp__reader){d, *head, head};
        if (*head) (*head)->back = &reader->next;
        *head = reader;
    }
}

static void unlink_readers(sp__deferred *d)
{
    for (int i = 0; i < d->n_inputs; i++) {
        sp__reader *reader = &d->readers[i];
        if (!reader->back) continue;
        *reader->back = reader->next;
        if (reader->next) reader->next->back = reader->back;
        reader->back = NULL;
    }
}

/* ---- making and letting go ---- */

static void destroy(sp__deferred *d)
{
    for (int i = 0; i < d->n_inputs; i++)
        if (d->inputs[i] && !sp__is_none(d->inputs[i])) sp__unref(d->inputs[i]);
    sp__unref(d->output);
    sp_free(d, d->size);
}

void sp__deferred_drop(sp__deferred *d)
{
    if (!d) return;
    pthread_mutex_lock(&lock);
    bool last = --d->holds == 0;
    if (last)
        unlink_readers(d);
    else
        pthread_cond_broadcast(&finished);
    pthread_mutex_unlock(&lock);
    if (last) destroy(d);
}

static sp__deferred *deferred_new(const sp_call *call)
{
    size_t size = sizeof(sp__deferred) + call->op->attributes_size;
    sp__deferred *d = sp_alloc(size);
    if (!d) return NULL;
    d->op = call->op;
    d->size = size;
    d->holds = 1;
    d->n_inputs = call->n_inputs;
    if (call->op->attributes_size && call->attributes) memcpy(d + 1, call->attributes, call->op->attributes_size);
    bool whole = (d->output = sp__tensor_alias_unowned(call->outputs[0])) != NULL;
    for (int i = 0; i < d->n_inputs && whole; i++) {
        d->inputs[i] = sp__is_none(call->inputs[i]) ? call->inputs[i] : sp__tensor_alias_unowned(call->inputs[i]);
        whole = d->inputs[i] != NULL;
    }
    if (whole) return d;
    destroy(d);
    return NULL;
}

bool sp__can_defer(const sp_call *call)
{
    if (!sp__deferral() || call->n_outputs != 1 || call->outputs[0]->storage) return false;
    if (call->n_inputs > SP__MOST_DEFERRED_INPUTS) return false;
    for (int i = 0; i < call->n_inputs; i++)
        if (!sp__is_none(call->inputs[i]) && atomic_load(&call->inputs[i]->storage->exposed)) return false;
    return sp__product(call->outputs[0]->ndim, call->outputs[0]->sizes) > 0;
}

sp_status sp__defer(sp_call *call)
{
    sp__deferred *d = deferred_new(call);
    if (!d) return sp_error_status();
    if (sp__tensor_allocate_later(call->outputs[0], d)) {
        destroy(d);
        return sp_error_status();
    }
    pthread_mutex_lock(&lock);
    link_readers(d);
    pthread_mutex_unlock(&lock);
    return SP_OK;
}

/* ---- looking at a deferred call ---- */

static bool is_whole_of(const sp_tensor *x, const sp_tensor *output)
{
    return x->offset == output->offset && x->ndim == output->ndim &&
           !memcmp(x->sizes, output->sizes, (size_t)x->ndim * sizeof *x->sizes) &&
           !memcmp(x->strides, output->strides, (size_t)x->ndim * sizeof *x->strides);
}

sp__deferred *sp__deferred_of(const sp_tensor *x, const sp_op *op)
{
    if (sp__is_none(x) || sp__is_ready(x)) return NULL;
    pthread_mutex_lock(&lock);
    sp__deferred *d = atomic_load(&x->storage->deferred);
    if (d && d->op == op && is_whole_of(x, d->output))
        d->holds++;
    else
        d = NULL;
    pthread_mutex_unlock(&lock);
    return d;
}

sp_call sp__deferred_call(const sp__deferred *d)
{
    return (sp_call){.op = d->op, .inputs = d->inputs, .n_inputs = d->n_inputs, .attributes = d + 1, .n_outputs = 1};
}

/* ---- computing ---- */

static sp_status run(sp__deferred *d, sp__storage *storage)
{
    sp_tensor *out = d->output;
    sp_call call = sp__deferred_call(d);
    void *buffer = storage->backend->alloc(storage->bytes);
    if (!buffer)
        return sp_raise(SP_ERROR_MEMORY, "sp_%s: no memory for a %s tensor of shape %s (%zu bytes)", d->op->name,
                        sp_dtype_name(out->dtype), sp__shape_of(out), storage->bytes);
    sp__storage now = {.backend = storage->backend, .device = storage->device, .bytes = storage->bytes, .refs = 1};
    now.buffer = buffer;
    out->storage = &now; /* the storage itself still says that its values are not there */
    call.outputs[0] = out;
    sp_scope scope = sp_scope_open_no_grad();
    sp_status status = sp__run_forward(&call);
    sp_scope_close(&scope);
    out->storage = NULL;
    if (status)
        storage->backend->free(buffer, storage->bytes);
    else
        storage->buffer = buffer;
    return status;
}

/* The call to compute, which is now this thread's; NULL when another has computed it meanwhile. */
static sp__deferred *claim(sp__storage *storage)
{
    sp__deferred *d;
    pthread_mutex_lock(&lock);
    while ((d = atomic_load(&storage->deferred)) && d->computing) pthread_cond_wait(&finished, &lock);
    if (d) d->computing = true;
    pthread_mutex_unlock(&lock);
    return d;
}

sp_status sp__compute(sp__storage *storage)
{
    sp__deferred *d = claim(storage);
    if (!d) return SP_OK;
    sp_status status = run(d, storage);
    pthread_mutex_lock(&lock);
    d->computing = false;
    if (!status) atomic_store_explicit(&storage->deferred, NULL, memory_order_release);
    pthread_cond_broadcast(&finished);
    pthread_mutex_unlock(&lock);
    if (!status) sp__deferred_drop(d);
    return status;
}

/* ---- before a write ---- */

static sp__storage *copy_of(const sp__storage *storage)
{
    sp__storage *copy = sp__storage_new(storage->device, storage->bytes);
    if (!copy) return NULL;
    const int64_t bytes = (int64_t)storage->bytes;
    sp__map call = {.kind = SP__COPY, .ndim = 1, .sizes = {bytes}, .n_operands = 2};
    call.operands[0] = (sp__operand){.buffer = copy->buffer, .dtype = SP_U8, .strides = {1}};
    call.operands[1] = (sp__operand){.buffer = storage->buffer, .dtype = SP_U8, .strides = {1}};
    if (!bytes || !copy->backend->map(&call)) return copy;
    sp__storage_unref(copy);
    return NULL;
}

/* Whether a thread reads now for one of these calls: it computes the call, or holds it for a fusion. Under the lock. */
static bool is_read_now(const sp__reader *readers)
{
    for (const sp__reader *reader = readers; reader; reader = reader->next)
        if (reader->call->computing || reader->call->holds > 1) return true;
    return false;
}

/* All that have yet to read one storage will read the other; how many. */
static int move_readers(sp__storage *from, sp__storage *to)
{
    int n = 0;
    pthread_mutex_lock(&lock);
    while (is_read_now(from->readers)) pthread_cond_wait(&finished, &lock);
    for (sp__reader *reader = from->readers; reader; reader = reader->next, n++) {
        reader->call->inputs[reader - reader->call->readers]->storage = to;
        sp__storage_ref(to);
    }
    to->readers = from->readers;
    if (to->readers) to->readers->back = &to->readers;
    from->readers = NULL;
    pthread_mutex_unlock(&lock);
    return n;
}

sp_status sp__before_write(sp_tensor *x)
{
    sp__storage *storage = x->storage;
    sp_status status = sp__ready(x);
    pthread_mutex_lock(&lock);
    bool has_readers = storage->readers != NULL;
    pthread_mutex_unlock(&lock);
    if (status || !has_readers) return status;
    sp__storage *copy = copy_of(storage);
    if (!copy)
        return sp_raise(SP_ERROR_MEMORY, "no memory (%zu bytes) for the old values of a tensor of shape %s",
                        storage->bytes, sp__shape_of(x));
    for (int n = move_readers(storage, copy); n > 0; n--) sp__storage_unref(storage);
    sp__storage_unref(copy);
    return SP_OK;
}
