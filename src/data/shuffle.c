/* The order of a shuffled epoch. */
#include "data_private.h"

/* The random words of one epoch. The second half of the counter keeps them apart from the streams of examples. */
typedef struct words {
    uint64_t seed, epoch;
    uint32_t blocks, block[4];
    int used;
} words;

static uint32_t next_word(words *w)
{
    if (w->used == 4) {
        const uint32_t counter[4] = {w->blocks++, 0x0DE4C0DE, (uint32_t)w->epoch, (uint32_t)(w->epoch >> 32)};
        const uint32_t key[2] = {(uint32_t)w->seed, (uint32_t)(w->seed >> 32)};
        sp_philox(w->block, counter, key);
        w->used = 0;
    }
    return w->block[w->used++];
}

/* A number from 0 to `last`, all equally likely. Numbers of as many bits as `last` has are drawn until one is small
 * enough. */
static uint64_t up_to(words *w, uint64_t last)
{
    uint64_t mask = last;
    for (int shift = 1; shift < 64; shift *= 2) mask |= mask >> shift;
    for (;;) {
        uint64_t number = next_word(w);
        if (mask > UINT32_MAX) number = number << 32 | next_word(w);
        number &= mask;
        if (number <= last) return number;
    }
}

/* Fisher and Yates's shuffle. */
int64_t *sp__shuffled(int64_t n, uint64_t seed, int64_t epoch)
{
    int64_t *order = sp_alloc(sp_size_bytes(n, sizeof *order));
    if (!order) return NULL;
    for (int64_t i = 0; i < n; i++) order[i] = i;
    words w = {.seed = seed, .epoch = (uint64_t)epoch, .used = 4};
    for (int64_t i = n - 1; i > 0; i--) {
        int64_t j = (int64_t)up_to(&w, (uint64_t)i), moved = order[i];
        order[i] = order[j];
        order[j] = moved;
    }
    return order;
}
