/* The team of threads that kernels run on. Results never depend on its size. */
#ifndef SPUSK_THREADS_H
#define SPUSK_THREADS_H

#include <spusk/tensor.h>

SP_BEGIN

/* How many threads kernels may use, the caller's included: at first SPUSK_THREADS, else OMP_NUM_THREADS, else the
 * processors in the affinity mask. */
SP_API int sp_num_threads(void);

/* Sets that number, 1 to 1024. Not while another thread computes. */
SP_API sp_status sp_set_num_threads(int n);

/* How long a thread of the team waits for more work before it sleeps, 0 to 1000000 microseconds: at first SPUSK_SPIN,
 * else 0 where OMP_WAIT_POLICY is passive, else 50. With 0 the team never takes a processor that it does not compute
 * on, and each parallel computation begins some microseconds later. */
SP_API sp_status sp_set_thread_spin(int microseconds);

/* The instruction set level that the kernels use: "generic", "avx2", "avx512", "avx512bf16", "neon". Chosen at first
 * use; the environment's SPUSK_ISA names a lower one. */
SP_API const char *sp_isa(void);

/* The measured multiply-add peak, in FLOP/s, of the kernels' ISA level for f32, f64 or bf16 on `threads` threads: what
 * a product of matrices cannot exceed. Takes some tenths of a second. 0 and an error for another dtype or count. */
SP_API double sp_measure_peak(sp_dtype dtype, int threads);

/* The share of gradients that were not zero, 0 to 1, among those that backward passes of convolutions behind ReLU and
 * max-pooling have taken as sparse since the last call of this function, on all threads; NaN where there were none. The
 * time of these passes goes with it, so a benchmark should state it. */
SP_API double sp_sparse_density(void);

SP_END_DECLS

#endif
