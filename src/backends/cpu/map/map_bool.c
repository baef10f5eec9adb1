/* Logic element by element, of bool: a vector holds as many as it has bytes. */
#include "backends/cpu/common/simd.h"

typedef uint8_t number, element;
typedef uint8_t vector __attribute__((vector_size(SP__VECTOR_BYTES), aligned(1), may_alias));
typedef int8_t mask __attribute__((vector_size(SP__VECTOR_BYTES), aligned(1), may_alias));
enum { LANES = SP__VECTOR_BYTES };

SP__INLINE vector splat(number x)
{
    return x - (vector){0};
}

SP__INLINE vector load(const char *p, int64_t n)
{
    if (n >= LANES) return *(const vector *)p;
    vector x = {0};
    memcpy(&x, p, (size_t)n);
    return x;
}

SP__INLINE void store(char *p, vector x, int64_t n)
{
    if (n >= LANES)
        *(vector *)p = x;
    else
        memcpy(p, &x, (size_t)n);
}

SP__INLINE void store_BOOL(char *p, mask x, int64_t n)
{
    store(p, (vector)x & 1, n);
}

#include "backends/cpu/map/formulas_logic.h"

#define F32(...)
#define F32_F64(...)
#define F32_BOOL(...) __VA_ARGS__
#define ALL(...)
#include "backends/cpu/map/vector_loops.h"

sp__loop *const SP__HERE(sp__map_bool)[SP__MAP_COUNT] = {
#define SP__VECTORS(KIND, formula, inputs, result, arguments, dtypes) dtypes([SP__##KIND] = formula##_loop, )
#include "backends/cpu/map/vector_kinds.h"
};
