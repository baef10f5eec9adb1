/* The map kernels of i64, i32, u8 and bool. */
#include "backends/cpu/map/formulas_integer.h"

/* A param as an integer: clamps may be infinite, so what does not fit becomes the nearest that does. */
static number param(double x)
{
    if (x != x) return 0;
    return x >= 0x1p63 ? INT64_MAX : x <= -0x1p63 ? INT64_MIN : (number)x;
}

#define FLOATS(...)
#if defined(SP_ELEMENT_BOOL8)
#define NUMBERS(...)
#else
#define NUMBERS(...) __VA_ARGS__
#endif
#include "backends/cpu/map/reference_loops.h"

sp__loop *const SP__OF(sp__map)[SP__MAP_COUNT] = {
#define SP__MAP(KIND, name, text, inputs, result, arguments, dtypes) dtypes([SP__##KIND] = name##_loop, )
#include "backends/map_kinds.h"
#undef SP__MAP
};
