/* Random tensors. They draw from `.generator`, else from the calling thread's default generator (generator.h). */
#ifndef SPUSK_RANDOM_H
#define SPUSK_RANDOM_H

#include <spusk/tensor.h>

SP_BEGIN

/* Uniform in [0, 1); standard normal; integers in [low, high), i64 by default; a permutation of 0 … n-1, i64. */
SP_API sp_tensor *sp_rand(sp_dims dims, const sp_tensor_options *options SP_OR_NULL);
#define sp_rand(...) SP__CALL1(sp_rand, sp_tensor_options, __VA_ARGS__)
SP_API sp_tensor *sp_randn(sp_dims dims, const sp_tensor_options *options SP_OR_NULL);
#define sp_randn(...) SP__CALL1(sp_randn, sp_tensor_options, __VA_ARGS__)
SP_API sp_tensor *sp_randint(int64_t low, int64_t high, sp_dims dims, const sp_tensor_options *options SP_OR_NULL);
#define sp_randint(...) SP__CALL3(sp_randint, sp_tensor_options, __VA_ARGS__)
SP_API sp_tensor *sp_randperm(int64_t n, const sp_tensor_options *options SP_OR_NULL);
#define sp_randperm(...) SP__CALL1(sp_randperm, sp_tensor_options, __VA_ARGS__)

SP_API sp_tensor *sp_rand_like(const sp_tensor *x, const sp_tensor_options *options SP_OR_NULL);
#define sp_rand_like(...) SP__CALL1(sp_rand_like, sp_tensor_options, __VA_ARGS__)
SP_API sp_tensor *sp_randn_like(const sp_tensor *x, const sp_tensor_options *options SP_OR_NULL);
#define sp_randn_like(...) SP__CALL1(sp_randn_like, sp_tensor_options, __VA_ARGS__)

/* Fresh random values from the thread's default generator: uniform in [low, high), below high as x's dtype has it;
 * normal. Floating point. */
SP_API sp_tensor *sp_uniform_(sp_tensor *x, double low, double high);
SP_API sp_tensor *sp_normal_(sp_tensor *x, double mean, double std);

SP_END_DECLS

#endif
