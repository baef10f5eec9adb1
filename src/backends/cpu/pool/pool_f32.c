/* Pooling in f32. */
#include "backends/cpu/common/f32.h"
#include "backends/cpu/common/f64.h"

typedef float element;

SP__INLINE vf load_some(const element *p, int64_t n)
{
    return load_f32(p, n);
}

SP__INLINE void store_some(element *p, vf x, int64_t n)
{
    store_f32(p, x, n);
}

#include "backends/cpu/pool/loops.h"

sp__pool_run *const SP__HERE(sp__pool_f32)[SP__POOL_KINDS] = LOOPS;
