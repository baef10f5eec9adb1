/* The networks that speed is measured on: the library's reference networks and others, as users write them. The
 * program's `bench step` times them, bench/torch_step.py has their twins, tests/test_golden.c hashes their training.
 * Public headers only. */
#ifndef SPUSK_BENCH_NETWORKS_H
#define SPUSK_BENCH_NETWORKS_H

#include <spusk/spusk.h>

/* What a network takes, made of digits (N, 1, 28, 28). */
typedef enum bench_input {
    BENCH_IMAGES,     /* (N, 1, 28, 28) */
    BENCH_PIXELS,     /* (N, 784) */
    BENCH_MIDDLE,     /* (N, 8): pixels of the middle */
    BENCH_COLOURS,    /* (N, 3, 32, 32): padded, three times the same channel */
    BENCH_CODES,      /* (N, 64): standard normal numbers; the digits are the target */
    BENCH_CHARACTERS, /* (N, 64): characters from 0 to 64; the target (64·N) is the next of each */
} bench_input;

typedef struct bench_network {
    const char *name;
    bench_input input;
    sp_module *(*make)(void);      /* NULL: sp_model_by_name */
    sp_module *(*criterion)(void); /* the mean squared error reproduces: its target is an image, not a label */
    sp_optimizer *(*optimizer)(sp_list *parameters);
    int batch; /* examples of a step */
} bench_network;

extern const bench_network bench_networks[];
extern const int n_bench_networks;

/* The network of that name, NULL when there is none. */
const bench_network *bench_network_by_name(const char *name);
sp_module *bench_network_make(const bench_network *n);

/* What the network takes and what its criterion compares with, of digits (N, 1, 28, 28) and labels (N). A mean squared
 * error's target is the input, or, for codes, the digits. */
sp_example bench_network_example(const bench_network *n, sp_tensor *digits, sp_tensor *labels);

/* Networks with a forward of their own. */
sp_module *bench_resnet(void);
sp_module *bench_former(void);

#endif
