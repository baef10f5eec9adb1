/* Pooling in bf16: computed in f32, rounded where the reference rounds. */
#include "backends/cpu/common/bf16.h"
#include "backends/cpu/common/f64.h"

typedef sp__bf16 element;

SP__INLINE vf load_some(const element *p, int64_t n)
{
    return from_bf16(load_halves(p, n));
}

SP__INLINE void store_some(element *p, vf x, int64_t n)
{
    store_halves(p, to_bf16(x), n);
}

#include "backends/cpu/pool/loops.h"

sp__pool_run *const SP__HERE(sp__pool_bf16)[SP__POOL_KINDS] = LOOPS;
