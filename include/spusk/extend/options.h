/* Reading the options that a call was given: defaults, SP_ZERO, structs that grew since the caller was compiled. */
#ifndef SPUSK_EXTEND_OPTIONS_H
#define SPUSK_EXTEND_OPTIONS_H

#include <spusk/macros.h>
#include <string.h>

SP_BEGIN

/* What a number field of an option struct means: fallback where it is 0, 0 where it is SP_ZERO. */
static inline double sp_option(double value, double fallback)
{
    return value == 0 ? fallback : value == (double)SP_ZERO ? 0 : value;
}

/* sp_option for a field of whole numbers, exact beyond 2^53. */
static inline int64_t sp_option_int(int64_t value, int64_t fallback)
{
    return value == 0 ? fallback : value == SP_ZERO ? 0 : value;
}

/* Copies a caller's options, whose first field is their size_t size, into `to`, a struct of `size` bytes. What the
 * caller does not have, because it was compiled earlier or gave NULL, is zero. */
static inline void sp_options_copy(void *to, size_t size, const void *options)
{
    size_t given = options ? *(const size_t *)options : 0;
    memset(to, 0, size);
    if (options) memcpy(to, options, given < size ? given : size);
}

SP_END_DECLS

#endif
