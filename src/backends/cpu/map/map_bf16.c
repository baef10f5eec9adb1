/* Element by element in bf16: what f32's formula gives, rounded once. What is as fast as memory has a loop of its own;
 * all else goes through f32's loops a piece at a time, by casts that stay in the first cache. */
#include "backends/cpu/common/bf16.h"
#include "backends/cpu/common/numbers_f32.h"

typedef sp__bf16 element;

SP__INLINE vector load(const char *p, int64_t n)
{
    return from_bf16(load_halves((const element *)(const void *)p, n));
}

SP__INLINE void store(char *p, vector x, int64_t n)
{
    store_halves((element *)(void *)p, to_bf16(x), n);
}

#include "backends/cpu/map/formulas_vector.h"

#define F32(...)
#define F32_F64(...)
#define F32_BOOL(...)
#define ALL(...) __VA_ARGS__
#include "backends/cpu/map/vector_loops.h"

/* ---- by f32's loops ---- */

enum { PIECE = 512 };

static void widen_input(float *out, const char *in, int64_t n)
{
    for (int64_t i = 0; i < n; i += LANES) store_f32(out + i, load(in + i * (int64_t)sizeof(element), n - i), n - i);
}

static void narrow_output(char *out, const float *in, int64_t n)
{
    for (int64_t i = 0; i < n; i += LANES) store(out + i * (int64_t)sizeof(element), load_f32(in + i, n - i), n - i);
}

static void through_f32(sp__map_kind kind, char *const *data, const int64_t *s, int64_t n, const double *params)
{
    _Alignas(SP__VECTOR_BYTES) float wide[4][PIECE];
    const int inputs = sp__map_kinds[kind].inputs, first = kind == SP__WHERE ? 2 : 1;
    const bool gives_bool = sp__map_kinds[kind].gives_bool;
    for (int64_t i = 0; i < n; i += PIECE) {
        const int64_t here = n - i < PIECE ? n - i : PIECE;
        char *piece[4] = {gives_bool ? data[0] + i : (char *)wide[0], data[1] + i * s[1]};
        int64_t strides[4] = {gives_bool ? 1 : (int64_t)sizeof(float), s[1]};
        for (int k = first; k <= inputs; k++) {
            piece[k] = (char *)wide[k];
            strides[k] = s[k] ? (int64_t)sizeof(float) : 0;
            widen_input(wide[k], data[k] + i * s[k], s[k] ? here : 1);
        }
        SP__HERE(sp__map_f32)[kind](piece, strides, here, params);
        if (!gives_bool) narrow_output(data[0] + i * s[0], wide[0], here);
    }
}

#define THROUGH(KIND)                                                                                                  \
    static void KIND##_through(char *const *data, const int64_t *s, int64_t n, const double *params)                   \
    {                                                                                                                  \
        through_f32(SP__##KIND, data, s, n, params);                                                                   \
    }
#undef F32
#undef F32_F64
#undef F32_BOOL
#undef ALL
#define F32(KIND) THROUGH(KIND)
#define F32_F64(KIND) THROUGH(KIND)
#define F32_BOOL(KIND) THROUGH(KIND)
#define ALL(KIND)
#define SP__VECTORS(KIND, formula, inputs, result, arguments, dtypes) dtypes(KIND)
#include "backends/cpu/map/vector_kinds.h"
#undef SP__VECTORS

#undef F32
#undef F32_F64
#undef F32_BOOL
#undef ALL
#define F32(KIND, formula) [SP__##KIND] = KIND##_through,
#define F32_F64(KIND, formula) [SP__##KIND] = KIND##_through,
#define F32_BOOL(KIND, formula) [SP__##KIND] = KIND##_through,
#define ALL(KIND, formula) [SP__##KIND] = formula##_loop,
sp__loop *const SP__HERE(sp__map_bf16)[SP__MAP_COUNT] = {
#define SP__VECTORS(KIND, formula, inputs, result, arguments, dtypes) dtypes(KIND, formula)
#include "backends/cpu/map/vector_kinds.h"
};
