/* Softmax, its kin and running sums along one dimension. */
#include "backends/cpu/reference.h"
#include <math.h>

#define T float
#define C float
#define LOAD(p) (*(p))
#define STORE(p, c) (*(p) = (c))
#define FN(name) name##_f32
#define M(name) name##f
#define TABLE sp__rows_f32
#include "reference.inc.h"

#define T double
#define C double
#define LOAD(p) (*(p))
#define STORE(p, c) (*(p) = (c))
#define FN(name) name##_f64
#define M(name) name
#define TABLE sp__rows_f64
#include "reference.inc.h"

#define T sp__bf16
#define C float
#define LOAD(p) sp__from_bf16(*(p))
#define STORE(p, c) (*(p) = sp__to_bf16(c))
#define FN(name) name##_bf16
#define M(name) name##f
#define TABLE sp__rows_bf16
#include "reference.inc.h"

/* Running sums of integers; the output's dtype is the input's. */
#define CUMSUM(dtype, T)                                                                                               \
    static void running_sum_##dtype(const sp__rows *call, int64_t first, int64_t last, bool from_end)                  \
    {                                                                                                                  \
        for (int64_t r = first; r < last; r++) {                                                                       \
            const int64_t row = r / call->inner * call->n * call->inner + r % call->inner;                             \
            const T *x = (const T *)sp__operand_at(&call->in) + row;                                                   \
            T *y = (T *)sp__operand_at(&call->out) + row;                                                              \
            uint64_t sum = 0;                                                                                          \
            for (int64_t i = 0; i < call->n; i++) {                                                                    \
                const int64_t at = (from_end ? call->n - 1 - i : i) * call->inner;                                     \
                sum += (uint64_t)x[at];                                                                                \
                y[at] = (T)sum;                                                                                        \
            }                                                                                                          \
        }                                                                                                              \
    }                                                                                                                  \
    static void cumsum_##dtype(const sp__rows *call, int64_t first, int64_t last)                                      \
    {                                                                                                                  \
        running_sum_##dtype(call, first, last, false);                                                                 \
    }                                                                                                                  \
    static void cumsum_reverse_##dtype(const sp__rows *call, int64_t first, int64_t last)                              \
    {                                                                                                                  \
        running_sum_##dtype(call, first, last, true);                                                                  \
    }                                                                                                                  \
    sp__rows_run *const sp__rows_##dtype[SP__ROW_COUNT] = {                                                            \
        [SP__CUMSUM] = cumsum_##dtype, [SP__CUMSUM_REVERSE] = cumsum_reverse_##dtype};

CUMSUM(i64, int64_t)
CUMSUM(i32, int32_t)
CUMSUM(u8, uint8_t)
