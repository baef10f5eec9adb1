/* The kernels, each beside what the machine can do at that moment: products in turns with the multiply-add peak, and
 * with a BLAS where one is built in. Times are medians of the turns; the best turn's share stands behind, since it
 * changes least when other programs run. */
#include "backends/cpu/cpu.h"
#include "bench.h"

#if SP_HAVE_CBLAS
#include <cblas.h>
#endif

typedef struct product {
    const char *name;
    int64_t m, n, k;
    bool a_turned, b_turned, c_turned; /* memory by columns */
} product;

/* A Linear layer's three products at a batch of 64: y = x·W, dx = dy·Wᵀ, dW = xᵀ·dy, W being kept as (in, out). */
#define LINEAR(in, out)                                                                                                \
    {#in "->" #out " forward", 64, out, in, false, false, false},                                                      \
        {#in "->" #out " dx", 64, in, out, false, true, false},                                                        \
    {                                                                                                                  \
#in "->" #out " dW", in, out, 64, true, false, false                                                           \
    }

static const product products[] = {
    {"1000x5000x2000", 1000, 2000, 5000, false, false, false},
    {"1000x5000x2000 a'b'", 1000, 2000, 5000, true, true, false},
    {"512^3", 512, 512, 512, false, false, false},
    {"512^3 ab'", 512, 512, 512, false, true, false},
    LINEAR(784, 256),
    LINEAR(256, 128),
    LINEAR(128, 10),
    LINEAR(3136, 128),
    LINEAR(9216, 128),
    LINEAR(128, 2),
    LINEAR(2, 128),
    {"64^3", 64, 64, 64, false, false, false},
    {"8^3", 8, 8, 8, false, false, false},
    {"1x784->256", 1, 256, 784, false, false, false},
    {"1x784->256 dx", 1, 784, 256, false, true, false},
};

static sp__matrix matrix(void *buffer, int64_t rows, int64_t columns, bool turned)
{
    return (sp__matrix){buffer, 0, turned ? 1 : columns, turned ? rows : 1, 0};
}

static void run_ours(void *context)
{
    sp__cpu_backend.gemm(context);
}

#if SP_HAVE_CBLAS
static void run_blas(void *context)
{
    const sp__gemm *g = context;
    const bool a = g->a.row == 1 && g->a.column != 1, b = g->b.row == 1 && g->b.column != 1;
    const int m = (int)g->m, n = (int)g->n, k = (int)g->k, lda = a ? m : k, ldb = b ? k : n;
    const CBLAS_TRANSPOSE ta = a ? CblasTrans : CblasNoTrans, tb = b ? CblasTrans : CblasNoTrans;
    if (g->dtype == SP_F32)
        cblas_sgemm(CblasRowMajor, ta, tb, m, n, k, 1, g->a.buffer, lda, g->b.buffer, ldb, 0, g->c.buffer, n);
    else if (g->dtype == SP_F64)
        cblas_dgemm(CblasRowMajor, ta, tb, m, n, k, 1, g->a.buffer, lda, g->b.buffer, ldb, 0, g->c.buffer, n);
}
#endif

static void bench_product(const product *p, sp_dtype dtype)
{
    const int64_t item = sp__size_of(dtype), sizes[3] = {p->m * p->k, p->k * p->n, p->m * p->n};
    void *buffers[3];
    for (int i = 0; i < 3; i++) buffers[i] = random_numbers(dtype, sizes[i], i + 1);
    sp__gemm g = {.dtype = dtype, .batches = 1, .m = p->m, .n = p->n, .k = p->k, .alpha = 1};
    g.a = matrix(buffers[0], p->m, p->k, p->a_turned);
    g.b = matrix(buffers[1], p->k, p->n, p->b_turned);
    g.c = matrix(buffers[2], p->m, p->n, p->c_turned);
    contender contenders[2] = {{run_ours, &g}};
    int n = 1;
#if SP_HAVE_CBLAS
    /* Its threads spin for a while after a call, and take the others' processors: GOMP_SPINCOUNT=0 in kernels.sh. */
    if (dtype != SP_BF16 && !getenv("BENCH_NO_BLAS")) contenders[n++] = (contender){run_blas, &g};
#endif
    const double peak = in_turns(contenders, n, dtype), work = 2.0 * (double)p->m * (double)p->n * (double)p->k;
    printf("%-5s %-20s %10.2f us %8.1f GF/s %5.1f %% (best %5.1f)",
           dtype == SP_F32   ? "f32"
           : dtype == SP_F64 ? "f64"
                             : "bf16",
           p->name, contenders[0].median * 1e6, work / contenders[0].median / 1e9,
           100 * work / contenders[0].median / peak, 100 * work / contenders[0].best / peak);
    if (n > 1)
        printf("   BLAS %10.2f us %5.1f %%", contenders[1].median * 1e6, 100 * work / contenders[1].median / peak);
    printf("   of %.1f\n", peak / 1e9);
    fflush(stdout);
    for (int i = 0; i < 3; i++) free_numbers(buffers[i], sizes[i] * item);
}

int main(int argc, char **argv)
{
    const char *only = argc > 1 ? argv[1] : "", *type = argc > 2 ? argv[2] : "";
    printf("%s, %d threads\n", sp_isa(), sp_num_threads());
#if SP_HAVE_CBLAS && defined(OPENBLAS_VERSION)
    openblas_set_num_threads(sp_num_threads());
#endif
    product given = {only, 0, 0, 0, false, false, false};
    const bool is_given = sscanf(only, "%ldx%ldx%ld", &given.m, &given.k, &given.n) == 3;
    static const sp_dtype dtypes[] = {SP_F32, SP_F64, SP_BF16};
    static const char *const names[] = {"f32", "f64", "bf16"};
    for (int t = 0; t < 3; t++) {
        if (is_given && (!*type || strcmp(type, names[t]) == 0)) bench_product(&given, dtypes[t]);
        for (size_t i = 0; i < sizeof products / sizeof *products; i++)
            if (strstr(products[i].name, only) && (!*type || strcmp(type, names[t]) == 0))
                bench_product(&products[i], dtypes[t]);
    }
    return 0;
}
