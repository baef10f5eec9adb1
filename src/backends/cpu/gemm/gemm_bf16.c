/* Products of bf16 by vectors, summed in f32: by the level's instruction for pairs, or by f32 numbers. */
#include "numbers_bf16.h"
#include "products.h"
#include "spin.h"

sp_status SP__HERE(sp__gemm_bf16)(const sp__gemm *call)
{
    return multiply_batches(call);
}

double SP__HERE(sp__spin_bf16)(int64_t rounds)
{
    return spin(rounds);
}
