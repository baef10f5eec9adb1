/* For create.c and random.c: the steps in which a function with sp_tensor_options makes a tensor. */
#ifndef SPUSK_TENSOR_CREATE_H
#define SPUSK_TENSOR_CREATE_H

#include "tensor/tensor.h"

/* The options for a tensor like x: those given, but x's device, and x's dtype where none is given. */
sp_status sp__like_options(const char *function, const sp_tensor *x, const sp_tensor_options *options,
                           sp_tensor_options *o);
/* A contiguous tensor of o's dtype, or of `fallback` where o has none. Its values are undefined. */
sp_tensor *sp__new_of(const char *function, sp_dims dims, const sp_tensor_options *o, sp_dtype fallback);
/* Raises when an integer type cannot hold a number, as PyTorch does. */
sp_status sp__check_holds(const char *function, sp_dtype dtype, double value);
/* Runs a fill over a new tensor, then sp__finished. Gives x up when it fails; NULL passes. */
sp_tensor *sp__filled(sp_tensor *x, sp__fill fill, const sp_tensor_options *o);
/* The last step: marks x for gradients if o asks for it. Gives x up when it fails; NULL passes. */
sp_tensor *sp__finished(sp_tensor *x, const sp_tensor_options *o);

#endif
