/* Elements of one type in memory. */

typedef T FN(vector) __attribute__((vector_size(SP__VECTOR_BYTES), aligned(sizeof(T)), may_alias));
typedef I FN(mask) __attribute__((vector_size(SP__VECTOR_BYTES), aligned(sizeof(T)), may_alias));
typedef uint8_t FN(bytes) __attribute__((vector_size(SP__VECTOR_BYTES / sizeof(T)), aligned(1), may_alias));
enum { FN(LANES) = SP__VECTOR_BYTES / sizeof(T), FN(NR) = 2 * SP__VECTOR_BYTES / sizeof(T), FN(ROWS) = SP__TILE_ROWS };

static int64_t FN(least)(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* The first of an image operand's units from a channel on. */
static T *FN(of_operand)(const sp__operand *operand, int64_t channel)
{
    return (T *)(void *)((S *)operand->buffer + operand->offset + channel * operand->strides[1]);
}

SP__INLINE FN(vector) FN(load_some)(const T *p, int64_t count)
{
    if (count >= FN(LANES)) return *(const FN(vector) *)p;
    FN(vector) x = {0};
    memcpy(&x, p, (size_t)count * sizeof(T));
    return x;
}

/* Elements of T or of bf16, from the j-th on. */
SP__INLINE FN(vector) FN(load_either)(const void *p, bool narrow, int64_t j, int64_t count)
{
    return narrow ? (FN(vector))WIDEN((const sp__bf16 *)p + j, count) : FN(load_some)((const T *)p + j, count);
}

/* Element i of a result, which is of T or of bf16. */
SP__INLINE void FN(put)(void *buffer, bool narrow, int64_t i, T x)
{
    if (narrow)
        ((sp__bf16 *)buffer)[i] = sp__to_bf16((float)x);
    else
        ((T *)buffer)[i] = x;
}

SP__INLINE void FN(store_either)(void *buffer, bool narrow, int64_t at, FN(vector) x, int64_t count)
{
    if (count >= FN(LANES) && narrow) {
        NARROW((sp__bf16 *)buffer + at, x);
    } else if (count >= FN(LANES)) {
        *(FN(vector) *)((T *)buffer + at) = x;
    } else {
        T values[FN(LANES)];
        memcpy(values, &x, sizeof values);
        for (int64_t i = 0; i < count; i++) FN(put)(buffer, narrow, at + i, values[i]);
    }
}

SP__INLINE void FN(set)(const sp__operand *operand, int64_t i, T x)
{
    FN(put)(operand->buffer, operand->dtype == SP_BF16, operand->offset + i, x);
}

SP__INLINE T FN(get)(const sp__operand *operand, int64_t i)
{
    const int64_t at = operand->offset + i;
    return operand->dtype == SP_BF16 ? (T)sp__from_bf16(((const sp__bf16 *)operand->buffer)[at])
                                     : ((const T *)operand->buffer)[at];
}
