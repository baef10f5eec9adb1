/* The ISA levels, from the lowest to the highest, and which of them runs. */
#include "backends/cpu/cpu.h"
#include <spusk/machine.h>
#include <stdlib.h>
#if defined(SP_LEVEL_AMX)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

static bool always(void)
{
    return true;
}

extern const sp__level sp__level_generic;
#if defined(SP_LEVELS_X86)
extern const sp__level sp__level_avx2, sp__level_avx512, sp__level_avx512bf16;
#if defined(SP_LEVEL_AMX)
extern const sp__level sp__level_avx512amx;
#endif

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

/* On Intel's processors the instruction for pairs of bf16 is half as fast as those for f32. */
static bool is_fast_by_pairs(void)
{
    return !__builtin_cpu_is("intel");
}

#if defined(SP_LEVEL_AMX)
/* Linux gives the tiles' registers, 8 KB a thread, to a process that asks for them. */
static bool may_use_tiles(void)
{
    enum { REQUEST = 0x1023, TILES = 18 };
#if defined(SYS_arch_prctl)
    return syscall(SYS_arch_prctl, REQUEST, TILES) == 0;
#else
    return false;
#endif
}

static bool has_avx512amx(void)
{
    enum { AMX_BF16 = 1 << 22, AMX_TILE = 1 << 24 };
    unsigned a, b, c, d;
    if (!has_avx512bf16() || !__get_cpuid_count(7, 0, &a, &b, &c, &d)) return false;
    return (d & AMX_BF16) && (d & AMX_TILE) && may_use_tiles();
}
#endif
#elif defined(SP_LEVELS_ARM)
extern const sp__level sp__level_neon;
#endif

static const struct {
    const sp__level *level;
    bool (*runs_here)(void), (*pays_here)(void); /* the second: whether it is chosen unasked */
} levels[] = {
    {&sp__reference, always, always},
    {&sp__level_generic, always, always},
#if defined(SP_LEVELS_X86)
    {&sp__level_avx2, has_avx2, always},
    {&sp__level_avx512, has_avx512, always},
    {&sp__level_avx512bf16, has_avx512bf16, is_fast_by_pairs},
#if defined(SP_LEVEL_AMX)
    {&sp__level_avx512amx, has_avx512amx, always},
#endif
#elif defined(SP_LEVELS_ARM)
    {&sp__level_neon, always, always},
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
        if (levels[i].pays_here() && levels[i].runs_here()) return levels[i].level;
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
