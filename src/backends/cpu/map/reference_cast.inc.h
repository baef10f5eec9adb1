/* Casts from one type to all. LOAD(p) reads the source as a C; the others store a C as each dtype: TO_I64(c),
 * TO_I32(c), TO_U8(c). FN(name): the function's name; ROW: what to fill in the table. */

#define CAST(to, type, value)                                                                                          \
    static void FN(to)(char *const *data, const int64_t *s, int64_t n, const double *params)                           \
    {                                                                                                                  \
        (void)params;                                                                                                  \
        for (int64_t i = 0; i < n; i++) {                                                                              \
            const C x = LOAD(data[1] + i * s[1]);                                                                      \
            *(type *)(data[0] + i * s[0]) = (value);                                                                   \
        }                                                                                                              \
    }

CAST(f32, float, (float)x)
CAST(f64, double, (double)x)
CAST(bf16, sp__bf16, sp__to_bf16((float)x))
CAST(i64, int64_t, TO_I64(x))
CAST(i32, int32_t, TO_I32(x))
CAST(u8, uint8_t, TO_U8(x))
CAST(truth, uint8_t, x != 0)

sp__loop *const TABLE[SP_DTYPE_COUNT] = {
    [SP_F32] = FN(f32), [SP_F64] = FN(f64), [SP_BF16] = FN(bf16),  [SP_I64] = FN(i64),
    [SP_I32] = FN(i32), [SP_U8] = FN(u8),   [SP_BOOL] = FN(truth),
};

#undef CAST
#undef C
#undef LOAD
#undef FN
#undef TABLE
