/* A hash table with open addressing, at most half full. Each map seeds its hash anew, so that nobody can write a file
 * whose names all fall into one slot. */
#include "base/base.h"
#include <spusk/extend/map.h>
#include <string.h>
#include <time.h>

typedef struct sp_map_slot {
    const void *key; /* NULL: free */
    size_t length;
    uint64_t hash;
    int64_t number;
} slot;

enum { FIRST_ROOM = 8 };

static uint64_t stir(uint64_t hash, uint64_t word, uint64_t seed)
{
    hash = (hash ^ word) * seed;
    return hash ^ hash >> 29;
}

static uint64_t hash_of(const sp_map *map, const void *key, size_t length)
{
    uint64_t hash = map->seed ^ length, word = (uintptr_t)key;
    if (length == SP_MAP_ADDRESS) return stir(stir(hash, word, map->seed), 0, map->seed);
    const char *at = key;
    for (size_t left = length; left > 0;) {
        const size_t n = left < sizeof word ? left : sizeof word;
        word = 0;
        memcpy(&word, at, n);
        hash = stir(hash, word, map->seed);
        at += n;
        left -= n;
    }
    return stir(hash, 0, map->seed);
}

/* Odd, so that multiplying by it loses nothing. */
static uint64_t new_seed(const void *slots)
{
    struct timespec now = {0};
    clock_gettime(CLOCK_MONOTONIC, &now);
    const uint64_t time = (uint64_t)now.tv_nsec << 32 ^ (uint64_t)now.tv_sec;
    return stir(0x9e3779b97f4a7c15U, time ^ (uint64_t)(uintptr_t)slots, 0xd1342543de82ef95U) | 1;
}

static bool is_key(const slot *s, const void *key, size_t length, uint64_t hash)
{
    if (s->hash != hash || s->length != length) return false;
    return length == SP_MAP_ADDRESS ? s->key == key : memcmp(s->key, key, length) == 0;
}

/* The key's slot, or the free one that it would take. */
static slot *look_up(const sp_map *map, const void *key, size_t length, uint64_t hash)
{
    size_t at = hash & (map->room - 1);
    while (map->slots[at].key && !is_key(&map->slots[at], key, length, hash)) at = (at + 1) & (map->room - 1);
    return &map->slots[at];
}

int64_t sp_map_find(const sp_map *map, const void *key, size_t length)
{
    if (!map || !key) return sp_raise_null("sp_map_find", map ? "key" : "map"), -1;
    if (!map->slots) return -1;
    const slot *found = look_up(map, key, length, hash_of(map, key, length));
    return found->key ? found->number : -1;
}

static sp_status grow(sp_map *map)
{
    sp_map larger = {.n = map->n, .room = map->room ? 2 * map->room : FIRST_ROOM, .seed = map->seed};
    larger.slots = sp_alloc(larger.room * sizeof *larger.slots);
    if (!larger.slots) return SP_ERROR_MEMORY;
    if (!larger.seed) larger.seed = new_seed(larger.slots);
    for (size_t i = 0; i < map->room; i++) {
        const slot *old = &map->slots[i];
        if (old->key) *look_up(&larger, old->key, old->length, old->hash) = *old;
    }
    sp_map_free(map);
    *map = larger;
    return SP_OK;
}

sp_status sp_map_set(sp_map *map, const void *key, size_t length, int64_t number)
{
    if (!map || !key) return sp_raise_null("sp_map_set", map ? "key" : "map");
    if (2 * (map->n + 1) > map->room && grow(map) != SP_OK) return SP_ERROR_MEMORY;
    const uint64_t hash = hash_of(map, key, length);
    slot *place = look_up(map, key, length, hash);
    if (!place->key) map->n++;
    *place = (slot){key, length, hash, number};
    return SP_OK;
}

void sp_map_free(sp_map *map)
{
    if (!map) return;
    if (map->slots) sp_free(map->slots, map->room * sizeof *map->slots);
    *map = (sp_map){0};
}
