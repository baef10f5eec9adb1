/* spusk bench matmul: the lesson's product of matrices, 1000×5000 by 5000×2000, in f64, f32 and bf16, by
 * the project's kernel and by BLAS where built in, in turns with what the machine can reach at that moment. */
#include "bench.h"

#include <math.h>
#include <stdlib.h>

#if SP_HAVE_CBLAS
#include <cblas.h>
#endif

typedef struct sizes {
    int m, k, n, repeat;
} sizes;

/* One row of the result. */
typedef struct timing {
    const char *by;
    sp_dtype dtype;
    double best, median, peak; /* seconds, FLOP/s */
} timing;

/* Computes a (m,k) · b (k,n). False where this build has no such product. */
typedef bool product(sp_tensor *a, sp_tensor *b, sp_tensor *out, const sizes *s);

static bool by_spusk(sp_tensor *a, sp_tensor *b, sp_tensor *out, const sizes *s)
{
    (void)out, (void)s;
    return sp_matmul(a, b) != NULL;
}

#if SP_HAVE_CBLAS
static bool by_blas(sp_tensor *a, sp_tensor *b, sp_tensor *out, const sizes *s)
{
    if (!out) return false;
    if (sp_dtype_of(a) == SP_F64)
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, s->m, s->n, s->k, 1, sp_const_data(a), s->k,
                    sp_const_data(b), s->n, 0, sp_data(out), s->n);
    else
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, s->m, s->n, s->k, 1, sp_const_data(a), s->k,
                    sp_const_data(b), s->n, 0, sp_data(out), s->n);
    return true;
}
#endif

static const struct {
    const char *name;
    product *run;
} contenders[] = {
    {"spusk", by_spusk},
#if SP_HAVE_CBLAS
    {"blas", by_blas},
#endif
};
#define N_CONTENDERS (sizeof contenders / sizeof *contenders)

/* Seconds of one run; infinite after an error. */
static double once(product *run, sp_tensor *a, sp_tensor *b, sp_tensor *out, const sizes *s)
{
    bool fine = false;
    const double began = seconds_now();
    SP_SCOPE {
        fine = run(a, b, out, s);
    }
    return fine ? seconds_now() - began : (double)INFINITY;
}

static void print_timing(const common *c, const sizes *s, const timing *t)
{
    double speed = 2.0 * s->m * s->k * s->n / t->best;
    if (!c->json) {
        printf("%-8s %-6s %9.2f ms (median %9.2f) %9.2f GFLOP/s %6.1f %% of %.2f\n", sp_dtype_name(t->dtype), t->by,
               t->best * 1e3, t->median * 1e3, speed / 1e9, t->peak > 0 ? 100 * speed / t->peak : 0, t->peak / 1e9);
        return;
    }
    printf("{\"bench\":\"matmul\",\"m\":%d,\"k\":%d,\"n\":%d,\"dtype\":\"%s\",\"by\":\"%s\",\"threads\":%d,"
           "\"isa\":\"%s\",\"seconds\":",
           s->m, s->k, s->n, sp_dtype_name(t->dtype), t->by, sp_num_threads(), sp_isa());
    json_number(stdout, t->best);
    fputs(",\"median_seconds\":", stdout);
    json_number(stdout, t->median);
    fputs(",\"gflops\":", stdout);
    json_number(stdout, speed / 1e9);
    fputs(",\"peak_gflops\":", stdout);
    json_number(stdout, t->peak / 1e9);
    fputs("}\n", stdout);
}

/* In each turn measures the peak, then runs every contender. The first turn does not count. `seconds` has room for
 * `repeat` runs of each. Returns the best peak. */
static double take_turns(size_t n, sp_dtype dtype, const sizes *s, double *seconds)
{
    double peak = 0;
    sp_tensor *a = sp_rand(SP_DIMS(s->m, s->k), .dtype = dtype);
    sp_tensor *b = sp_rand(SP_DIMS(s->k, s->n), .dtype = dtype);
    sp_tensor *out = sp_zeros(SP_DIMS(s->m, s->n), .dtype = dtype);
    for (int turn = -1; turn < s->repeat; turn++) {
        peak = fmax(peak, sp_measure_peak(dtype, sp_num_threads()));
        for (size_t i = 0; i < n; i++) {
            const double took = once(contenders[i].run, a, b, out, s);
            if (turn >= 0) seconds[(int)i * s->repeat + turn] = took;
        }
    }
    return peak;
}

static bool bench_dtype(const common *c, const sizes *s, sp_dtype dtype)
{
    const size_t n = dtype == SP_BF16 ? 1 : N_CONTENDERS; /* a CBLAS has no bf16 */
    const size_t bytes = N_CONTENDERS * (size_t)s->repeat * sizeof(double);
    double *seconds = malloc(bytes);
    bool fine = seconds != NULL;
    SP_NO_GRAD {
        const double peak = fine ? take_turns(n, dtype, s, seconds) : 0;
        for (size_t i = 0; i < n && fine; i++) {
            const spread of = spread_of(seconds + (int)i * s->repeat, (size_t)s->repeat);
            const timing t = {contenders[i].name, dtype, seconds[(int)i * s->repeat], of.median, peak};
            fine = isfinite(t.median);
            if (fine) print_timing(c, s, &t);
        }
        fflush(stdout);
    }
    free(seconds);
    return fine;
}

int bench_matmul(const bench_options *o)
{
    const common *c = &o->common;
    const sizes s = {o->m, o->k, o->n, o->repeat};
    if (!in_range(c, "--m", s.m, 1, 100000) || !in_range(c, "--k", s.k, 1, 100000) ||
        !in_range(c, "--n", s.n, 1, 100000) || !in_range(c, "--repeat", s.repeat, 1, 10000))
        return EXIT_WRONG_USE;
#if SP_HAVE_CBLAS && defined(OPENBLAS_VERSION)
    openblas_set_num_threads(sp_num_threads());
#endif
    if (!c->json) {
        printf("matmul %d×%d by %d×%d, best of %d; %d threads, %s; beside the measured multiply-add peak\n", s.m, s.k,
               s.k, s.n, s.repeat, sp_num_threads(), sp_isa());
        if (N_CONTENDERS == 1) puts("(no BLAS in this build to compare with)");
    }
    return bench_dtype(c, &s, SP_F64) && bench_dtype(c, &s, SP_F32) && bench_dtype(c, &s, SP_BF16) ? EXIT_FINE
                                                                                                   : EXIT_FAILED;
}
