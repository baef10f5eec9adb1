/* What the kernels' benchmarks share: numbers, and timing in turns. */
#ifndef SPUSK_BENCH_H
#define SPUSK_BENCH_H

#include "backends/cpu/cpu.h"
#include <spusk/machine.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

typedef struct contender {
    void (*run)(void *context);
    void *context;
    double median, best; /* seconds a run: the results */
} contender;

static inline double seconds_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static inline void *random_numbers(sp_dtype dtype, int64_t n, int seed)
{
    void *buffer = sp_alloc((size_t)(n * sp__size_of(dtype)));
    const sp__fill fill = {.kind = SP__FILL_UNIFORM,
                           .out = {.buffer = buffer, .dtype = dtype},
                           .n = n,
                           .a = -1,
                           .b = 1,
                           .seed = (uint64_t)seed};
    if (!buffer || sp__cpu_backend.fill(&fill)) exit(1);
    return buffer;
}

static inline void free_numbers(void *buffer, int64_t bytes)
{
    sp_free(buffer, (size_t)bytes);
}

static inline int compare_doubles(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* ---- the peak: all threads spin for a moment ---- */

typedef struct spinning {
    double (*spin)(int64_t rounds);
    atomic_int ready; /* threads */
    _Atomic(int64_t) nanoseconds;
} spinning;

/* Begins when all have come, so that no thread's time to wake up counts. */
static inline void spin_task(void *context, int64_t i)
{
    spinning *s = context;
    (void)i;
    const double patience = seconds_now() + 1e-3;
    atomic_fetch_add(&s->ready, 1);
    while (atomic_load(&s->ready) < sp_num_threads() && seconds_now() < patience) continue;
    const double began = seconds_now();
    s->spin(60000);
    atomic_fetch_add(&s->nanoseconds, (int64_t)((seconds_now() - began) * 1e9));
}

/* What all threads together reach while each spins: the sum of what each does in its own time. */
static inline double peak_now(sp_dtype dtype)
{
    spinning s = {.spin = sp__cpu_level()->of[dtype].spin};
    if (!s.spin) return 1e300;
    const int threads = sp_num_threads();
    const double operations = s.spin(1000) * 60;
    sp__parallel(threads, spin_task, &s);
    return operations * threads / ((double)atomic_load(&s.nanoseconds) * 1e-9 / threads);
}

/* Linux takes a twentieth of each second from programs that run with real-time priority: better taken here. */
static inline void pause_for(double seconds)
{
    const struct timespec pause = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
    nanosleep(&pause, NULL);
}

/* Times every contender and the peak in turns, each turn a millisecond or one run; returns the peak's median. */
static inline double in_turns(contender *contenders, int n, sp_dtype dtype)
{
    enum { MOST = 101 };
    double times[4][MOST], peaks[MOST] = {0};
    int64_t repeat[4];
    double total = 0;
    for (int i = 0; i < n; i++) {
        contenders[i].run(contenders[i].context);
        const double began = seconds_now();
        contenders[i].run(contenders[i].context);
        const double once = seconds_now() - began;
        repeat[i] = once < 1e-3 ? (int64_t)(1e-3 / (once + 2e-8)) + 1 : 1;
        total += once * (double)repeat[i];
    }
    int turns = (int)(0.5 / total);
    turns = turns < 5 ? 5 : turns > MOST ? MOST : turns;
    for (int t = 0; t < turns; t++) {
        pause_for(total / 7);
        peaks[t] = peak_now(dtype);
        for (int i = 0; i < n; i++) {
            contenders[i].run(contenders[i].context);
            const double began = seconds_now();
            for (int64_t r = 0; r < repeat[i]; r++) contenders[i].run(contenders[i].context);
            times[i][t] = (seconds_now() - began) / (double)repeat[i];
        }
    }
    for (int i = 0; i < n; i++) {
        qsort(times[i], (size_t)turns, sizeof(double), compare_doubles);
        contenders[i].median = times[i][turns / 2];
        contenders[i].best = times[i][0];
    }
    qsort(peaks, (size_t)turns, sizeof(double), compare_doubles);
    return peaks[turns / 2];
}

#endif
