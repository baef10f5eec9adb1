/* Values, sequences and random numbers into contiguous memory. Random numbers are the same for any number of threads:
 * element i draws from a block that i alone chooses. */
#include "backends/cpu/cpu.h"
#include <math.h>

enum { HELD = 64, FILL_GRAIN = 8192 }; /* blocks held; elements to a task, whole blocks */

typedef struct words {
    const sp__fill *call;
    uint64_t per, first; /* elements to a block; the first block held; at the start one that is never drawn */
    uint32_t word[HELD][4];
} words;

static void hold(words *w, uint64_t first)
{
    const sp__level *level = sp__cpu_level();
    const uint64_t position = w->call->position + first;
    if (level->philox) {
        level->philox(w->call->seed, position, HELD, w->word[0]);
    } else {
        for (uint64_t i = 0; i < HELD; i++) sp__generator_block(w->call->seed, position + i, w->word[i]);
    }
    w->first = first;
}

/* The words that element i draws. */
static const uint32_t *draw(words *w, int64_t i)
{
    const uint64_t block = (uint64_t)i / w->per;
    if (block - w->first >= HELD) hold(w, block);
    return w->word[block - w->first] + (uint64_t)i % w->per * (4 / w->per);
}

static double uniform(words *w, int64_t i)
{
    const uint32_t *word = draw(w, i);
    return w->per == 4 ? (double)sp__uniform_f32(word[0]) : sp__uniform_f64(word[0], word[1]);
}

/* ---- one element of each kind ---- */

/* The dtype's number before b, which is one of its numbers. */
static double below(sp_dtype dtype, double b)
{
    if (dtype == SP_F64) return nextafter(b, -(double)INFINITY);
    if (dtype == SP_F32) return (double)nextafterf((float)b, -INFINITY);
    sp__bf16 bits = sp__to_bf16((float)b); /* a bf16 is the upper half of an f32, and its neighbour differs by one */
    bits = bits == 0 ? 0x8001 : (sp__bf16)(bits & 0x8000 ? bits + 1 : bits - 1);
    return (double)sp__from_bf16(bits);
}

static double rounded(sp_dtype dtype, double x)
{
    return dtype == SP_F64 ? x : dtype == SP_F32 ? (double)(float)x : (double)sp__from_bf16(sp__to_bf16((float)x));
}

static void fill_uniform(const sp__fill *call, words *w, char *out, int64_t i)
{
    const sp_dtype dtype = call->out.dtype;
    const double x = call->a + (call->b - call->a) * uniform(w, i);
    const double begin = rounded(dtype, call->a), end = rounded(dtype, call->b);
    const bool reaches = call->a < call->b && rounded(dtype, x) >= end;
    sp__store_f64(dtype, out, reaches ? begin < end ? below(dtype, end) : begin : x);
}

static void fill_normal(const sp__fill *call, words *w, char *out, int64_t i)
{
    const uint32_t *word = draw(w, i);
    const double z = sp__normal(word[0], word[1]);
    sp__store_f64(call->out.dtype, out, call->a + call->b * z);
}

static void fill_integer(const sp__fill *call, words *w, char *out, int64_t i)
{
    const uint32_t *word = draw(w, i);
    const uint64_t x = (uint64_t)word[0] << 32 | word[1], range = (uint64_t)call->step_i64;
    __extension__ typedef unsigned __int128 wide;
    const uint64_t drawn = (uint64_t)((wide)x * range >> 64);
    sp__store_i64(call->out.dtype, out, (int64_t)((uint64_t)call->value_i64 + drawn));
}

static void fill_bernoulli(const sp__fill *call, words *w, char *out, int64_t i)
{
    sp__store_f64(call->out.dtype, out, uniform(w, i) < call->a ? call->b : 0);
}

static bool is_floating(sp_dtype dtype)
{
    return dtype == SP_F32 || dtype == SP_F64 || dtype == SP_BF16;
}

static void fill_arange(const sp__fill *call, words *w, char *out, int64_t i)
{
    (void)w;
    const sp_dtype dtype = call->out.dtype;
    if (is_floating(dtype))
        sp__store_f64(dtype, out, call->a + (double)i * call->b);
    else
        sp__store_i64(dtype, out, (int64_t)((uint64_t)call->value_i64 + (uint64_t)i * (uint64_t)call->step_i64));
}

/* One element, then copies of what has been written, doubling. */
static void fill_value(const sp__fill *call, char *out, int64_t n)
{
    const sp_dtype dtype = call->out.dtype;
    if (is_floating(dtype))
        sp__store_f64(dtype, out, call->a);
    else
        sp__store_i64(dtype, out, call->value_i64);
    const int64_t bytes = n * sp__size_of(dtype);
    for (int64_t done = sp__size_of(dtype); done < bytes;) {
        const int64_t more = done < bytes - done ? done : bytes - done;
        memcpy(out + done, out, (size_t)more);
        done += more;
    }
}

/* ---- the call ---- */

static void fill_task(void *context, int64_t task)
{
    static void (*const kinds[])(const sp__fill *, words *, char *, int64_t) = {
        [SP__FILL_ARANGE] = fill_arange,   [SP__FILL_UNIFORM] = fill_uniform,           [SP__FILL_NORMAL] = fill_normal,
        [SP__FILL_INTEGER] = fill_integer, [SP__FILL_BERNOULLI_SCALE] = fill_bernoulli,
    };
    const sp__fill *call = context;
    const int64_t first = task * FILL_GRAIN, end = first + FILL_GRAIN, last = end < call->n ? end : call->n;
    const int64_t item = sp__size_of(call->out.dtype);
    char *out = sp__operand_at(&call->out);
    if (call->kind == SP__FILL_VALUE) {
        fill_value(call, out + first * item, last - first);
        return;
    }
    sp__fill_run *const *fast = sp__cpu_level()->of[call->out.dtype].fill;
    if (fast && fast[call->kind]) {
        fast[call->kind](call, first, last);
        return;
    }
    words w = {.call = call, .per = sp__fill_per_block(call->kind, call->out.dtype), .first = UINT64_MAX - HELD};
    for (int64_t i = first; i < last; i++) kinds[call->kind](call, &w, out + i * item, i);
}

sp_status sp__cpu_fill(const sp__fill *call)
{
    sp__tasks((call->n + FILL_GRAIN - 1) / FILL_GRAIN, fill_task, (void *)(uintptr_t)call);
    return SP_OK;
}
