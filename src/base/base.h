/* What every other part stands on: errors, memory, objects and scopes, random numbers, threads. */
#ifndef SPUSK_BASE_H
#define SPUSK_BASE_H

#include <limits.h>
#include <spusk/dtype.h>
#include <spusk/extend/errors.h>
#include <spusk/extend/memory.h>
#include <spusk/extend/object.h>
#include <spusk/extend/sizes.h>
#include <spusk/extend/text.h>
#include <spusk/generator.h>
#include <spusk/memory.h>
#include <spusk/scope.h>
#include <spusk/status.h>
#include <spusk/threads.h>
#include <stdatomic.h>

/* A debug build also makes checks that cost too much in a release: it names an object used after its scope. */
#if !defined(NDEBUG) && !defined(SP_DEBUG)
#define SP_DEBUG 1
#endif

/* ---- element types ---- */

/* One row for each sp_dtype: PyTorch's name, and the bytes of an element. */
typedef struct sp__dtype {
    const char *name;
    int64_t size;
} sp__dtype;
extern const sp__dtype sp__dtypes[SP_DTYPE_COUNT];
/* As sp_dtype_size, for what is known to be a dtype. */
static inline int64_t sp__size_of(sp_dtype dtype)
{
    return sp__dtypes[dtype].size;
}

/* ---- memory ---- */

/* As sp_alloc, but it does not zero the bytes and raises no error. Freed with sp_free. */
void *sp__alloc_raw(size_t size);

/* ---- objects ---- */

enum { SP__LIVE = 0x5B05C0DE, SP__DEAD = 0x0DEAD0B1 };

/* Stands before every object in memory. */
typedef struct sp__object {
    const sp_kind *kind;
    size_t size;             /* of the object behind this head */
    _Atomic(uint64_t) holds; /* see sp__holds_of and sp__inner_holds_of */
    _Atomic(void *) owner;   /* the thread whose scope owns it; NULL: no scope does */
    size_t slot;             /* its place on that thread's stack of objects */
    int32_t depth;           /* of the owning scope */
    atomic_uint mark;        /* SP__LIVE; SP__DEAD after destruction, until the memory is used again */
    const char *origin;      /* what made it, for messages: "add"; a constant string */
    struct sp__object *next; /* while it waits to be released or destroyed */
} sp__object;                /* 64 bytes, so that the object behind is aligned to 64 */
_Static_assert(sizeof(sp__object) == 64, "the object behind the head is aligned to 64");

static inline sp__object *sp__head(const void *object)
{
    return (sp__object *)(uintptr_t)object - 1;
}

/* A zeroed object with one reference that no scope owns: for what only other objects hold. */
void *sp__object_new_unowned(const sp_kind *kind, size_t size);
/* Who holds an object is counted: its scope (or whoever keeps it) holds it once, each container once. A hold is inner
 * when the object itself may lead to its holder. The graph's holds on a tensor are inner, because the tensor holds its
 * history and its gradient. */
#define SP__INNER (UINT64_C(1) << 32)
static inline uint32_t sp__holds_of(uint64_t holds)
{
    return (uint32_t)holds;
}
static inline uint32_t sp__inner_holds_of(uint64_t holds)
{
    return (uint32_t)(holds >> 32);
}
/* One reference more; NULL passes. */
void *sp__ref(void *object);
/* The same for an inner hold, and its end; the object's kind is an sp__looped_kind. */
void *sp__ref_inner(void *object);
void sp__unref_inner(void *object);
/* One reference more, unless only inner holds are left: then nobody will look at the object again. */
bool sp__ref_if_seen(void *object);
/* A kind whose objects may be held, by inner holds, by what they hold themselves. When only inner holds are left,
 * `abandon` lets go of what the object holds, so that no circle keeps itself alive. */
typedef struct sp__looped_kind {
    sp_kind kind;
    void (*abandon)(void *object);
} sp__looped_kind;
/* One reference less; the last one destroys. NULL is ignored. A long chain of objects is destroyed without recursion:
 * when a destroy callback calls sp__unref, what dies waits for the outermost call. */
