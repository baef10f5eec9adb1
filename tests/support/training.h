/* What PyTorch computed while it trained: tests/fixtures/training, written by tools/fixtures_training.py; and the
 * numbers that both sides start from. */
#ifndef SPUSK_TESTS_TRAINING_H
#define SPUSK_TESTS_TRAINING_H

#include <spusk/nn.h>

/* The first n numbers of splitmix64 from a seed. */
void training_words(uint64_t seed, uint64_t *out, int64_t n);
/* The same as doubles in [0, 1). */
void training_uniform(uint64_t seed, double *out, int64_t n);
/* A tensor of those numbers times scale plus shift, rounded from double to its dtype. */
sp_tensor *training_tensor(uint64_t seed, sp_dims dims, double scale, double shift, sp_dtype dtype);
/* Sets the parameters of all layers of a Sequential: the weight first, then the bias. */
void training_set_weights(sp_module *model);

/* The numbers that a line "name number number …" of a file holds, at most room; fails the test when there is none. */
int training_line(const char *file, const char *name, double *out, int room);

#endif
