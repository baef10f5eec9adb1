/* Products of f64 by vectors. */
#include "numbers_f64.h"
#include "products.h"

#include "batches.h"
#include "spin.h"

sp_status SP__HERE(sp__gemm_f64)(const sp__gemm *call)
{
    return multiply_batches(call);
}

double SP__HERE(sp__spin_f64)(int64_t rounds)
{
    return spin(rounds);
}
