/* Calls that wait until somebody reads their values. What a fused kernel makes on the way (a convolution's sums, before
 * ReLU and pooling) is then never written, unless it is looked at.
 *
 * A waiting call has settled everything but its values: shape, dtype, errors, modes. It holds its operands; before one
 * of them is written, it gets a copy of the old values (sp__before_write), so it may wait however long. One lock guards
 * all that links calls, operands and readers; it is held for a few instructions, never while values are computed. */
#include "tensor/tensor.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t finished = PTHREAD_COND_INITIALIZER;

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

/* ---- links from operands to the calls that wait for them; under the lock ---- */

static void link_waits(sp__deferred *d)
{
    for (int i = 0; i < d->n_inputs; i++) {
        if (sp__is_none(d->inputs[i])) continue;
        sp__wait *wait = &d->waits[i], **head = &d->inputs[i]->storage->waits;
        *wait = (sp__wait){d, *head, head};
        if (*head) (*head)->back = &wait->next;
        *head = wait;
    }
}

static void unlink_waits(sp__deferred *d)
{
    for (int i = 0; i < d->n_inputs; i++) {
        sp__wait *wait = &d->waits[i];
        if (!wait->back) continue;
        *wait->back = wait->next;
        if (wait->next) wait->next->back = wait->back;
        wait->back = NULL;
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
    if (last) unlink_waits(d);
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

/* A pointer that a program has to an operand may be written through at any time, unseen. */
static bool may_wait(const sp_call *call)
{
    if (!call->op->waits || !sp__deferral() || call->n_outputs != 1 || call->outputs[0]->storage) return false;
    if (call->n_inputs > SP__MOST_WAITED) return false;
    for (int i = 0; i < call->n_inputs; i++)
        if (!sp__is_none(call->inputs[i]) && atomic_load(&call->inputs[i]->storage->exposed)) return false;
    return sp__product(call->outputs[0]->ndim, call->outputs[0]->sizes) > 0 && call->op->waits(call);
}

sp_status sp__defer(sp_call *call, bool *waits)
{
    *waits = may_wait(call);
    if (!*waits) return SP_OK;
    sp_status status = call->op->reads_waiting ? SP_OK : sp__ready_all(call->inputs, call->n_inputs);
    sp__deferred *d = status ? NULL : deferred_new(call);
    if (!d) return sp_error_status();
    if (sp__tensor_allocate_later(call->outputs[0], d)) {
        destroy(d);
        return sp_error_status();
    }
    pthread_mutex_lock(&lock);
    link_waits(d);
    pthread_mutex_unlock(&lock);
    return SP_OK;
}

/* ---- looking at what waits ---- */

static bool is_whole_of(const sp_tensor *x, const sp_tensor *output)
{
    return x->offset == output->offset && x->ndim == output->ndim &&
           !memcmp(x->sizes, output->sizes, (size_t)x->ndim * sizeof *x->sizes) &&
           !memcmp(x->strides, output->strides, (size_t)x->ndim * sizeof *x->strides);
}

sp__deferred *sp__waiting(const sp_tensor *x, const sp_op *op)
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

/* ---- computing ---- */

static sp_status run(sp__deferred *d, sp__storage *storage)
{
    sp_tensor *out = d->output;
    sp_call call = {.op = d->op, .inputs = d->inputs, .n_inputs = d->n_inputs, .attributes = d + 1, .n_outputs = 1};
    void *buffer = storage->backend->alloc(storage->bytes);
    if (!buffer)
        return sp_raise(SP_ERROR_MEMORY, "sp_%s: no memory for a %s tensor of shape %s (%zu bytes)", d->op->name,
                        sp_dtype_name(out->dtype), sp__shape_of(out), storage->bytes);
    sp__storage now = {.backend = storage->backend, .device = storage->device, .bytes = storage->bytes, .refs = 1};
    now.buffer = buffer;
    out->storage = &now; /* the storage itself still says that its values are not there */
    call.outputs[0] = out;
    sp_scope scope = sp_scope_open_no_grad();
    sp_status status = d->op->reads_waiting ? SP_OK : sp__ready_all(d->inputs, d->n_inputs);
    if (!status) status = d->op->forward(&call);
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

sp_status sp__ready_all(sp_tensor *const *inputs, int n)
{
    sp_status status = SP_OK;
    for (int i = 0; i < n && !status; i++)
        if (!sp__is_none(inputs[i])) status = sp__ready(inputs[i]);
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

/* All that wait for the storage wait for its copy now; how many. */
static int move_waits(sp__storage *from, sp__storage *to)
{
    int n = 0;
    pthread_mutex_lock(&lock);
    for (sp__wait *wait = from->waits; wait; wait = wait->next, n++) {
        wait->call->inputs[wait - wait->call->waits]->storage = to;
        sp__storage_ref(to);
    }
    to->waits = from->waits;
    if (to->waits) to->waits->back = &to->waits;
    from->waits = NULL;
    pthread_mutex_unlock(&lock);
    return n;
}

sp_status sp__before_write(sp_tensor *x)
{
    sp__storage *storage = x->storage;
    sp_status status = sp__ready(x);
    pthread_mutex_lock(&lock);
    bool waited = storage->waits != NULL;
    pthread_mutex_unlock(&lock);
    if (status || !waited) return status;
    sp__storage *copy = copy_of(storage);
    if (!copy)
        return sp_raise(SP_ERROR_MEMORY, "no memory (%zu bytes) for the old values of a tensor of shape %s",
                        storage->bytes, sp__shape_of(x));
    for (int n = move_waits(storage, copy); n > 0; n--) sp__storage_unref(storage);
    sp__storage_unref(copy);
    return SP_OK;
}
