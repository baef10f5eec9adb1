/* What all backends share. */
#include "backends/backend.h"

/* A choice has three inputs, its condition among them. */
#define CHOICE 3
#define SAME false
#define BOOL true
const sp__map_about sp__map_kinds[SP__MAP_COUNT] = {
#define SP__MAP(KIND, name, text, inputs, result, arguments, dtypes) [SP__##KIND] = {text, inputs, result},
#include "backends/map_kinds.h"
#undef SP__MAP
};

const sp__backend *sp__backend_of(sp_device device)
{
    if (device.kind == SP_CPU && device.index == 0) return &sp__cpu_backend;
    sp_raise(SP_ERROR_DEVICE, "there is no device of kind %d with index %d", (int)device.kind, device.index);
    return NULL;
}

uint64_t sp__fill_blocks(sp__fill_kind kind, sp_dtype dtype, int64_t n)
{
    if (kind == SP__FILL_VALUE || kind == SP__FILL_ARANGE || n <= 0) return 0;
    const uint64_t per = sp__fill_per_block(kind, dtype);
    return ((uint64_t)n + per - 1) / per;
}
