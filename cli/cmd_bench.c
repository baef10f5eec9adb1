/* spusk bench WHAT: figures of speed, each beside what the machine can reach. */
#include "bench.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    int (*run)(const bench_options *o);
} benches[] = {
    {"matmul", bench_matmul},
    {"step", bench_step},
    {"lesson", bench_lesson},
    {"ops", bench_ops},
};
#define N_BENCHES (sizeof benches / sizeof *benches)

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

spread spread_of(double *values, size_t n)
{
    if (n == 0) return (spread){0, 0, 0};
    qsort(values, n, sizeof *values, compare);
    return (spread){values[n / 4], values[n / 2], values[n - 1 - n / 4]};
}

static int bench(const bench_options *o)
{
    const int i = choose_row(&o->common, "the bench", benches, N_BENCHES, sizeof *benches, o->common.words[0]);
    return i >= 0 ? benches[i].run(o) : EXIT_WRONG_USE;
}

int cmd_bench(const command *self, int argc, char **argv)
{
    bench_options o = {.m = 1000, .k = 5000, .n = 2000, .repeat = 5, .batch = OWN_BATCH, .epochs = 10, .seconds = 3};
    struct poptOption table[] = {
        {"m", '\0', POPT_ARG_INT, &o.m, 0, "matmul: rows of the first matrix (1000)", "N"},
        {"k", '\0', POPT_ARG_INT, &o.k, 0, "matmul: columns of the first, rows of the second (5000)", "N"},
        {"n", '\0', POPT_ARG_INT, &o.n, 0, "matmul: columns of the second (2000)", "N"},
        {"repeat", '\0', POPT_ARG_INT, &o.repeat, 0, "matmul: repetitions, of which the best counts (5)", "N"},
        {"model", '\0', POPT_ARG_STRING, &o.model, 0, "step: the network (mlp)", "NAME"},
        {"batch", '\0', POPT_ARG_INT, &o.batch, 0, "step: examples (what the network is measured with, mostly 64)",
         "N"},
        {"precision", '\0', POPT_ARG_STRING, &o.precision, 0, "step: f32 (default), or bf16: mixed", "NAME"},
        {"seconds", '\0', POPT_ARG_DOUBLE, &o.seconds, 0, "step, ops: how long to measure (3)", "X"},
        {"epochs", '\0', POPT_ARG_INT, &o.epochs, 0, "lesson: times through the training examples (10)", "N"},
        POPT_TABLEEND,
    };
    int status = options_read(&o.common, self, table, argc, argv);
    if (status == -1) status = bench(&o);
    options_free(&o.common);
    return status;
}
