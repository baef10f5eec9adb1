/* Pictures: series and charts, image grids, movies. */
#ifndef SPUSK_PLOT_H
#define SPUSK_PLOT_H

#include <spusk/io.h>

SP_BEGIN

/* A named row of points that grows. */
typedef struct sp_series sp_series;

/* A series without points. Its name is copied, and stands in legends. */
SP_API sp_series *sp_series_new(const char *name);

/* Appends y at x = the number of points so far. */
SP_API sp_status sp_series_push(sp_series *series, double y);

/* Appends the point (x, y). */
SP_API sp_status sp_series_push_xy(sp_series *series, double x, double y);

/* The number of points; 0 for NULL. */
SP_API int64_t sp_series_length(const sp_series *series);

/* The x of point i; NaN and an error when i is out of range. */
SP_API double sp_series_x(const sp_series *series, int64_t i);

/* The y of point i; NaN and an error when i is out of range. */
SP_API double sp_series_y(const sp_series *series, int64_t i);

/* The name of the series; "" for NULL. */
SP_API const char *sp_series_name(const sp_series *series);

/* Where a chart says which line is which. */
typedef enum sp_legend {
    SP_LEGEND_TOP_RIGHT = 0,
    SP_LEGEND_TOP_LEFT,
    SP_LEGEND_BOTTOM_RIGHT,
    SP_LEGEND_BOTTOM_LEFT,
    SP_LEGEND_OUTSIDE, /* at the right of the axes */
    SP_LEGEND_BELOW,
    SP_LEGEND_NONE,
} sp_legend;

typedef struct sp_plot_options {
    size_t size;
    const char *title, *x_label, *y_label;
    bool log_y;
    int width, height; /* pixels, default 960 × 600 */
    int64_t smooth;    /* also draw each series averaged over that many points, default none */
    bool log_x, log_right;
    sp_legend legend;
    double x_range[2], y_range[2], right_range[2]; /* default: what is drawn; both 0 mean the default */
    int right;                                     /* the last so many series are measured on an axis at the right */
    const char *right_label;
    int dashed; /* the last so many series are dashed, to be told from those that they cover */
    bool twins; /* the dashed series have the colours and shapes of the first ones, in order */
    SP_OPTIONS_END;
} sp_plot_options;

/* A list of series: a borrowed pointer and a count. SP_SERIES(train, val) makes one for a call. */
typedef struct sp_series_list {
    sp_series *const *data;
    int n;
} sp_series_list;
#ifdef __cplusplus
#define SP_SERIES(...) sp__series_of(sp__list_of<sp_series *>(__VA_ARGS__))
#else
#define SP_SERIES(...)                                                                                                 \
    ((sp_series_list){SP__LIST(sp_series *, __VA_ARGS__), (int)SP__LIST_SIZE(sp_series *, __VA_ARGS__)})
#endif

/* Lines in one chart, of one series or several: sp_plot_lines("losses.png", train) or sp_plot_lines("losses.png",
 * SP_SERIES(train, val), .log_y = true). Needs the program gnuplot, as all charts do. Its script and data stay beside
 * the picture (losses.gp, losses.dat), also where gnuplot is missing, which is an error. */
SP_API sp_status sp_plot_lines(const char *path, sp_series_list series, const sp_plot_options *options SP_OR_NULL);

/* sp_plot_lines of one series; in C sp_plot_lines calls it. */
SP_API sp_status sp_plot_line(const char *path, sp_series *series, const sp_plot_options *options SP_OR_NULL);
#define sp_plot_line(...) SP__CALL2(sp_plot_line, sp_plot_options, __VA_ARGS__)
#ifndef __cplusplus
#define sp_plot_lines(...) SP__CALL2(SP__BY_SERIES(SP__A2(__VA_ARGS__)), sp_plot_options, __VA_ARGS__)
#define SP__BY_SERIES(x) _Generic((x), sp_series_list : sp_plot_lines, default : sp_plot_line)
#endif

typedef struct sp_scatter_options {
    size_t size;
    const char *title, *x_label, *y_label;
    int width, height;        /* pixels, default 910 × 720, or 560 high and 560 a chart wide */
    const char *const *names; /* of the classes, as many as the labels need; default their numbers */
    double point_size;        /* default 0.5 */
    bool all_points;          /* the axes hold outliers, too */
    SP_OPTIONS_END;
} sp_scatter_options;

/* Points (N, 2) in a chart. labels (N) are integers 0 to 29, or SP_NONE; each class has a colour and a shape. The names
 * of classes stand in a legend and at the medians of their points, moved apart where they would cover each other.
 * Points that are not finite are left out. Where the outermost 1 % of the points would take more than a third of an
 * axis, the axis ends before them, and the chart says how many lie beyond. */
SP_API sp_status sp_plot_scatter(const char *path, sp_tensor *points, sp_tensor *labels,
                                 const sp_scatter_options *options SP_OR_NULL);
