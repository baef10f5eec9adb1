/* Convolution in f32 and f64. */
#include "backends/cpu/conv/conv.h"
#include "backends/cpu/common/bf16.h"

#define STEP 1
#define ACCUMULATE(sum, a, b) ((sum) += (a) * (b))
#define ONE 1
#define UNIT(p, next) (*(p))

#define T float
#define I int32_t
#define S T
#define ACROSS(p, next, n, left) load_some_f32_conv(p, n)
#define NARROW(p, x) store_halves(p, to_bf16(x), LANES_f32)
#define FN(name) name##_f32_conv
#define DTYPE SP_F32
#define WIDEN(p, n) from_bf16(load_halves(p, n))
#define DENSE(call) run_dense_f32_conv(call)
#define IS_SPARSE(call) is_sparse_f32_conv(call)
#define RUN_SPARSE(call) run_sparse_f32_conv(call)
#include "parts.inc.h"

#include "winograd.inc.h"

#include "entries.inc.h"

#include "sparse.inc.h"

#include "run.inc.h"
#undef T
#undef I
#undef DTYPE
#undef ACROSS
#undef WIDEN
#undef NARROW
#undef DENSE
#undef IS_SPARSE
#undef RUN_SPARSE
#undef FN

#define T double
#define I int64_t
#define ACROSS(p, next, n, left) load_some_f64_conv(p, n)
#define NARROW(p, x) ((void)(p), (void)(x))
#define FN(name) name##_f64_conv
#define DTYPE SP_F64
#define WIDEN(p, n) ((void)(p), (void)(n), (vector_f64_conv){0})
#define DENSE(call) run_gathers_f64_conv(call)
#define IS_SPARSE(call) false
#define RUN_SPARSE(call) SP_OK
#include "parts.inc.h"

#include "run.inc.h"
#undef T
#undef I
#undef S
#undef ACROSS
#undef DTYPE
#undef WIDEN
#undef NARROW
#undef DENSE
#undef IS_SPARSE
#undef RUN_SPARSE
#undef FN
#undef STEP
#undef ACCUMULATE
#undef ONE
#undef UNIT

sp_status SP__HERE(sp__conv_f32)(const sp__conv *call)
{
    return sp__conv_arranged(call, SP_F32, run_conv_f32_conv);
}

sp_status SP__HERE(sp__conv_f64)(const sp__conv *call)
{
    return sp__conv_arranged(call, SP_F64, run_conv_f64_conv);
}
