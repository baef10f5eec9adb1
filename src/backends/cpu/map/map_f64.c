/* Element by element in f64: what is simple. */
#include "backends/cpu/common/f64.h"

#define T double
#define V vd
#define FN(name) name##_f64
#define ZERO splat_f64(0.0)
#define ONE splat_f64(1.0)
#include "map.inc.h"

sp__loop *const SP__HERE(sp__map_f64)[SP__MAP_COUNT] = {SIMPLE_ROWS};
