/* Included before every file that clang-tidy reads, and by nothing else. Code asks for the error's status where it
 * noticed a failure; that a failure always leaves an error pending, clang's analyzer cannot see across files. */
#ifndef SPUSK_TOOLS_ANALYZER_H
#define SPUSK_TOOLS_ANALYZER_H

#include <spusk/extend/errors.h>
#include <spusk/status.h>

static inline sp_status sp__analyzer_failed(sp_status status)
{
    if (status == SP_OK) __builtin_unreachable();
    return status;
}

#define sp_error_status() sp__analyzer_failed((sp_error_status)())
#define sp_raise(...) sp__analyzer_failed((sp_raise)(__VA_ARGS__))
#define sp_raise_null(...) sp__analyzer_failed((sp_raise_null)(__VA_ARGS__))

#endif
