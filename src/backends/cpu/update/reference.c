/* One step of an optimiser in one pass. */
#include "backends/cpu/reference.h"
#include <math.h>

#define T float
#define M(name) name##f
#define FN(name) name##_f32
#include "rules.inc.h"

#define T double
#define M(name) name
#define FN(name) name##_f64
#include "rules.inc.h"
