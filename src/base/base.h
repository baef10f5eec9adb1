/* What every other part stands on: errors, memory, objects and scopes, random numbers, threads. */
#ifndef SPUSK_BASE_H
#define SPUSK_BASE_H

#include <spusk/memory.h>
#include <spusk/object.h>
#include <spusk/random.h>
#include <spusk/scope.h>
#include <spusk/status.h>
#include <spusk/threads.h>
#include <stdatomic.h>

/* ---- objects ---- */

enum { SP__LIVE = 0x5B05C0DE, SP__DEAD = 0x0DEAD0B1 };

/* Stands before every object in memory. */
typedef struct sp__object {
    const sp_kind *kind;
    size_t size;      /* of the object behind this head */
    atomic_int refs;  /* holds: one by the scope (or the keeper), one by each container or graph */
    uint32_t mark;    /* SP__LIVE; SP__DEAD in debug builds after destruction */
    int32_t depth;    /* of the owning scope; -1: none */
    uint32_t padding;
    size_t slot;      /* its place on the owning thread's stack of objects */
    const char *origin; /* what made it, for messages: "add"; a constant string */
    void *reserved;
} sp__object; /* 64 bytes, so that the object behind is aligned to 64 */

/* A zeroed object that no scope owns, with one reference, for what only other objects hold. */
void *sp__object_new_unowned(const sp_kind *kind, size_t size);
/* One reference more; NULL passes. */
void *sp__ref(void *object);
/* One less; destroys with the last. NULL is ignored. Deep chains of objects are destroyed without recursion: a destroy
 * callback that calls sp__unref queues what dies for the outermost call. */
void sp__unref(void *object);
/* Puts an object that no scope owns under the open scope, which takes over one reference. Fails without memory. */
sp_status sp__own(void *object);
/* Names what made an object, for messages about it. */
void sp__object_set_origin(void *object, const char *origin);
/* Checks that an object argument is a live object of that kind; raises otherwise (NULL: sp_raise_null). Release builds
 * check NULL and kind; debug builds (SPUSK_DEBUG) also name an object used after its scope. */
sp_status sp__check(const void *object, const sp_kind *kind, const char *function, const char *argument);

/* Grad mode of the open scope. */
void sp__set_grad_enabled(bool on);

/* ---- random numbers ---- */

struct sp_generator {
    uint64_t seed;
    uint64_t position; /* in blocks of four 32-bit words */
    uint32_t block[4]; /* what the single draws have left of a block */
    int used;          /* words used up in it; 4: none left */
};
/* Takes `blocks` blocks: returns the position of the first and moves the generator behind them. */
uint64_t sp__generator_take(sp_generator *generator, uint64_t blocks);
/* Block `position` of the seed's stream. */
void sp__generator_block(uint64_t seed, uint64_t position, uint32_t out[4]);
/* Two 32-bit words to a double in [0, 1) with 53 bits; one word to a float in [0, 1) with 24 bits. */
double sp__uniform_f64(uint32_t high, uint32_t low);
float sp__uniform_f32(uint32_t word);
/* Two words to a standard normal number, by the inverse distribution function; no libm, no contraction. */
double sp__normal(uint32_t high, uint32_t low);

/* ---- threads ---- */

/* Runs body(context, i) for i in [0, n) on the team, the caller among it; returns when all are done. Runs them in order
 * on the caller when called from inside a body, or with one thread. Which thread runs which i must not matter. */
void sp__parallel(int64_t n, void (*body)(void *context, int64_t i), void *context);
/* Ends the team's threads; a later sp__parallel starts them anew. */
void sp__threads_stop(void);

#endif
