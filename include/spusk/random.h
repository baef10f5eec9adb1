/* Random tensors. They draw from `.generator`, else from the calling thread's default generator (generator.h). The same
 * state of a generator gives the same numbers on every machine and with any number of threads. */
#ifndef SPUSK_RANDOM_H
#define SPUSK_RANDOM_H

#include <spusk/tensor.h>

SP_BEGIN

/* Numbers uniform in [0, 1), of the sizes dims. f32 by default; fails for a dtype that is not floating. */
SP_API sp_tensor *sp_rand(sp_dims dims, const sp_tensor_options *options SP_OR_NULL);
#define sp_rand(...) SP__CALL1(sp_rand, sp_tensor_options, __VA_ARGS__)

/* Numbers of the standard normal distribution, of the sizes dims. f32 by default; fails for a dtype that is not
 * floating. */
SP_API sp_tensor *sp_randn(sp_dims dims, const sp_tensor_options *options SP_OR_NULL);
#define sp_randn(...) SP__CALL1(sp_randn, sp_tensor_options, __VA_ARGS__)

/* Integers in [low, high), each as likely as the others, of the sizes dims. i64 by default. Fails unless low < high and
 * the dtype holds both ends. */
SP_API sp_tensor *sp_randint(int64_t low, int64_t high, sp_dims dims, const sp_tensor_options *options SP_OR_NULL);
#define sp_randint(...) SP__CALL3(sp_randint, sp_tensor_options, __VA_ARGS__)

/* The integers 0 … n - 1 in random order: (n), i64. */
SP_API sp_tensor *sp_randperm(int64_t n, const sp_tensor_options *options SP_OR_NULL);
#define sp_randperm(...) SP__CALL1(sp_randperm, sp_tensor_options, __VA_ARGS__)

/* sp_rand in the shape, on the device and, unless options say otherwise, in the dtype of x. */
SP_API sp_tensor *sp_rand_like(const sp_tensor *x, const sp_tensor_options *options SP_OR_NULL);
#define sp_rand_like(...) SP__CALL1(sp_rand_like, sp_tensor_options, __VA_ARGS__)

/* sp_randn in the shape, on the device and, unless options say otherwise, in the dtype of x. */
SP_API sp_tensor *sp_randn_like(const sp_tensor *x, const sp_tensor_options *options SP_OR_NULL);
#define sp_randn_like(...) SP__CALL1(sp_randn_like, sp_tensor_options, __VA_ARGS__)

/* Fills x with numbers uniform in [low, high), below high as x's dtype has it, from the thread's default generator;
 * returns x. Fails for a dtype that is not floating and unless low ≤ high. */
SP_API sp_tensor *sp_uniform_(sp_tensor *x, double low, double high);

/* Fills x with numbers of the normal distribution from the thread's default generator; returns x. Fails for a dtype
 * that is not floating and where std < 0. */
SP_API sp_tensor *sp_normal_(sp_tensor *x, double mean, double std);

SP_END_DECLS

#endif
