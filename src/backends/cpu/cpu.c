/* The CPU's table, the choice of the ISA level, memory. */
#include "backends/cpu/cpu.h"
#include <spusk/machine.h>
#include <stdlib.h>

/* ---- levels, from the lowest to the highest ---- */

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

/* ---- what kernels share ---- */

sp_status sp__no_kernel(const char *name, sp_dtype dtype)
{
    return sp_raise(SP_ERROR_DTYPE, "%s has no kernel for %s on the CPU", name, sp_dtype_name(dtype));
}

void *sp__scratch(size_t bytes)
{
    void *memory = sp__alloc_raw(bytes);
    if (!memory) sp_raise(SP_ERROR_MEMORY, "no memory for %zu bytes that a kernel needs", bytes);
    return memory;
}

void sp__tasks(int64_t n, void (*body)(void *context, int64_t i), void *context)
{
    if (n == 1)
        body(context, 0);
    else if (n > 1)
        sp__parallel(n, body, context);
}

typedef struct ranges {
    int64_t n, grain;
    void (*body)(const void *context, int64_t first, int64_t last);
    const void *context;
} ranges;

static void run_range(void *context, int64_t task)
{
    const ranges *r = context;
    const int64_t first = task * r->grain, last = first + r->grain;
    r->body(r->context, first, last < r->n ? last : r->n);
}

void sp__ranges(int64_t n, int64_t grain, void (*body)(const void *context, int64_t first, int64_t last),
                const void *context)
{
    ranges r = {n, grain, body, context};
    sp__tasks((n + grain - 1) / grain, run_range, &r);
}

#if defined(__x86_64__)
enum { FLUSH = 0x8040 }; /* results and operands */

static uint64_t flush_subnormals(void)
{
    const unsigned was = __builtin_ia32_stmxcsr();
    __builtin_ia32_ldmxcsr(was | FLUSH);
    return was;
}

static void restore_subnormals(uint64_t was)
{
    __builtin_ia32_ldmxcsr((unsigned)was);
}
#elif defined(__aarch64__)
static uint64_t flush_subnormals(void)
{
    uint64_t was;
    __asm__ volatile("mrs %0, fpcr" : "=r"(was));
    __asm__ volatile("msr fpcr, %0" : : "r"(was | (1u << 24)));
    return was;
}

static void restore_subnormals(uint64_t was)
{
    __asm__ volatile("msr fpcr, %0" : : "r"(was));
}
#else
static uint64_t flush_subnormals(void)
{
    return 0;
}

static void restore_subnormals(uint64_t was)
{
    (void)was;
}
#endif

typedef struct flushed {
    void (*body)(void *context, int64_t i);
    void *context;
} flushed;

static void run_flushed(void *context, int64_t i)
{
    const flushed *f = context;
    const uint64_t was = flush_subnormals();
    f->body(f->context, i);
    restore_subnormals(was);
}

void sp__flushed_tasks(int64_t n, void (*body)(void *context, int64_t i), void *context)
{
    flushed f = {body, context};
    sp__tasks(n, run_flushed, &f);
}

double sp__load_f64(sp_dtype dtype, const void *p)
{
    switch (dtype) {
    case SP_F32: return (double)*(const float *)p;
    case SP_F64: return *(const double *)p;
    case SP_BF16: return (double)sp__from_bf16(*(const sp__bf16 *)p);
    case SP_I64: return (double)*(const int64_t *)p;
    case SP_I32: return *(const int32_t *)p;
    case SP_U8: return *(const uint8_t *)p;
    case SP_BOOL: return *(const uint8_t *)p != 0;
    default: return 0;
    }
}

void sp__store_f64(sp_dtype dtype, void *p, double value)
{
    switch (dtype) {
    case SP_F32: *(float *)p = (float)value; break;
    case SP_F64: *(double *)p = value; break;
    case SP_BF16: *(sp__bf16 *)p = sp__f64_to_bf16(value); break;
    case SP_BOOL: *(uint8_t *)p = value != 0; break;
    default: sp__store_i64(dtype, p, sp__to_i64(value));
    }
}

void sp__store_i64(sp_dtype dtype, void *p, int64_t value)
{
    switch (dtype) {
    case SP_I64: *(int64_t *)p = value; break;
    case SP_I32: *(int32_t *)p = (int32_t)value; break;
    case SP_U8: *(uint8_t *)p = (uint8_t)value; break;
    case SP_BOOL: *(uint8_t *)p = value != 0; break;
    default: sp__store_f64(dtype, p, (double)value);
    }
}

/* ---- memory ---- */

static void *cpu_alloc(size_t bytes)
{
    return sp__alloc_raw(bytes);
}

static void cpu_free(void *buffer, size_t bytes)
{
    sp_free(buffer, bytes);
}

static sp_status cpu_copy_in(void *buffer, size_t offset, const void *from, size_t bytes)
{
    if (bytes) memcpy((char *)buffer + offset, from, bytes);
    return SP_OK;
}

static sp_status cpu_copy_out(const void *buffer, size_t offset, void *to, size_t bytes)
{
    if (bytes) memcpy(to, (const char *)buffer + offset, bytes);
    return SP_OK;
}

static sp_status cpu_wait(void)
{
    return SP_OK;
}

static void *cpu_host(void *buffer)
{
    return buffer;
}

const sp__backend sp__cpu_backend = {
    .name = "cpu",
    .alloc = cpu_alloc,
    .free = cpu_free,
    .copy_in = cpu_copy_in,
    .copy_out = cpu_copy_out,
    .wait = cpu_wait,
    .host = cpu_host,
    .map = sp__cpu_map,
    .reduce = sp__cpu_reduce,
    .rows = sp__cpu_rows,
    .gemm = sp__cpu_gemm,
    .conv = sp__cpu_conv,
    .conv_takes = sp__cpu_conv_takes,
    .index = sp__cpu_index,
    .pool = sp__cpu_pool,
    .resample = sp__cpu_resample,
    .norm = sp__cpu_norm,
    .fill = sp__cpu_fill,
    .nll = sp__cpu_nll,
    .fused = sp__cpu_fused,
    .eigh = sp__cpu_eigh,
};
