/* Element types and devices. */
#ifndef SPUSK_DTYPE_H
#define SPUSK_DTYPE_H

#include <spusk/macros.h>

SP_BEGIN

typedef enum sp_dtype {
    SP_DTYPE_DEFAULT = 0, /* float, or what the call's own rule says */
    SP_F32,
    SP_F64,
    SP_BF16,
    SP_I64,
    SP_I32,
    SP_U8,
    SP_BOOL,
} sp_dtype;
#define SP_DTYPE_COUNT 8

typedef enum sp_device_kind { SP_CPU = 0 } sp_device_kind;
typedef struct sp_device {
    sp_device_kind kind;
    int index;
} sp_device;

/* PyTorch's name, "float32"; "unknown" for what is no dtype. */
SP_API const char *sp_dtype_name(sp_dtype dtype);

/* The bytes of an element; 0 for what is no dtype. */
SP_API size_t sp_dtype_size(sp_dtype dtype);

/* Whether it is f32, f64 or bf16: dtype.is_floating_point. */
SP_API bool sp_dtype_is_floating_point(sp_dtype dtype);

/* The higher of two dtypes, torch.promote_types: bool < u8 < i32 < i64 < bf16 < f32 < f64. SP_DTYPE_DEFAULT where one
 * is no dtype. */
SP_API sp_dtype sp_promote_types(sp_dtype a, sp_dtype b);

SP_END_DECLS

#endif
