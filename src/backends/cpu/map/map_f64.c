/* Element by element in f64: the formulas that are simple. */
#include "backends/cpu/common/numbers_f64.h"

typedef double element;

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
#define F32_BOOL(...)
#define ALL(...) __VA_ARGS__
#include "backends/cpu/map/vector_loops.h"

sp__loop *const SP__HERE(sp__map_f64)[SP__MAP_COUNT] = {
#define SP__VECTORS(KIND, formula, inputs, result, arguments, dtypes) dtypes([SP__##KIND] = formula##_loop, )
#include "backends/cpu/map/vector_kinds.h"
};
