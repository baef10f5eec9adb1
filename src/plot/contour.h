/* A contour chart: the still picture and the movie's background. */
#ifndef SPUSK_PLOT_CONTOUR_H
#define SPUSK_PLOT_CONTOUR_H

#include "chart.h"

typedef struct sp__contour {
    sp_tensor *values; /* (rows, columns), f64, contiguous */
    sp_series *const *paths;
    int n_paths;
    bool heads_only; /* paths stand in the legend, but are not drawn */
    const sp_contour_options *options;
    double x_range[2], y_range[2];
    int width, height;            /* of the picture */
    int left, right, top, bottom; /* of the axes, pixels from the picture's left and top */
} sp__contour;

/* Checks and measures. */
sp_status sp__contour_init(sp__contour *contour, const char *function, sp_tensor *values, sp_series *const *paths,
                           int n, const sp_contour_options *options);
/* Begins the chart and writes its data and script. To be freed, also after an error. */
sp_status sp__contour_chart(const sp__contour *contour, sp__chart *chart, const char *path);

#endif
