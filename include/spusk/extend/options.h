/* Reading the options that a call was given: defaults, SP_ZERO, structs that grew since the caller was compiled. */
#ifndef SPUSK_EXTEND_OPTIONS_H
#define SPUSK_EXTEND_OPTIONS_H

#include <spusk/macros.h>
#include <string.h>

SP_BEGIN

/* A number field of an option struct: 0 is `fallback`, SP_ZERO is 0. */
static inline double sp_option(double value, double fallback)
{
    return value == 0 ? fallback : value == (double)SP_ZERO ? 0 : value;
}

/* The same for a field of whole numbers, exact beyond 2^53. */
static inline int64_t sp_option_int(int64_t value, int64_t fallback)
{
    return value == 0 ? fallback : value == SP_ZERO ? 0 : value;
}

/* Copies what the caller's options have (their first field is their size_t size) into `to`, zeroed; NULL has none. */
static inline void sp_options_copy(void *to, size_t size, const void *options)
{
    size_t given = options ? *(const size_t *)options : 0;
    memset(to, 0, size);
    if (options) memcpy(to, options, given < size ? given : size);
}

SP_END_DECLS

#endif
