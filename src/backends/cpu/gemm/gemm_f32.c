/* Products of f32 by vectors. */
#include "numbers_f32.h"
#include "products.h"

#include "batches.h"
#include "spin.h"

sp_status SP__HERE(sp__gemm_f32)(const sp__gemm *call)
{
    return multiply_batches(call);
}

double SP__HERE(sp__spin_f32)(int64_t rounds)
{
    return spin(rounds);
}
