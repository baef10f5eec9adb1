/* What the parts of `spusk bench` share. */
#ifndef SPUSK_CLI_BENCH_H
#define SPUSK_CLI_BENCH_H

#include "cli.h"

enum { OWN_BATCH = -1 }; /* the one that the network is measured with */

typedef struct bench_options {
    common common;
    int m, k, n, repeat;     /* matmul */
    char *model, *precision; /* step */
    int batch, epochs;       /* step, which may be OWN_BATCH; lesson */
    double seconds;
} bench_options;

/* One file each; they return an exit status. */
int bench_matmul(const bench_options *o);
int bench_lesson(const bench_options *o);
int bench_ops(const bench_options *o);
int bench_step(const bench_options *given);

/* The median and the quartiles of a list of figures, which it sorts. */
typedef struct spread {
    double low, median, high;
} spread;
spread spread_of(double *values, size_t n);

#endif
