/* Contour charts with paths. The data has one block for the surface ("x y value shade", an empty line after each row),
 * then one for each path and one for the marks. */
#include "contour.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N_LEVELS = 14 };

/* ---- checks and sizes ---- */

static void take_range(double to[2], const double given[2])
{
    bool none = given[0] == 0 && given[1] == 0;
    to[0] = none ? 0 : sp_option(given[0], 0);
    to[1] = none ? 1 : sp_option(given[1], 0);
}

static sp_status check_range(const char *function, const double range[2])
{
    if (isfinite(range[0]) && isfinite(range[1]) && range[0] < range[1]) return SP_OK;
    return sp_raise(SP_ERROR_ARGUMENT, "%s: a range goes from a smaller to a larger number, not from %g to %g",
                    function, range[0], range[1]);
}

static sp_status check(sp__contour *c, const char *function, sp_tensor *values)
{
    if (sp_ndim(values) != 2 || sp_size(values, 0) < 2 || sp_size(values, 1) < 2)
        return sp_raise(SP_ERROR_SHAPE, "%s: values are (H, W), at least 2 by 2", function);
    if (c->n_paths < 0 || c->n_paths > SP__LOOKS)
        return sp_raise(SP_ERROR_ARGUMENT, "%s: 0 to %d paths can be told apart, not %d", function, SP__LOOKS,
                        c->n_paths);
    if (c->n_paths > 0 && !c->paths) return sp_raise_null(function, "paths");
    for (int i = 0; i < c->n_paths; i++)
        if (!c->paths[i]) return sp_raise_null(function, "paths");
    if (check_range(function, c->x_range) != SP_OK || check_range(function, c->y_range) != SP_OK)
        return sp_error_status();
    if (c->width >= 600 && c->height >= 200) return SP_OK;
    return sp_raise(SP_ERROR_ARGUMENT, "%s: a picture of at least 600 by 200 pixels, not %d by %d", function, c->width,
                    c->height);
}

/* Pixels that the legend takes, by its longest name. */
static int legend_width(const sp__contour *c)
{
    size_t longest = c->options->marks ? strlen(sp_series_name(c->options->marks)) : 0;
    for (int i = 0; i < c->n_paths; i++) {
        size_t n = strlen(sp_series_name(c->paths[i]));
        if (n > longest) longest = n;
    }
    return longest == 0 ? 20 : longest > 30 ? 400 : 90 + 11 * (int)longest;
}

sp_status sp__contour_init(sp__contour *c, const char *function, sp_tensor *values, sp_series *const *paths, int n,
                           const sp_contour_options *options)
{
    *c = (sp__contour){.paths = paths, .n_paths = n, .options = options};
    c->width = (int)sp_option_int(options->width, 960);
    c->height = (int)sp_option_int(options->height, 720);
    c->left = 90;
    c->top = options->title ? 50 : 20;
    take_range(c->x_range, options->x_range);
    take_range(c->y_range, options->y_range);
    sp_status status = check(c, function, values);
    if (status != SP_OK) return status;
    c->bottom = c->height - 70;
    c->right = c->width - legend_width(c);
    c->values = sp_contiguous(sp_cast(values, SP_F64));
    return c->values ? SP_OK : sp_error_status();
}

/* ---- levels ---- */

/* Heights are told by t = ln(1 + (value - least)/scale) / its largest, from 0 to 1; the scale is the distance from the
 * least that a twentieth of the values keep. */
typedef struct scale {
    double least, scale, largest;
} scale;

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static sp_status find_scale(const sp__contour *c, scale *s)
{
    int64_t n = sp_numel(c->values), finite = 0;
    const double *values = sp_const_data(c->values);
    size_t bytes = (size_t)n * sizeof(double);
    double *sorted = values ? sp_alloc(bytes) : NULL;
    if (!sorted) return sp_error_status();
    for (int64_t i = 0; i < n; i++)
        if (isfinite(values[i])) sorted[finite++] = values[i];
    qsort(sorted, (size_t)finite, sizeof *sorted, compare);
    sp_status status = SP_OK;
    if (finite == 0)
        status = sp_raise(SP_ERROR_ARGUMENT, "a contour chart needs a finite value");
    else {
        double range = sorted[finite - 1] - sorted[0];
        s->least = sorted[0];
        s->scale = fmax(sorted[finite / 20] - sorted[0], range > 0 ? 1e-3 * range : 1);
        s->largest = fmax(log1p(range / s->scale), 1e-9);
    }
    sp_free(sorted, bytes);
    return status;
}

static double shade(const scale *s, double value)
{
    return log1p((value - s->least) / s->scale) / s->largest;
}

static double level(const scale *s, int i)
{
    return s->least + s->scale * expm1(s->largest * i / N_LEVELS);
}

/* ---- the data ---- */

static void write_numbers(FILE *file, const double *numbers, int n)
{
    for (int i = 0; i < n; i++) {
        sp__plot_number(file, numbers[i]);
        fputc(i + 1 < n ? ' ' : '\n', file);
    }
}

static void write_surface(FILE *file, const sp__contour *c, const scale *s)
{
    int64_t rows = sp_size(c->values, 0), columns = sp_size(c->values, 1);
    const double *values = sp_const_data(c->values);
    for (int64_t i = 0; i < rows; i++) {
        double y = c->y_range[0] + (c->y_range[1] - c->y_range[0]) * (double)i / (double)(rows - 1);
        for (int64_t j = 0; j < columns; j++) {
            double x = c->x_range[0] + (c->x_range[1] - c->x_range[0]) * (double)j / (double)(columns - 1);
            double value = values[i * columns + j];
            write_numbers(file, (const double[]){x, y, value, shade(s, value)}, 4);
        }
        fputc('\n', file);
    }
    fputc('\n', file);
}

