#include "fuzz/fuzz.h"
#include <stdio.h>
#include <string.h>

static uint64_t hash_of(const char *name)
{
    uint64_t hash = UINT64_C(0xCBF29CE484222325); /* FNV-1a */
    for (; *name; name++) hash = (hash ^ (uint8_t)*name) * UINT64_C(0x100000001B3);
    return hash;
}

fuzz_case fuzz_draw(const fuzz_subject *subject, uint64_t seed, int64_t round, int attempt)
{
    fuzz_random r = {hash_of(subject->name) ^ seed * UINT64_C(0xD1342543DE82EF95) ^ (uint64_t)round << 32};
    fuzz_word(&r);
    fuzz_case c = {.subject = subject,
                   .seed = fuzz_word(&r),
                   .level = (int)fuzz_between(&r, 0, 59),
                   .threads = (int)(fuzz_one_of(&r, 2, 3, 4, 7)),
                   .no_grad = fuzz_chance(&r, 20)};
    subject->draw(&c, &r, attempt);
    return c;
}

static int input_text(const fuzz_input *in, char *text, size_t size)
{
    int at = snprintf(text, size, "\n    %s [", sp_dtype_name(in->dtype));
    for (int d = 0; d < in->ndim; d++)
        at += snprintf(text + at, size - (size_t)at, d ? ", %lld" : "%lld", (long long)in->sizes[d]);
    return at + snprintf(text + at, size - (size_t)at, "] in [%g, %g]%s, seed %llu, layout %llu", in->low, in->high,
                         in->special ? " and special" : "", (unsigned long long)in->seed,
                         (unsigned long long)in->layout);
}

const char *fuzz_text(const fuzz_case *c)
{
    static char text[2000];
    int at = snprintf(text, sizeof text, "%s", c->subject->name);
    if (c->sample) at += snprintf(text + at, sizeof text - (size_t)at, " (%.200s)", c->sample->torch);
    at += snprintf(text + at, sizeof text - (size_t)at, ", level %d, %d threads%s, options", c->level, c->threads,
                   c->no_grad ? ", no gradients" : "");
    for (int i = 0; i < FUZZ_WHOLES; i++)
        at += snprintf(text + at, sizeof text - (size_t)at, " %lld", (long long)c->whole[i]);
    for (int i = 0; i < FUZZ_REALS; i++) at += snprintf(text + at, sizeof text - (size_t)at, " %g", c->real[i]);
    for (int i = 0; i < c->n; i++) at += input_text(&c->in[i], text + at, sizeof text - (size_t)at);
    return text;
}
