/* The team of threads that kernels run on. Results never depend on its size. */
#ifndef SPUSK_THREADS_H
#define SPUSK_THREADS_H

#include <spusk/status.h>

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

SP_END_DECLS

#endif
