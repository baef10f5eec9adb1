/* Threads that make batches ahead. They take the numbers of batches in order and put each batch into its slot of a
 * ring. The loop takes the batches out in order, so it sees what it would have made itself. */
#include "data_private.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>

typedef struct slot {
    bool full;
    sp_example batch; /* kept: no scope owns it; both NULL after an error */
    sp_status status;
    char message[1024];
} slot;

typedef struct sp__workers {
    const sp__iterator *iterator;
    pthread_mutex_t mutex; /* of all that follows */
    pthread_cond_t filled, emptied;
    int64_t claimed; /* batches that some thread makes or has made */
    int64_t taken;   /* batches that the loop has had */
    bool stop;
    slot *slots;
    int n_slots;
    pthread_t *threads;
    int n_threads, max_threads;
} sp__workers;

/* ---- in a worker ---- */

/* Waits until there is room for a batch, and returns the number of the next one to make; -1 for none. */
static int64_t claim(sp__workers *w)
{
    pthread_mutex_lock(&w->mutex);
    while (!w->stop && w->claimed < w->iterator->n_batches && w->claimed >= w->taken + w->n_slots)
        pthread_cond_wait(&w->emptied, &w->mutex);
    int64_t k = w->stop || w->claimed >= w->iterator->n_batches ? -1 : w->claimed++;
    pthread_mutex_unlock(&w->mutex);
    return k;
}

/* Nobody reads a slot before it is full or writes to it before it is empty again. */
static void make(sp__workers *w, int64_t k, slot *to)
{
    sp_scope scope = sp_scope_open();
    to->batch = sp__iterator_make(w->iterator, k);
    to->status = SP_OK;
    if (to->batch.x && to->batch.y) {
        sp_keep(to->batch.x);
        if (to->batch.y != SP_NONE) sp_keep(to->batch.y);
    } else {
        to->batch = (sp_example){NULL, NULL};
        to->status = sp_error_clear();
        snprintf(to->message, sizeof to->message, "%s", sp_error_message());
    }
    sp_scope_close(&scope);
}

/* The thread that waits for the batch reports its errors as its own. */
static void *work(void *user)
{
    sp__workers *w = user;
    sp_error_quiet(true);
    for (int64_t k; (k = claim(w)) >= 0;) {
        slot *to = &w->slots[k % w->n_slots];
        make(w, k, to);
        pthread_mutex_lock(&w->mutex);
        to->full = true;
        pthread_cond_signal(&w->filled);
        pthread_mutex_unlock(&w->mutex);
    }
    return NULL;
}

/* ---- in the loop ---- */

static void release_batch(sp_example batch)
{
    if (sp__is_tensor(batch.x)) sp_release(batch.x);
    if (sp__is_tensor(batch.y)) sp_release(batch.y);
}

static sp_example adopt(sp_example batch)
{
    sp_tensor *x = sp_adopt(batch.x);
    sp_tensor *y = batch.y == SP_NONE ? SP_NONE : sp_adopt(batch.y);
    return x && y ? (sp_example){x, y} : (sp_example){NULL, NULL};
}

sp_example sp__workers_take(sp__workers *w, int64_t k)
{
    slot *from = &w->slots[k % w->n_slots];
    pthread_mutex_lock(&w->mutex);
    while (!from->full) pthread_cond_wait(&w->filled, &w->mutex);
    sp_example batch = from->batch;
    if (from->status) sp_raise(from->status, "%s", from->message);
    from->full = false;
    w->taken = k + 1;
    pthread_cond_signal(&w->emptied);
    pthread_mutex_unlock(&w->mutex);
    return batch.x ? adopt(batch) : batch;
}

/* ---- beginning and end ---- */

void sp__workers_stop(sp__workers *w)
{
    if (!w) return;
    pthread_mutex_lock(&w->mutex);
    w->stop = true;
    pthread_cond_broadcast(&w->emptied);
    pthread_mutex_unlock(&w->mutex);
    for (int i = 0; i < w->n_threads; i++) pthread_join(w->threads[i], NULL);
    for (int i = 0; w->slots && i < w->n_slots; i++) {
        if (w->slots[i].full) release_batch(w->slots[i].batch);
    }
    pthread_mutex_destroy(&w->mutex);
    pthread_cond_destroy(&w->filled);
    pthread_cond_destroy(&w->emptied);
    sp_free(w->slots, (size_t)w->n_slots * sizeof *w->slots);
    sp_free(w->threads, (size_t)w->max_threads * sizeof *w->threads);
    sp_free(w, sizeof *w);
}

/* Signals are for the program's own threads. */
static void start_threads(sp__workers *w)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (w->n_threads < w->max_threads && !pthread_create(&w->threads[w->n_threads], NULL, work, w)) w->n_threads++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static bool make_locks(sp__workers *w)
{
    if (pthread_mutex_init(&w->mutex, NULL) != 0) return false;
    if (pthread_cond_init(&w->filled, NULL) == 0) {
        if (pthread_cond_init(&w->emptied, NULL) == 0) return true;
        pthread_cond_destroy(&w->filled);
    }
    pthread_mutex_destroy(&w->mutex);
    return false;
}

/* With fewer threads than were asked for, the same batches come later. */
sp__workers *sp__workers_start(const sp__iterator *iterator, int n_threads, int prefetch)
{
    sp__workers *w = sp_alloc(sizeof *w);
    if (!w) return NULL;
    *w = (sp__workers){.iterator = iterator, .n_slots = n_threads * prefetch, .max_threads = n_threads};
    if (!make_locks(w)) {
        sp_free(w, sizeof *w);
        return sp_raise(SP_ERROR_MEMORY, "the system gives no locks for a loader's workers"), NULL;
    }
    w->slots = sp_alloc((size_t)w->n_slots * sizeof *w->slots);
    w->threads = w->slots ? sp_alloc((size_t)n_threads * sizeof *w->threads) : NULL;
    if (w->threads) start_threads(w);
    if (w->n_threads) return w;
    if (w->threads) sp_raise(SP_ERROR_MEMORY, "the system gives no thread for a loader's worker");
    sp__workers_stop(w);
    return NULL;
}
