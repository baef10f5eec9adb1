/* Tensors as pixels. */
#ifndef SPUSK_PLOT_PIXELS_H
#define SPUSK_PLOT_PIXELS_H

#include <spusk/extend.h>
#include <spusk/plot.h>

/* Values in [0, 1] (others are clamped, NaN is black) or bytes as bytes, contiguous, of the same shape. An error that
 * names the function for other dtypes and where there is no pixel. */
sp_tensor *sp__plot_bytes(const char *function, sp_tensor *images);

#endif
