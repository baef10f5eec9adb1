/* One element of any dtype. */
#include "backends/cpu/common/elements.h"

double sp__load_f64(sp_dtype dtype, const void *p)
{
    switch (dtype) {
    case SP_F32: return (double)*(const float *)p;
    case SP_F64: return *(const double *)p;
    case SP_BF16: return (double)sp__from_bf16(*(const sp__bf16 *)p);
    case SP_I64: return (double)*(const int64_t *)p;
    case SP_I32: return *(const int32_t *)p;
    case SP_U8: return *(const uint8_t *)p;
    case SP_BOOL: return *(const uint8_t *)p != 0;
    default: return 0;
    }
}

void sp__store_f64(sp_dtype dtype, void *p, double value)
{
    switch (dtype) {
    case SP_F32: *(float *)p = (float)value; break;
    case SP_F64: *(double *)p = value; break;
    case SP_BF16: *(sp__bf16 *)p = sp__f64_to_bf16(value); break;
    case SP_BOOL: *(uint8_t *)p = value != 0; break;
    default: sp__store_i64(dtype, p, sp__to_i64(value));
    }
}

void sp__store_i64(sp_dtype dtype, void *p, int64_t value)
{
    switch (dtype) {
    case SP_I64: *(int64_t *)p = value; break;
    case SP_I32: *(int32_t *)p = (int32_t)value; break;
    case SP_U8: *(uint8_t *)p = (uint8_t)value; break;
    case SP_BOOL: *(uint8_t *)p = value != 0; break;
    default: sp__store_f64(dtype, p, (double)value);
    }
}
