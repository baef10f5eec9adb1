/* Pictures: series and charts, image grids, movies. */
#ifndef SPUSK_PLOT_H
#define SPUSK_PLOT_H

#include <spusk/io.h>

SP_BEGIN

/* A named row of points that grows. */
typedef struct sp_series sp_series;

SP_API sp_series *sp_series_new(const char *name);
/* Appends y at x = number of points so far, or at x. */
SP_API sp_status sp_series_push(sp_series *series, double y);
SP_API sp_status sp_series_push_xy(sp_series *series, double x, double y);
SP_API int64_t sp_series_size(const sp_series *series);
SP_API double sp_series_x(const sp_series *series, int64_t i);
SP_API double sp_series_y(const sp_series *series, int64_t i);
SP_API const char *sp_series_name(const sp_series *series);

typedef struct sp_plot_options {
    size_t size;
    const char *title, *x_label, *y_label;
    bool log_y;
    int width, height; /* pixels, default 960 × 600 */
    int64_t smooth;    /* also draw each series averaged over that many points, default none */
} sp_plot_options;

extern SP_API sp_series *const sp_last_series_;
/* Lines in one chart: sp_plot_lines("losses.png", train, val). Needs gnuplot; its script and data stay beside the
 * picture (losses.gp, losses.dat), also when gnuplot is missing, which is an error that says so. */
SP_API sp_status sp_plot_lines_until(const char *path, sp_series *const *series, const sp_plot_options *options);
#define sp_plot_lines(path, ...) sp_plot_lines_until(path, (sp_series *const[]){__VA_ARGS__, sp_last_series_}, NULL)
SP_API sp_status sp_plot_lines_with(const char *path, sp_series *const *series, int n, const sp_plot_options *options);

typedef struct sp_grid_options {
    size_t size;
    int columns;                 /* default: as square as possible */
    int scale;                   /* pixels a pixel, default 2 */
    const char *const *captions; /* one a picture, NULL none; digits, letters, space, and <>-.%:() */
    const bool *marked;          /* a red frame around these */
} sp_grid_options;
/* Images (N, H, W) or (N, 1, H, W), floating in [0, 1] or u8, side by side in one PNG. */
SP_API sp_status sp_plot_images(const char *path, sp_tensor *images, const sp_grid_options *options);
#define sp_plot_images(...) SP__CALL2(sp_plot_images, sp_grid_options, __VA_ARGS__)

/* ---- movies ---- */

typedef struct sp_movie sp_movie;

typedef struct sp_movie_options {
    size_t size;
    double fps;        /* frames a second, default 20; a GIF's at most 50 */
    int scale;         /* pixels a pixel; default: as many as make the longer side of small frames about 280 */
    bool once;         /* played once; default: again and again */
    const char *title; /* of a page, default its path */
} sp_movie_options;

/* A movie by the name's end: .gif, .mp4, or .html (a page that holds an MP4 and plays it). MP4 and page need the
 * program ffmpeg. The file is there, whole, after sp_movie_close; a movie that failed or was never closed leaves an
 * older file of that name as it was. */
SP_API sp_movie *sp_movie_new(const char *path, const sp_movie_options *options);
#define sp_movie_new(...) SP__CALL1(sp_movie_new, sp_movie_options, __VA_ARGS__)
/* Adds a frame: (H, W) or (1, H, W) grey, (3, H, W) colour; u8, or floating in [0, 1], clamped; all of one shape. A
 * frame of another shape or dtype is refused, and the movie can go on. */
SP_API sp_status sp_movie_frame(sp_movie *movie, sp_tensor *frame);
/* Ends the movie and writes its file. A GIF of at most 256 colours (of every grey) shows them exactly; of more, the
 * 255 that fit all frames best. */
SP_API sp_status sp_movie_close(sp_movie *movie);

SP_END_DECLS

#endif
