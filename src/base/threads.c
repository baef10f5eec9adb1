/* The team of threads behind sp__parallel. One caller at a time has the team. A call from inside a body, or while
 * another thread has the team, runs its items itself.
 *
 * A job is a number of items, cut into pieces. Each thread has a share of the pieces, always the same part of the job:
 * what one pass over a tensor wrote then lies in the cache of the thread that reads it in the next pass. A thread that
 * is done with its own share takes pieces from the ends of other shares.
 *
 * A share is one word: the job's number, and the pieces [next, end) that nobody has claimed. A thread claims a piece by
 * compare-and-swap. The job cannot end before that piece is done, so the thread may read the job's description. A
 * worker that comes late finds nothing to claim, and nobody waits for it. */
#include "base/memory_pool.h"
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

enum { MOST_THREADS = 1024, SPIN_MICROSECONDS = 50, PIECES_PER_THREAD = 8, STACK_BYTES = 1 << 20 };

typedef struct job {
    void (*body)(void *context, int64_t i);
    void *context;
    int64_t n, step; /* items; items in a piece */
    uint32_t pieces;
    int threads;    /* that have a share */
    bool backwards; /* each share from its end to its beginning */
} job;

/* number << 32 | next << 16 | end */
typedef struct share {
    _Alignas(64) _Atomic(uint64_t) word;
} share;

static struct {
    pthread_mutex_t use;   /* held by the caller that has the team; guards `workers`, `started` and `now` */
    pthread_mutex_t sleep; /* of the two conditions */
    pthread_cond_t work, finished;
    int started;
    pthread_t workers[MOST_THREADS];
    job now;
    atomic_int wanted; /* threads in all; 0: not known yet */
    atomic_int processors;
    atomic_bool stop;
    atomic_int spin;                 /* microseconds to wait in a loop before sleeping, plus 1; 0: not known yet */
    _Alignas(64) atomic_uint number; /* of the latest job, once its shares are there */
    _Alignas(64) atomic_uint done;   /* pieces */
    atomic_int sharing;              /* threads that have a share of the latest job */
    atomic_int sleepers;
    atomic_bool caller_sleeps;
} team = {.use = PTHREAD_MUTEX_INITIALIZER,
          .sleep = PTHREAD_MUTEX_INITIALIZER,
          .work = PTHREAD_COND_INITIALIZER,
          .finished = PTHREAD_COND_INITIALIZER};

static share shares[MOST_THREADS]; /* the caller's is the first */

static _Thread_local bool inside; /* this thread runs a body */

/* ---- how many ---- */

static int usable_processors(void)
{
    int n = atomic_load_explicit(&team.processors, memory_order_relaxed);
    if (n) return n;
    cpu_set_t set;
    n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : (int)sysconf(_SC_NPROCESSORS_ONLN);
    if (n < 1) n = 1;
    atomic_store_explicit(&team.processors, n, memory_order_relaxed);
    return n;
}

/* A positive number at the head of the variable ("4" or OpenMP's "4,2"); 0 when there is none. */
static int from_environment(const char *name)
{
    const char *text = getenv(name);
    if (!text) return 0;
    char *end;
    long n = strtol(text, &end, 10);
    if (end == text || (*end && *end != ',') || n < 1) return 0;
    return n > MOST_THREADS ? MOST_THREADS : (int)n;
}

int sp_num_threads(void)
{
    int n = atomic_load_explicit(&team.wanted, memory_order_relaxed);
    if (n) return n;
    n = from_environment("SPUSK_THREADS");
    if (!n) n = from_environment("OMP_NUM_THREADS");
    if (!n) n = usable_processors();
    if (n > MOST_THREADS) n = MOST_THREADS;
    atomic_store_explicit(&team.wanted, n, memory_order_relaxed);
    return n;
}

/* OMP_WAIT_POLICY=passive says that a program needs its processors between parallel regions. It counts here too. */
static int spin_microseconds(void)
{
    int n = atomic_load_explicit(&team.spin, memory_order_relaxed);
    if (n) return n - 1;
    const char *policy = getenv("OMP_WAIT_POLICY"), *own = getenv("SPUSK_SPIN");
    n = policy && !strcasecmp(policy, "passive") ? 0 : SPIN_MICROSECONDS;
    if (own && *own >= '0' && *own <= '9') n = atoi(own) < 1000000 ? atoi(own) : 1000000;
    atomic_store_explicit(&team.spin, n + 1, memory_order_relaxed);
    return n;
}

sp_status sp_set_thread_spin(int microseconds)
{
    if (microseconds < 0 || microseconds > 1000000)
        return sp_raise(SP_ERROR_ARGUMENT, "sp_set_thread_spin: %d is not between 0 and 1000000", microseconds);
    atomic_store_explicit(&team.spin, microseconds + 1, memory_order_relaxed);
    return SP_OK;
}

/* ---- claiming and doing ---- */

