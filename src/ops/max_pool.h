/* The windows of a max-pool, which are its attributes. */
#ifndef SPUSK_OPS_MAX_POOL_H
#define SPUSK_OPS_MAX_POOL_H

#include "ops/images.h"

typedef struct sp__pool_windows {
    sp__pair kernel, stride, padding, dilation;
    bool ceil_mode;
    sp__pair size; /* of x */
} sp__pool_windows;

#endif
