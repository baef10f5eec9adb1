/* Seeds and streams of random numbers: counter-based (Philox 4x32-10), the same on every machine, compiler and number
 * of threads. Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011. */
#ifndef SPUSK_GENERATOR_H
#define SPUSK_GENERATOR_H

#include <spusk/status.h>

SP_BEGIN

/* A stream of random numbers: a key and a position. */
typedef struct sp_generator sp_generator;

/* One block of Philox 4x32-10: four random words from a counter and a key, written to out. */
SP_API void sp_philox(uint32_t out[4], const uint32_t counter[4], const uint32_t key[2]);

/* A generator of one's own, at position 0 of the stream of that seed. */
SP_API sp_generator *sp_generator_new(uint64_t seed);

/* The calling thread's default generator, which every call without `.generator` draws from. It starts with seed 0. */
SP_API sp_generator *sp_default_generator(void);

/* Seeds the calling thread's default generator: torch.manual_seed. */
SP_API void sp_manual_seed(uint64_t seed);

/* Sets a generator to position 0 of the stream of that seed: generator.manual_seed. */
SP_API sp_status sp_generator_manual_seed(sp_generator *generator, uint64_t seed);

/* The seed of a generator's stream; with the position it is the whole state. 0 for NULL. */
SP_API uint64_t sp_generator_initial_seed(const sp_generator *generator);

/* Where a generator stands in its stream, in blocks of four words. 0 for NULL. */
SP_API uint64_t sp_generator_position(const sp_generator *generator);

/* Puts a generator at a position of its stream, which sp_generator_position gave. */
SP_API sp_status sp_generator_set_position(sp_generator *generator, uint64_t position);

/* Draws 32 random bits. 0 for NULL. */
SP_API uint32_t sp_generator_u32(sp_generator *generator);

/* Draws a number in [0, 1) with 53 random bits. 0 for NULL. */
SP_API double sp_generator_uniform(sp_generator *generator);

/* Draws from the standard normal distribution. 0 for NULL. */
SP_API double sp_generator_normal(sp_generator *generator);

/* Draws an integer in [0, n), each as likely as the others. 0 and an error unless n > 0. */
SP_API int64_t sp_generator_below(sp_generator *generator, int64_t n);

SP_END_DECLS

#endif