static void write_path(FILE *file, const sp_series *path)
{
    for (int64_t i = 0; i < sp_series_length(path); i++)
        write_numbers(file, (const double[]){sp_series_x(path, i), sp_series_y(path, i)}, 2);
    fputs("\n\n", file);
}

static void write_data(FILE *file, const sp__contour *c, const scale *s)
{
    write_surface(file, c, s);
    for (int i = 0; i < c->n_paths; i++) write_path(file, c->paths[i]);
    if (c->options->marks) write_path(file, c->options->marks);
}

/* ---- the script ---- */

static void write_contours(FILE *file, const scale *s)
{
    fputs("set contour base\nunset surface\nset cntrparam levels discrete ", file);
    for (int i = 1; i < N_LEVELS; i++) {
        if (i > 1) fputc(',', file);
        sp__plot_number(file, level(s, i));
    }
    fputs("\nset table $contours\nsplot data index 0 using 1:2:3\nunset table\nset surface\nunset contour\n", file);
}

static void write_frame(FILE *file, const sp__contour *c)
{
    double width = c->width, height = c->height;
    sp__plot_print(file,
                   "set lmargin at screen %.6f\nset rmargin at screen %.6f\nset tmargin at screen %.6f\n"
                   "set bmargin at screen %.6f\n",
                   c->left / width, c->right / width, 1 - c->top / height, 1 - c->bottom / height);
    sp__plot_print(file, "set key at screen %.6f, screen %.6f left top Left reverse samplen 2.4 spacing 1.35\n",
                   (c->right + 8) / width, 1 - c->top / height);
    sp__chart_range(file, "x", c->x_range);
    sp__chart_range(file, "y", c->y_range);
    sp__chart_setting(file, "title", c->options->title);
    sp__chart_setting(file, "xlabel", c->options->x_label);
    sp__chart_setting(file, "ylabel", c->options->y_label);
    fputs("unset grid\nset border 15\nset tics out\nunset colorbox\nset cbrange [0:1]\n"
          "set palette defined (0 '#ffffff', 1 '#b4aca0')\n",
          file);
}

/* Draws a shape at about every tenth of a path, and a larger one at its end. */
static void write_path_plot(FILE *file, const sp__contour *c, int i)
{
    const char *colour = sp__chart_colour(i);
    int64_t n = sp_series_length(c->paths[i]), every = n / 10 > 0 ? n / 10 : 1;
    int block = i + 1, marker = sp__chart_marker(i);
    fputs(", \\\n     data", file);
    if (c->heads_only)
        fprintf(file, " index %d every ::::-1 using (NaN):(NaN) with linespoints", block);
    else
        fprintf(file, " index %d using 1:2 with linespoints pointinterval %lld", block, (long long)every);
    fprintf(file, " pointtype %d pointsize 1.1 linewidth 2 linecolor rgb '%s' title ", marker, colour);
    sp__plot_quote(file, sp_series_name(c->paths[i]));
    if (c->heads_only || n == 0) return;
    fprintf(file,
            ", \\\n     data index %d every ::%lld using 1:2 with points pointtype %d pointsize 2 linewidth 2 "
            "linecolor rgb '%s' "
            "notitle",
            block, (long long)(n - 1), marker, colour);
}

static void write_script(sp__chart *chart, const sp__contour *c, const scale *s)
{
    FILE *file = chart->script;
    sp__chart_begin(chart, c->width, c->height);
    write_contours(file, s);
    write_frame(file, c);
    fputs("plot data index 0 using 1:2:4 with image notitle, \\\n"
          "     $contours using 1:2 with lines linewidth 1 linecolor rgb '#8f887c' notitle",
          file);
    for (int i = 0; i < c->n_paths; i++) write_path_plot(file, c, i);
    if (c->options->marks) {
        fprintf(file,
                ", \\\n     data index %d using 1:2 with points pointtype 3 pointsize 2.2 linewidth 2.5 linecolor rgb "
                "'black' title ",
                c->n_paths + 1);
        sp__plot_quote(file, sp_series_name(c->options->marks));
    }
    fputc('\n', file);
}

sp_status sp__contour_chart(const sp__contour *c, sp__chart *chart, const char *path)
{
    scale s = {0};
    sp_status status = sp__chart_init(chart, path, c->width, c->height);
    if (status == SP_OK) status = find_scale(c, &s);
    if (status != SP_OK) return status;
    write_data(chart->data, c, &s);
    write_script(chart, c, &s);
    return SP_OK;
}

static sp_status draw(const sp__contour *c, const char *path)
{
    sp__chart chart;
    sp_status status = sp__contour_chart(c, &chart, path);
    if (status == SP_OK) status = sp__chart_save(&chart);
    sp__chart_free(&chart);
    return status;
}

sp_status(sp_plot_contour)(const char *path, sp_tensor *values, sp_series *const *paths, int n,
                           const sp_contour_options *given)
{
    sp_contour_options options;
    sp_options_copy(&options, sizeof options, given);
    if (!path || !values) return sp_raise_null("sp_plot_contour", path ? "values" : "path");
    sp_status status = SP_OK;
    SP_NO_GRAD {
        sp__contour c;
        status = sp__contour_init(&c, "sp_plot_contour", values, paths, n, &options);
        if (status == SP_OK) status = draw(&c, path);
    }
    return status;
}
