/* For writers of operators, layers, optimisers, data sets and file formats: all that the library's own parts are made
 * of. Programs that only use them need <spusk/spusk.h> alone. */
#ifndef SPUSK_EXTEND_H
#define SPUSK_EXTEND_H

/* clang-format off */
#include <spusk/extend/errors.h>   /* to raise an error; where it arose */
#include <spusk/extend/memory.h>   /* memory through the allocator */
#include <spusk/extend/object.h>   /* counted objects of one's own */
#include <spusk/extend/options.h>  /* to read the options of a call */
#include <spusk/extend/layout.h>   /* the memory of tensors */
#include <spusk/extend/operator.h> /* operators of one's own */
#include <spusk/extend/layer.h>    /* what a layer prints and saves; modules from descriptions */
#include <spusk/extend/update.h>   /* the optimisers' updates */
#include <spusk/extend/sizes.h>    /* arithmetic on sizes that does not overflow */
#include <spusk/extend/map.h>      /* a map from names or addresses to numbers */
#include <spusk/extend/text.h>     /* text in any locale, and text of unknown origin */
/* clang-format on */

#endif
