/* Vectors of one type, of the level's length. T: the element; I: the integer of its size; FN(name): a name for T;
 * ROOT(x): the square root.
 * Included again for each type; whoever includes it undefines them. */

typedef T FN(vector) __attribute__((vector_size(SP__VECTOR_BYTES), aligned(sizeof(T)), may_alias));
typedef I FN(mask) __attribute__((vector_size(SP__VECTOR_BYTES), aligned(sizeof(T)), may_alias));
enum { FN(LANES) = SP__VECTOR_BYTES / sizeof(T) };

SP__INLINE FN(vector) FN(splat)(T x)
{
    return x - (FN(vector)){0}; /* not 0 + x, which would lose the sign of -0 */
}

/* Where the mask is all ones a, else b. */
SP__INLINE FN(vector) FN(select)(FN(mask) mask, FN(vector) a, FN(vector) b)
{
    return (FN(vector))(((FN(mask))a & mask) | ((FN(mask))b & ~mask));
}

/* Whether any lane's mask is all ones. */
SP__INLINE bool FN(any)(FN(mask) mask)
{
#if defined(__AVX512F__)
    return _mm512_movepi8_mask((__m512i)mask) != 0;
#elif defined(__AVX2__)
    return _mm256_movemask_epi8((__m256i)mask) != 0;
#endif
    uint64_t parts[SP__VECTOR_BYTES / 8], all = 0;
    memcpy(parts, &mask, sizeof parts);
    for (int i = 0; i < SP__VECTOR_BYTES / 8; i++) all |= parts[i];
    return all != 0;
}

SP__INLINE FN(vector) FN(magnitude)(FN(vector) x)
{
    return (FN(vector))((FN(mask))x & ~(FN(mask))FN(splat)((T)-0.0));
}

/* The first n elements at p, or a whole vector of them; zeros behind. p need not be aligned: pairs of bf16 are not. */
SP__INLINE FN(vector) FN(load)(const void *p, int64_t n)
{
    FN(vector) x;
    if (n >= FN(LANES)) return memcpy(&x, p, sizeof x), x;
    return (FN(vector))sp__load_part(p, n * (int64_t)(sizeof(T) / 4));
}

SP__INLINE void FN(store)(void *p, FN(vector) x, int64_t n)
{
    if (n >= FN(LANES))
        *(FN(vector) *)p = x;
    else
        sp__store_part(p, (sp__words)x, n * (int64_t)(sizeof(T) / 4));
}

/* An input of a map: vectors one after the other, or one element again and again. */
typedef struct FN(input) {
    const char *p;
    int64_t step; /* bytes from a vector to the next */
} FN(input);

SP__INLINE FN(input) FN(open_input)(const char *p, int64_t stride, FN(vector) * again)
{
    if (stride) return (FN(input)){p, SP__VECTOR_BYTES};
    *again = FN(splat)(*(const T *)p);
    return (FN(input)){(const char *)again, 0};
}

/* Square roots. The vector extensions have none; the loop over lanes becomes one instruction where the level has it. */
SP__INLINE FN(vector) FN(root)(FN(vector) x)
{
    union {
        FN(vector) v;
        T lanes[FN(LANES)];
    } u = {x};
    for (int i = 0; i < FN(LANES); i++) u.lanes[i] = ROOT(u.lanes[i]);
    return u.v;
}
