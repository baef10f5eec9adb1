/* The ISA levels, from the lowest to the highest, and which of them runs. */
#include "backends/cpu/cpu.h"
#include <spusk/machine.h>
#include <stdlib.h>

static bool always(void)
{
    return true;
}

extern const sp__level sp__level_generic;
#if defined(SP_LEVELS_X86)
extern const sp__level sp__level_avx2, sp__level_avx512, sp__level_avx512bf16;

static bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

static bool has_avx512(void)
{
    return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}

static bool has_avx512bf16(void)
{
    return has_avx512() && __builtin_cpu_supports("avx512bf16");
}
#elif defined(SP_LEVELS_ARM)
extern const sp__level sp__level_neon;
#endif

static const struct {
    const sp__level *level;
    bool (*runs_here)(void);
} levels[] = {
    {&sp__reference, always},    {&sp__level_generic, always},
#if defined(SP_LEVELS_X86)
    {&sp__level_avx2, has_avx2}, {&sp__level_avx512, has_avx512}, {&sp__level_avx512bf16, has_avx512bf16},
#elif defined(SP_LEVELS_ARM)
    {&sp__level_neon, always},
#endif
};
enum { LEVELS = sizeof levels / sizeof levels[0] };

static const sp__level *find_level(const char *name)
{
    for (int i = 0; i < LEVELS; i++) {
        if (strcmp(levels[i].level->name, name) == 0) return levels[i].runs_here() ? levels[i].level : NULL;
    }
    return NULL;
}

static const sp__level *choose_level(void)
{
    const char *wanted = getenv("SPUSK_ISA");
    if (wanted && *wanted) {
        const sp__level *level = find_level(wanted);
        if (level) return level;
        sp_warn("SPUSK_ISA is '%s': this machine has no such level; the highest is used", wanted);
    }
    for (int i = LEVELS - 1; i > 0; i--) {
        if (levels[i].runs_here()) return levels[i].level;
    }
    return levels[0].level;
}

/* Two threads that come first at once choose the same level. */
static _Atomic(const sp__level *) current;

const sp__level *sp__cpu_level(void)
{
    const sp__level *level = atomic_load_explicit(&current, memory_order_relaxed);
    if (level) return level;
    level = choose_level();
    atomic_store_explicit(&current, level, memory_order_relaxed);
    return level;
}

bool sp__cpu_set_level(const char *name)
{
    const sp__level *level = name ? find_level(name) : choose_level();
    if (level) atomic_store(&current, level);
    return level != NULL;
}

const char *sp_isa(void)
{
    return sp__cpu_level()->name;
}

sp_status sp__no_kernel(const char *name, sp_dtype dtype)
{
    return sp_raise(SP_ERROR_DTYPE, "%s has no kernel for %s on the CPU", name, sp_dtype_name(dtype));
}