void sp__unref(void *object);
/* How many references an object has. */
static inline int sp__references(const void *object)
{
    return (int)sp__holds_of(atomic_load_explicit(&sp__head(object)->holds, memory_order_acquire));
}
/* Puts an object that no scope owns under the open scope, which takes over one reference. Without memory it fails, and
 * the reference stays the caller's. */
sp_status sp__own(void *object);
/* Names what made an object, for messages about it. */
void sp__object_set_origin(void *object, const char *origin);
/* The quotation mark around an argument's name; none around its number. */
static inline const char *sp__quote(const char *argument)
{
    return *argument >= '0' && *argument <= '9' ? "" : "'";
}
/* Checks that an argument is a live object of this kind; raises otherwise (NULL: sp_raise_null). `argument` is its name
 * or number. A debug build recognises every object used after its scope, unless many others have died since; a release
 * build recognises most of them. */
sp_status sp__check(const void *object, const sp_kind *kind, const char *function, const char *argument);

/* Whose call a message is about: sp_NAMESUFFIX, a function that the user called (`function`), or an operator. A message
 * raised between enter and leave names the outermost function called, whatever function raised it. Where none was
 * called, a message that names no function begins with "in NAME: ", the innermost operator's. */
typedef struct sp__caller {
    const char *name, *suffix;
    bool function;
    const struct sp__caller *outer;
} sp__caller;
void sp__call_enter(sp__caller *caller);
void sp__call_leave(const sp__caller *caller);

/* The number of holds on an object that is a variable of the library, such as SP_NONE: it is never destroyed. Its head
 * stands before it, aligned to 64. */
#define SP__FOREVER (INT_MAX / 2)

/* Grad mode and mixed precision of the open scope. */
void sp__set_grad_enabled(bool on);
void sp__set_autocast(sp_dtype dtype);
/* The cast of an object of this version that this thread's mixed precision keeps; NULL when it keeps none. */
void *sp__cast_of(const void *object, uint64_t version);
/* Keeps `made` as that cast, in place of an older one, until the mixed precision ends. Holds both. */
sp_status sp__keep_cast(void *object, uint64_t version, void *made);

/* ---- random numbers ---- */

struct sp_generator {
    uint64_t seed;
    uint64_t position; /* in blocks of four 32-bit words; every single draw takes a block */
};
/* Takes `blocks` blocks: returns the position of the first and moves the generator past the last. NULL: the thread's
 * generator. */
uint64_t sp__generator_take(sp_generator *generator, uint64_t blocks);
/* Block `position` of the seed's stream. */
void sp__generator_block(uint64_t seed, uint64_t position, uint32_t out[4]);
/* Two 32-bit words to a double in [0, 1) with 53 bits; one word to a float in [0, 1) with 24 bits. */
double sp__uniform_f64(uint32_t high, uint32_t low);
float sp__uniform_f32(uint32_t word);
/* Two words to a standard normal number, by the inverse distribution function; no libm, no contraction. */
double sp__normal(uint32_t high, uint32_t low);
/* Its parts, for the vector loops that do the same: two of AS 241's rational functions (numerator, denominator), the
 * series of its logarithm, and the third function. */
extern const double sp__normal_central[2][8], sp__normal_tail[2][8], sp__normal_log[12];
double sp__normal_far_tail(double r);

/* ---- threads ---- */

/* Runs body(context, i) for each i in [0, n) on the team, to which the caller belongs, and returns when all are done.
 * Called from inside a body, or with one thread, it runs them in order on the caller. The result must not depend on
 * which thread runs which i. */
void sp__parallel(int64_t n, void (*body)(void *context, int64_t i), void *context);
/* The same, but each thread does its part from the end to the beginning. What it wrote last in the pass before is then
 * still in its cache. */
void sp__parallel_backwards(int64_t n, void (*body)(void *context, int64_t i), void *context);
/* Ends the team's threads; a later sp__parallel starts them again. Does nothing inside a body. */
void sp__threads_stop(void);

#endif
