/* The measured peak of multiply-adds: what a product of matrices is compared with. */
#include "backends/cpu/cpu.h"
#include <pthread.h>
#include <spusk/machine.h>
#include <time.h>

typedef struct spinner {
    double (*spin)(int64_t rounds);
    int64_t rounds;
    double operations;
} spinner;

static void *run_spinner(void *context)
{
    spinner *s = context;
    s->operations = s->spin(s->rounds);
    return NULL;
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* One measurement: all threads spin at once. A thread that cannot be started is an error. */
static double rate(spinner *spinners, int threads)
{
    pthread_t others[1024];
    double start = seconds(), operations = 0;
    int started = 1;
    while (started < threads && !pthread_create(&others[started], NULL, run_spinner, &spinners[started])) started++;
    run_spinner(&spinners[0]);
    for (int i = 1; i < started; i++) pthread_join(others[i], NULL);
    double took = seconds() - start;
    if (started < threads) return sp_raise(SP_ERROR_MEMORY, "sp_measure_peak: cannot start %d threads", threads), 0;
    for (int i = 0; i < threads; i++) operations += spinners[i].operations;
    return operations / took;
}

double sp_measure_peak(sp_dtype dtype, int threads)
{
    double (*spin)(int64_t) = (unsigned)dtype < SP_DTYPE_COUNT ? sp__cpu_level()->of[dtype].spin : NULL;
    if (!spin) return sp_raise(SP_ERROR_DTYPE, "sp_measure_peak: measures float32, float64 and bfloat16 only"), 0;
    if (threads < 1 || threads > 1024)
        return sp_raise(SP_ERROR_ARGUMENT, "sp_measure_peak: %d threads: must be 1 to 1024", threads), 0;
    spinner *spinners = sp_alloc((size_t)threads * sizeof *spinners);
    double best = 0;
    for (int turn = 0; spinners && turn < 5; turn++) {
        for (int i = 0; i < threads; i++) spinners[i] = (spinner){spin, 4000000, 0};
        double now = rate(spinners, threads);
        if (now > best) best = now;
    }
    sp_free(spinners, (size_t)threads * sizeof *spinners);
    return best;
}
