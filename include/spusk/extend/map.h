/* A map from names or addresses to numbers, for writers of layers, containers and file formats: where what is looked up
 * may be many, a search through all of it would take time that grows with the square. */
#ifndef SPUSK_EXTEND_MAP_H
#define SPUSK_EXTEND_MAP_H

#include <spusk/status.h>

SP_BEGIN

/* Zeroed, it is empty; sp_map_free ends it. It does not copy keys: what it was given must stay where it is. */
typedef struct sp_map {
    struct sp_map_slot *slots;
    size_t n, room; /* entries, and slots for them */
    uint64_t seed;
} sp_map;

/* As the length of a key: the address itself is the key, not what stands there. */
#define SP_MAP_ADDRESS SIZE_MAX

/* The number of the key of `length` bytes; -1 when there is none. Takes constant time. */
SP_API int64_t sp_map_find(const sp_map *map, const void *key, size_t length);

/* Sets or replaces a key's number. SP_ERROR_MEMORY without memory. */
SP_API sp_status sp_map_set(sp_map *map, const void *key, size_t length, int64_t number);

/* Frees the map's memory; it is empty then. NULL is ignored. */
SP_API void sp_map_free(sp_map *map);

SP_END_DECLS

#endif
