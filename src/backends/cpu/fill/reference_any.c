/* Values, sequences and random numbers of every dtype, element by element. Random numbers are the same for any number
 * of threads: element i draws from a block that i alone chooses. */
#include "backends/cpu/reference.h"
#include <math.h>

enum { HELD = 64 }; /* blocks that are drawn at once */

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

/* One element, then copies of what has been written: doubling, up to what stays in the first cache. */
static void value(const sp__fill *call, int64_t first, int64_t last)
{
    enum { MOST = 1 << 12 };
    const sp_dtype dtype = call->out.dtype;
    const int64_t item = sp__size_of(dtype), bytes = (last - first) * item;
    char *out = sp__operand_at(&call->out) + first * item;
    if (is_floating(dtype))
        sp__store_f64(dtype, out, call->a);
    else
        sp__store_i64(dtype, out, call->value_i64);
    for (int64_t done = item; done < bytes;) {
        const int64_t ready = done < MOST ? done : MOST, more = ready < bytes - done ? ready : bytes - done;
        memcpy(out + done, out, (size_t)more);
        done += more;
    }
}

/* ---- rows of the table ---- */

static void each(const sp__fill *call, int64_t first, int64_t last,
                 void (*fill)(const sp__fill *call, words *w, char *out, int64_t i))
{
    const int64_t item = sp__size_of(call->out.dtype);
    char *out = sp__operand_at(&call->out);
    words w = {.call = call, .per = sp__fill_per_block(call->kind, call->out.dtype), .first = UINT64_MAX - HELD};
    for (int64_t i = first; i < last; i++) fill(call, &w, out + i * item, i);
}

static void arange(const sp__fill *call, int64_t first, int64_t last)
{
    each(call, first, last, fill_arange);
}

static void uniform_numbers(const sp__fill *call, int64_t first, int64_t last)
{
    each(call, first, last, fill_uniform);
}

static void normal_numbers(const sp__fill *call, int64_t first, int64_t last)
{
    each(call, first, last, fill_normal);
}

static void integers(const sp__fill *call, int64_t first, int64_t last)
{
    each(call, first, last, fill_integer);
}

static void bernoulli(const sp__fill *call, int64_t first, int64_t last)
{
    each(call, first, last, fill_bernoulli);
}

sp__fill_run *const sp__fill_any[SP__FILL_COUNT] = {
    [SP__FILL_VALUE] = value,           [SP__FILL_ARANGE] = arange,    [SP__FILL_UNIFORM] = uniform_numbers,
    [SP__FILL_NORMAL] = normal_numbers, [SP__FILL_INTEGER] = integers, [SP__FILL_BERNOULLI_SCALE] = bernoulli,
};
