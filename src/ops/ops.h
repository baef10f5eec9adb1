/* What families of operators share. */
#ifndef SPUSK_OPS_PRIVATE_H
#define SPUSK_OPS_PRIVATE_H

#include "autograd/autograd.h"

#define SP__OP(name) extern const sp_op sp__op_##name;
#include "ops/list.h"
#include <spusk/functional.h>
#include <spusk/indexing.h>
#include <spusk/linalg.h>
#include <spusk/pointwise.h>
#include <spusk/views.h>
#undef SP__OP

/* A sample's call: SP__SAMPLE(sum_last, sp_sum_dim(in[0], -1)); */
#define SP__SAMPLE(name, ...)                                                                                          \
    static sp_tensor *name(sp_tensor *const *in)                                                                       \
    {                                                                                                                  \
        return __VA_ARGS__;                                                                                            \
    }                                                                                                                  \
    _Static_assert(1, "takes the semicolon")

/* All operators, for tests and tools. */
extern const sp_op *const sp__all_ops[];
extern const int sp__n_ops;

#endif
