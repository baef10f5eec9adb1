/* Updates of parameters in f32 and f64. */
#include "backends/cpu/common/element.h"
#include "backends/cpu/reference.h"

#if !defined(SP_ELEMENT_BF16)
static inline number fused(number a, number b, number c)
{
    return a * b + c;
}

#include "rules.h"

void SP__OF(sp__update)(const sp__update *call, int64_t first, int64_t last)
{
    run_rule(call, first, last);
}
#endif
