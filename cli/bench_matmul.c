/* spusk bench matmul: the lesson's product of matrices, 1000×5000 by 5000×2000, in f64 and f32, by the project's
 * kernel and by BLAS where built in, beside what the machine can reach. */
#include "bench.h"

#include <math.h>

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
    double best, peak; /* seconds, FLOP/s */
} timing;

/* a (m,k) · b (k,n); false where there is no such thing. */
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

/* The best of the repetitions, after one that does not count; infinite after an error. */
static double measure(product *run, sp_tensor *a, sp_tensor *b, sp_tensor *out, const sizes *s)
{
    double best = (double)INFINITY;
    for (int i = 0; i <= s->repeat; i++) {
        bool fine = false;
        double began = seconds_now();
        SP_SCOPE {
            fine = run(a, b, out, s);
        }
        double seconds = seconds_now() - began;
        if (!fine) return (double)INFINITY;
        if (i > 0 && seconds < best) best = seconds;
    }
    return best;
}

static void print_timing(const common *c, const sizes *s, const timing *t)
{
    double speed = 2.0 * s->m * s->k * s->n / t->best;
    if (!c->json) {
        printf("%-8s %-6s %9.2f ms %9.2f GFLOP/s %6.1f %% of %.2f\n", sp_dtype_name(t->dtype), t->by, t->best * 1e3,
               speed / 1e9, t->peak > 0 ? 100 * speed / t->peak : 0, t->peak / 1e9);
        return;
    }
    printf("{\"bench\":\"matmul\",\"m\":%d,\"k\":%d,\"n\":%d,\"dtype\":\"%s\",\"by\":\"%s\",\"threads\":%d,"
           "\"isa\":\"%s\",\"seconds\":",
           s->m, s->k, s->n, sp_dtype_name(t->dtype), t->by, sp_num_threads(), sp_isa());
    json_number(stdout, t->best);
    fputs(",\"gflops\":", stdout);
    json_number(stdout, speed / 1e9);
    fputs(",\"peak_gflops\":", stdout);
    json_number(stdout, t->peak / 1e9);
    fputs("}\n", stdout);
}

static bool bench_dtype(const common *c, const sizes *s, sp_dtype dtype)
{
    bool fine = true;
    SP_NO_GRAD {
        sp_tensor *a = sp_rand(SP_DIMS(s->m, s->k), .dtype = dtype);
        sp_tensor *b = sp_rand(SP_DIMS(s->k, s->n), .dtype = dtype);
        sp_tensor *out = sp_zeros(SP_DIMS(s->m, s->n), .dtype = dtype);
        double peak = sp_measure_peak(dtype, sp_num_threads()), best[N_CONTENDERS];
        for (size_t i = 0; i < N_CONTENDERS; i++) best[i] = measure(contenders[i].run, a, b, out, s);
        /* Before and after: other programs may have had their share of the machine at one of the two. */
        peak = fmax(peak, sp_measure_peak(dtype, sp_num_threads()));
        for (size_t i = 0; i < N_CONTENDERS && fine; i++) {
            const timing t = {contenders[i].name, dtype, best[i], peak};
            fine = isfinite(t.best);
            if (fine) print_timing(c, s, &t);
        }
        fflush(stdout);
    }
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
    return bench_dtype(c, &s, SP_F64) && bench_dtype(c, &s, SP_F32) ? EXIT_FINE : EXIT_FAILED;
}
