/* Where things stand in a chart: axes that outliers do not squeeze, and labels that do not cover each other. */
#ifndef SPUSK_PLOT_PLACEMENT_H
#define SPUSK_PLOT_PLACEMENT_H

#include <stdint.h>

/* The range that shows n numbers, sorted, with a small margin; both ends 0 where there is no finite one. Where the
 * outermost 1 % of 200 numbers or more would take more than a fifth of the axis, they stay outside. */
void sp__axis_range(const double *sorted, int64_t n, double range[2]);

/* A label by its middle, in pixels. */
typedef struct sp__label {
    double x, y, width, height;
} sp__label;

/* Moves labels that overlap apart, as little as possible, and keeps their middles inside a picture of that size. The
 * same labels always move in the same way. */
void sp__labels_apart(sp__label *labels, int n, double width, double height);

#endif
