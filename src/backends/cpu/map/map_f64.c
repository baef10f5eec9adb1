/* Element by element in f64: the formulas that are simple. */
#include "backends/cpu/common/f64.h"

typedef double number, element;
typedef vd vector;
typedef mask_f64 mask;
enum { LANES = LANES_f64 };

SP__INLINE vector splat(number x)
{
    return splat_f64(x);
}

SP__INLINE vector fused(vector a, vector b, vector c)
{
    return sp__fma_f64(a, b, c);
}

SP__INLINE vector choose(mask m, vector a, vector b)
{
    return select_f64(m, a, b);
}

SP__INLINE vector magnitude(vector x)
{
    return magnitude_f64(x);
}

SP__INLINE vector root(vector x)
{
    return root_f64(x);
}

SP__INLINE vector load(const char *p, int64_t n)
{
    return load_f64(p, n);
}

SP__INLINE void store(char *p, vector x, int64_t n)
{
    store_f64(p, x, n);
}

#include "backends/cpu/map/formulas_vector.h"

#define F32(...)
#define F32_F64(...) __VA_ARGS__
#define ALL(...) __VA_ARGS__
#include "backends/cpu/map/vector_loops.h"

sp__loop *const SP__HERE(sp__map_f64)[SP__MAP_COUNT] = {
#define SP__VECTORS(KIND, formula, inputs, result, arguments, dtypes) dtypes([SP__##KIND] = formula##_loop, )
#include "backends/cpu/map/vector_kinds.h"
};