static uint32_t next_of(uint64_t word)
{
    return (uint32_t)(word >> 16) & 0xFFFF;
}

static uint32_t end_of(uint64_t word)
{
    return (uint32_t)word & 0xFFFF;
}

/* Claims a piece of a share: its owner takes the first, others the last. -1 when there is none. */
static int64_t claim(share *from, bool own)
{
    uint64_t word = atomic_load_explicit(&from->word, memory_order_relaxed);
    do {
        if (next_of(word) >= end_of(word)) return -1;
    } while (!atomic_compare_exchange_weak_explicit(&from->word, &word, own ? word + (1 << 16) : word - 1,
                                                    memory_order_acquire, memory_order_relaxed));
    return own ? (int64_t)next_of(word) : (int64_t)end_of(word) - 1;
}

/* The first piece of a share; that of the next share is its end. */
static int64_t share_begin(const job *j, int64_t which)
{
    return which * j->pieces / j->threads;
}

/* Backwards, the pieces of a share are claimed as always, and stand for those at the same distance from its end. */
static void do_piece(const job *j, int64_t piece, int64_t which)
{
    if (j->backwards) piece = share_begin(j, which) + share_begin(j, which + 1) - 1 - piece;
    const int64_t begin = piece * j->step, end = begin + j->step < j->n ? begin + j->step : j->n;
    for (int64_t i = begin; i < end; i++) j->body(j->context, j->backwards ? begin + end - 1 - i : i);
}

/* The thread that does the last piece wakes the caller, if it sleeps. Once a piece is counted the job may be over. */
static void work_from(share *from, bool own)
{
    for (int64_t piece; (piece = claim(from, own)) >= 0;) {
        uint32_t pieces = team.now.pieces;
        do_piece(&team.now, piece, from - shares);
        if (atomic_fetch_add(&team.done, 1) + 1 == pieces && atomic_load(&team.caller_sleeps)) {
            pthread_mutex_lock(&team.sleep);
            pthread_cond_signal(&team.finished);
            pthread_mutex_unlock(&team.sleep);
        }
    }
}

/* Works on its own share, then on what others have left. */
static void work_while_any(int self, int threads)
{
    work_from(&shares[self], true);
    for (int i = 1; i < threads; i++) work_from(&shares[(self + i) % threads], false);
}

/* ---- waiting: in a loop for a moment, then asleep ---- */

static int64_t nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static bool work_waits(uint32_t seen)
{
    return atomic_load(&team.number) != seen || atomic_load(&team.stop);
}

static bool all_done(uint32_t pieces)
{
    return atomic_load(&team.done) == pieces;
}

/* Waits a moment for a condition. It does not when threads share processors: it would then take one from the very work
 * that it waits for. */
static bool spin_until(bool (*true_now)(uint32_t), uint32_t argument)
{
    if (true_now(argument)) return true;
    const int64_t spin = spin_microseconds() * INT64_C(1000);
    if (!spin || sp_num_threads() > usable_processors()) return false;
    for (int64_t end = nanoseconds() + spin; nanoseconds() < end;) {
        for (int i = 0; i < 16; i++) {
            if (true_now(argument)) return true;
            sp__pause();
        }
    }
    return false;
}

static void sleep_until_work(uint32_t seen)
{
    pthread_mutex_lock(&team.sleep);
    atomic_fetch_add(&team.sleepers, 1);
    while (!work_waits(seen)) pthread_cond_wait(&team.work, &team.sleep);
    atomic_fetch_sub(&team.sleepers, 1);
    pthread_mutex_unlock(&team.sleep);
}

static void sleep_until_done(uint32_t pieces)
{
    pthread_mutex_lock(&team.sleep);
    atomic_store(&team.caller_sleeps, true);
    while (!all_done(pieces)) pthread_cond_wait(&team.finished, &team.sleep);
    atomic_store(&team.caller_sleeps, false);
    pthread_mutex_unlock(&team.sleep);
}

static void wake(uint32_t most)
{
    if (!atomic_load(&team.sleepers)) return;
    pthread_mutex_lock(&team.sleep);
    int sleepers = atomic_load(&team.sleepers);
    for (uint32_t i = 0; i < most && (int)i < sleepers; i++) pthread_cond_signal(&team.work);
    pthread_mutex_unlock(&team.sleep);
}

/* ---- the threads ---- */

/* `self` points to the worker's share. */
static void *worker(void *self)
{
    const int which = (int)((share *)self - shares);
    inside = true;
    while (!atomic_load(&team.stop)) {
        const uint32_t seen = atomic_load(&team.number);
        work_while_any(which, atomic_load_explicit(&team.sharing, memory_order_relaxed));
        if (!spin_until(work_waits, seen)) sleep_until_work(seen);
    }
    return self;
}

