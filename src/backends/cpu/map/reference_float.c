/* The map kernels of f32, f64 and bf16, which computes in f32 and rounds once at the end. */
#include "backends/cpu/map/formulas_float.h"
#include "backends/cpu/reference.h"

static number param(double x)
{
    return (number)x;
}

#define FLOATS(...) __VA_ARGS__
#define NUMBERS(...) __VA_ARGS__
#include "backends/cpu/map/reference_loops.h"

sp__loop *const SP__OF(sp__map)[SP__MAP_COUNT] = {
#define SP__MAP(KIND, name, text, inputs, result, arguments, dtypes) dtypes([SP__##KIND] = name##_loop, )
#include "backends/map_kinds.h"
#undef SP__MAP
};
