/* Products of bf16, summed in f32: by the level's tiles, by vectors and its instruction for pairs, or by vectors of f32
 * numbers. */
#include "numbers_bf16.h"
#if defined(__AMX_BF16__)
#include "amx.h"
#else
#include "products.h"
#include "spin.h"
#endif
#include "batches.h"

sp_status SP__HERE(sp__gemm_bf16)(const sp__gemm *call)
{
    return multiply_batches(call);
}

double SP__HERE(sp__spin_bf16)(int64_t rounds)
{
    return spin(rounds);
}
