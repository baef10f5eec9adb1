/* The machine: which kernels it runs, how fast it can compute, how much of that work there was. */
#ifndef SPUSK_MACHINE_H
#define SPUSK_MACHINE_H

#include <spusk/dtype.h>

SP_BEGIN

/* The instruction set level of the kernels in use: "generic", "avx2", "avx512", "avx512bf16", "avx512amx", "neon". It is
 * chosen at first use: the highest that the machine has and that is fast on it, or the one that SPUSK_ISA names in the
 * environment, if the machine has that. */
SP_API const char *sp_isa(void);

/* Measures the peak of multiply-adds, in FLOP/s, of the kernels' level for f32, f64 or bf16 on `threads` threads, 1 to
 * 1024: no product of matrices can be faster. It takes some tenths of a second. 0 and an error for another dtype or
 * count. */
SP_API double sp_measure_peak(sp_dtype dtype, int threads);

/* The share of gradients that were not zero, 0 to 1, on all threads since the last call of this function. It counts the
 * gradients that backward passes of convolutions behind ReLU and max-pooling have taken as sparse; NaN where there were
 * none. The time of these passes depends on it, so a benchmark should state it. */
SP_API double sp_sparse_density(void);

SP_END_DECLS

#endif
