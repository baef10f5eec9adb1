/* Running sums of integers, which wrap; the output's dtype is the input's. Bool has none. */
#include "backends/cpu/common/element.h"
#include "backends/cpu/reference.h"

#if !defined(SP_ELEMENT_BOOL8)
static void running_sum(const sp__rows *call, int64_t first, int64_t last, bool from_end)
{
    for (int64_t r = first; r < last; r++) {
        const int64_t row = r / call->inner * call->n * call->inner + r % call->inner;
        const element *x = (const element *)sp__operand_at(&call->in) + row;
        element *y = (element *)sp__operand_at(&call->out) + row;
        uint64_t sum = 0;
        for (int64_t i = 0; i < call->n; i++) {
            const int64_t at = (from_end ? call->n - 1 - i : i) * call->inner;
            sum += (uint64_t)load(x + at);
            store(y + at, (number)sum);
        }
    }
}

static void cumsum(const sp__rows *call, int64_t first, int64_t last)
{
    running_sum(call, first, last, false);
}

static void cumsum_reverse(const sp__rows *call, int64_t first, int64_t last)
{
    running_sum(call, first, last, true);
}

sp__rows_run *const SP__OF(sp__rows)[SP__ROW_COUNT] = {[SP__CUMSUM] = cumsum, [SP__CUMSUM_REVERSE] = cumsum_reverse};
#endif
