/* Softmax and its kin of bf16: each result is rounded once. */
#include "backends/cpu/common/bf16.h"

typedef sp__bf16 element;
enum { WHOLE = 0 };

SP__INLINE vf fetch(const element *p, int64_t n)
{
    return from_bf16(load_halves(p, n));
}

SP__INLINE void keep(element *p, vf x, int64_t n)
{
    store_halves(p, to_bf16(x), n);
}

#include "row_loops.h"

sp__rows_run *const SP__HERE(sp__rows_bf16)[SP__ROW_COUNT] = {
    [SP__SOFTMAX] = run,
    [SP__LOG_SOFTMAX] = run,
    [SP__SOFTMAX_BACKWARD] = run,
    [SP__LOG_SOFTMAX_BACKWARD] = run,
};
