/* Softmax and its kin of f32. */
#include "backends/cpu/common/f32.h"

typedef float element;
enum { WHOLE = 1 };

SP__INLINE vf fetch(const element *p, int64_t n)
{
    return load_f32(p, n);
}

SP__INLINE void keep(element *p, vf x, int64_t n)
{
    store_f32(p, x, n);
}

#include "row_loops.h"

sp__rows_run *const SP__HERE(sp__rows_f32)[SP__ROW_COUNT] = {
    [SP__SOFTMAX] = run,
    [SP__LOG_SOFTMAX] = run,
    [SP__SOFTMAX_BACKWARD] = run,
    [SP__LOG_SOFTMAX_BACKWARD] = run,
};
