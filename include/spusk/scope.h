/* Scopes: who owns what the library makes. The contract is in spusk.h. */
#ifndef SPUSK_SCOPE_H
#define SPUSK_SCOPE_H

#include <spusk/dtype.h>
#include <spusk/status.h>

SP_BEGIN

/* An open scope of the calling thread. Its fields are the library's. */
typedef struct sp_scope {
    size_t mark;
    size_t outer_mark;
    int depth;
    bool grad_enabled;
    bool open;
    sp_dtype autocast;
} sp_scope;

/* Opens a scope, which cannot fail; to be closed on the same thread. SP_SCOPE { … } does both. */
SP_API sp_scope sp_scope_open(void);

/* Opens a scope inside which no gradients are recorded. */
SP_API sp_scope sp_scope_open_no_grad(void);

/* Opens a scope inside which gradients are recorded, whatever the mode around it. */
SP_API sp_scope sp_scope_open_grad(void);

/* Opens a scope of mixed precision in SP_BF16; SP_DTYPE_DEFAULT ends it within one. As in torch.autocast on the CPU,
 * products and convolutions run in that dtype; losses, prod and padding by reflection or replication run in f32; all
 * else runs in what it gets, and f64 is left alone. Weights stay as they are: each is cast once in the scope, and again
 * after a change. Gradients arrive in the weights' dtype, and a backward inside the scope runs as it would outside.
 * Another dtype is an error; the scope is then a plain one. */
SP_API sp_scope sp_scope_open_autocast(sp_dtype dtype);

/* The dtype of the mixed precision that is on; SP_DTYPE_DEFAULT where none is. */
SP_API sp_dtype sp_autocast_dtype(void);

/* Closes a scope: drops what was made in it, closes inner scopes that were left open, and restores the grad mode. A
 * second close does nothing. */
SP_API void sp_scope_close(sp_scope *scope);

/* Takes an object (tensor, module, optimiser, loader, list, series, movie …) out of the scope that owns it, or takes
 * one more hold of it where no scope of this thread owns it. The object then lives until sp_release, one for each
 * sp_keep. Returns the object; NULL passes. */
SP_API void *sp_keep(void *object);

/* Hands an object to the scope around the one that owns it. Returns the object; NULL passes. */
SP_API void *sp_escape(void *object);

/* Gives an object up now: the scope's hold where a scope owns it, else the one that sp_keep took. It is an error to
 * give up what is gone, or what only a graph or another thread's scope holds; the error is certain as long as the
 * memory is not used again. */
SP_API void sp_release(void *object);

/* Closes the calling thread's root scope, ends the kernels' threads, gives the pool's memory back. Returns 0, or 1
 * where an error is pending that was never handled (sp_error_clear). To be called last, by the main thread: `return
 * sp_finish();` */
SP_API int sp_finish(void);

/* Whether operations on this thread record gradients now. */
SP_API bool sp_grad_enabled(void);

/* The line's number keeps the names of nested scopes apart. */
#define SP__SCOPE(opened, name)                                                                                        \
    for (sp_scope name SP__CLEANUP(sp_scope_close) = opened, *name##_p = &name; name##_p;                              \
         sp_scope_close(name##_p), name##_p = NULL)
#define SP__SCOPE_LINE(opened, line) SP__SCOPE(opened, sp__scope_##line)
#define SP__SCOPE_AT(opened, line) SP__SCOPE_LINE(opened, line)

/* A block that owns what is made inside it: SP_SCOPE { … }. break and continue end it. */
#define SP_SCOPE SP__SCOPE_AT(sp_scope_open(), __LINE__)

/* A scope inside which nothing is recorded for gradients. */
#define SP_NO_GRAD SP__SCOPE_AT(sp_scope_open_no_grad(), __LINE__)

/* A scope inside which gradients are recorded even within SP_NO_GRAD. */
#define SP_ENABLE_GRAD SP__SCOPE_AT(sp_scope_open_grad(), __LINE__)

/* A scope of mixed precision: SP_AUTOCAST(SP_BF16) { … }. */
#define SP_AUTOCAST(dtype) SP__SCOPE_AT(sp_scope_open_autocast(dtype), __LINE__)

SP_END_DECLS

#endif