#define sp_plot_scatter(...) SP__CALL3(sp_plot_scatter, sp_scatter_options, __VA_ARGS__)

/* One of several charts: points and labels as in sp_plot_scatter, and a title. */
typedef struct sp_scatter_panel {
    sp_tensor *points, *labels;
    const char *title;
} sp_scatter_panel;

/* One to six scatters side by side in one picture. */
SP_API sp_status sp_plot_scatters(const char *path, const sp_scatter_panel *panels, int n,
                                  const sp_scatter_options *options SP_OR_NULL);
#define sp_plot_scatters(...) SP__CALL3(sp_plot_scatters, sp_scatter_options, __VA_ARGS__)

typedef struct sp_contour_options {
    size_t size;
    const char *title, *x_label, *y_label;
    int width, height;             /* pixels, default 960 × 720 */
    double x_range[2], y_range[2]; /* what the columns and rows of values span; both 0: 0 to 1 */
    const sp_series *marks;        /* stars there: the minima */
    int64_t frames; /* of a movie, default 100 to 200: one a step of the longest path, or several of a short one */
    double fps;     /* of a movie, default 20 */
    SP_OPTIONS_END;
} sp_contour_options;

/* Lines of equal values, with shades that are darker the higher the value, and n paths over them, at most ten. values
 * is (H, W), row 0 at the bottom, column 0 at the left. Lines lie closer where values are near the smallest, by the
 * logarithm of their distance from it. Each path has a colour, a shape and its name in a legend. Values that are not
 * finite stay white. */
SP_API sp_status sp_plot_contour(const char *path, sp_tensor *values, sp_series *const *paths, int n,
                                 const sp_contour_options *options SP_OR_NULL);
#define sp_plot_contour(...) SP__CALL4(sp_plot_contour, sp_contour_options, __VA_ARGS__)

/* sp_plot_contour as a movie (.gif, .mp4, .html) that walks along the paths, all at one pace, and counts the steps. */
SP_API sp_status sp_plot_contour_movie(const char *path, sp_tensor *values, sp_series *const *paths, int n,
                                       const sp_contour_options *options SP_OR_NULL);
#define sp_plot_contour_movie(...) SP__CALL4(sp_plot_contour_movie, sp_contour_options, __VA_ARGS__)

typedef struct sp_grid_options {
    size_t size;
    int columns;                 /* default: as square as possible */
    int scale;                   /* pixels a pixel, default 2 */
    const char *const *captions; /* one a picture, NULL none; ASCII */
    const bool *marked;          /* a red frame around these */
    const char *title;
    const char *const *row_captions, *const *column_captions; /* at the left, one a row; above, one a column */
    bool tight;                                               /* pictures touch, without frames */
    SP_OPTIONS_END;
} sp_grid_options;

/* Images (N, H, W), (N, 1, H, W) or (N, 3, H, W), floating in [0, 1] or u8, side by side, row by row, in one PNG. */
SP_API sp_status sp_plot_images(const char *path, sp_tensor *images, const sp_grid_options *options SP_OR_NULL);
#define sp_plot_images(...) SP__CALL2(sp_plot_images, sp_grid_options, __VA_ARGS__)

/* ---- movies ---- */

typedef struct sp_movie sp_movie;

typedef struct sp_movie_options {
    size_t size;
    double fps;        /* frames a second, default 20; a GIF's at most 50 */
    int scale;         /* pixels a pixel; default: as many as make the longer side of small frames about 280 */
    bool once;         /* played once; default: again and again */
    const char *title; /* of a page, default its path */
    SP_OPTIONS_END;
} sp_movie_options;

/* Begins a movie, in the format that the path's end names: .gif, .mp4, or .html, a page that holds an MP4 and plays it.
 * MP4 and page need the program ffmpeg. The file is there, whole, after sp_movie_close; a movie that failed or was
 * never closed leaves an older file of that name as it was. */
SP_API sp_movie *sp_movie_new(const char *path, const sp_movie_options *options SP_OR_NULL);
#define sp_movie_new(...) SP__CALL1(sp_movie_new, sp_movie_options, __VA_ARGS__)

/* Adds a frame: (H, W) or (1, H, W) grey, (3, H, W) colour; u8, or floating in [0, 1], clamped. Fails for another shape
 * than the first frame's and for another dtype; the movie can go on. */
SP_API sp_status sp_movie_frame(sp_movie *movie, sp_tensor *frame);

/* Ends the movie and writes its file. A GIF shows up to 256 colours, and so every grey, exactly; of more colours it
 * shows the 255 that fit all frames best. */
SP_API sp_status sp_movie_close(sp_movie *movie);

SP_END_DECLS

#ifdef __cplusplus
template <size_t n> sp_series_list sp__series_of(const sp__list<sp_series *, n> &list)
{
    return {list.items, static_cast<int>(n)};
}
inline sp_status sp_plot_lines(const char *path, sp_series *series, const sp_plot_options *options = nullptr)
{
    return sp_plot_line(path, series, options);
}
#endif

#endif