/* Ends all workers; `use` is held. */
static void stop_workers(void)
{
    atomic_store(&team.stop, true);
    pthread_mutex_lock(&team.sleep);
    pthread_cond_broadcast(&team.work);
    pthread_mutex_unlock(&team.sleep);
    for (int i = 0; i < team.started; i++) pthread_join(team.workers[i], NULL);
    team.started = 0;
    atomic_store(&team.stop, false);
}

static void fork_before(void)
{
    if (inside) return;
    pthread_mutex_lock(&team.use);
    pthread_mutex_lock(&team.sleep);
}

static void fork_after_in_parent(void)
{
    if (inside) return;
    pthread_mutex_unlock(&team.sleep);
    pthread_mutex_unlock(&team.use);
}

/* The child has none of the threads: its team is empty, and its locks are new. */
static void fork_after_in_child(void)
{
    pthread_mutex_init(&team.use, NULL);
    pthread_mutex_init(&team.sleep, NULL);
    pthread_cond_init(&team.work, NULL);
    pthread_cond_init(&team.finished, NULL);
    team.started = 0;
    atomic_store(&team.sleepers, 0);
    inside = false;
}

static void register_fork(void)
{
    pthread_atfork(fork_before, fork_after_in_parent, fork_after_in_child);
}

/* A kernel keeps its tile on the stack (up to 140 KB), so a worker's stack must not depend on the system's limit. */
static bool start_worker(pthread_t *thread, share *own)
{
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) != 0) return false;
    pthread_attr_setstacksize(&attributes, STACK_BYTES); /* if this fails, it stays the system's */
    const bool started = pthread_create(thread, &attributes, worker, own) == 0;
    pthread_attr_destroy(&attributes);
    return started;
}

/* Starts the wanted threads that are missing; `use` is held. Fewer will do when the system gives no more. Workers block
 * signals, which are for the program's own threads. */
static void start_workers(int wanted)
{
    if (team.started >= wanted) return;
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, register_fork);
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (team.started < wanted && start_worker(&team.workers[team.started], &shares[team.started + 1]))
        team.started++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void sp__threads_stop(void)
{
    if (inside) return;
    pthread_mutex_lock(&team.use);
    stop_workers();
    pthread_mutex_unlock(&team.use);
}

sp_status sp_set_num_threads(int n)
{
    if (n < 1 || n > MOST_THREADS) {
        return sp_raise(SP_ERROR_ARGUMENT, "sp_set_num_threads: %d is not between 1 and %d", n, MOST_THREADS);
    }
    if (inside) return sp_raise(SP_ERROR_STATE, "sp_set_num_threads: called from inside a parallel computation");
    pthread_mutex_lock(&team.use);
    if (team.started > n - 1) stop_workers();
    atomic_store_explicit(&team.wanted, n, memory_order_relaxed);
    pthread_mutex_unlock(&team.use);
    return SP_OK;
}

/* ---- running ---- */

/* Pieces are few, so that claiming them costs little, and enough for threads of unequal speed to end together. */
static void cut(job *j)
{
    j->step = j->n / ((int64_t)j->threads * PIECES_PER_THREAD);
    if (j->step < 1) j->step = 1;
    j->pieces = (uint32_t)((j->n - 1) / j->step + 1);
}

static void share_out(uint32_t number, const job *j)
{
    atomic_store_explicit(&team.sharing, j->threads, memory_order_relaxed);
    for (int i = 0; i < j->threads; i++) {
        const uint64_t next = (uint64_t)share_begin(j, i), end = (uint64_t)share_begin(j, i + 1);
        atomic_store_explicit(&shares[i].word, (uint64_t)number << 32 | next << 16 | end, memory_order_release);
    }
    atomic_store(&team.number, number);
}

static void run_on_team(const job *j)
{
    start_workers(j->threads - 1);
    team.now = *j;
    cut(&team.now);
    const uint32_t pieces = team.now.pieces;
    atomic_store(&team.done, 0);
    share_out(atomic_load_explicit(&team.number, memory_order_relaxed) + 1, &team.now);
    wake(pieces - 1);
    inside = true;
    work_while_any(0, j->threads);
    inside = false;
    if (!spin_until(all_done, pieces)) sleep_until_done(pieces);
}

static void run(int64_t n, void (*body)(void *context, int64_t i), void *context, bool backwards)
{
    const job j = {.body = body,
                   .context = context,
                   .n = n,
                   .threads = n > 1 && !inside ? sp_num_threads() : 1,
                   .backwards = backwards};
    if (j.threads > 1 && pthread_mutex_trylock(&team.use) == 0) {
        run_on_team(&j);
        pthread_mutex_unlock(&team.use);
        return;
    }
    for (int64_t i = 0; i < n; i++) body(context, backwards ? n - 1 - i : i);
}

void sp__parallel(int64_t n, void (*body)(void *context, int64_t i), void *context)
{
    run(n, body, context, false);
}

void sp__parallel_backwards(int64_t n, void (*body)(void *context, int64_t i), void *context)
{
    run(n, body, context, true);
}
