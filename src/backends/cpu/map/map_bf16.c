/* Element by element in bf16: what f32's formula gives, rounded once, as the reference does. The casts by vectors make
 * these rows as fast as memory; what is not here stays with the reference. */
#include "backends/cpu/common/bf16.h"
#include "backends/cpu/map/numbers_f32.h"

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
#define ALL(...) __VA_ARGS__
#include "backends/cpu/map/vector_loops.h"

sp__loop *const SP__HERE(sp__map_bf16)[SP__MAP_COUNT] = {
#define SP__VECTORS(KIND, formula, inputs, result, arguments, dtypes) dtypes([SP__##KIND] = formula##_loop, )
#include "backends/cpu/map/vector_kinds.h"
};
