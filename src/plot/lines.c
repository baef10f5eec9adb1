/* Line charts. */
#include "chart.h"

#include <math.h>

/* ---- the data ---- */

static bool drawable(const sp_series *series)
{
    for (int64_t i = 0; i < sp_series_length(series); i++)
        if (isfinite(sp_series_x(series, i)) && isfinite(sp_series_y(series, i))) return true;
    return false;
}

static void write_point(FILE *file, double x, double y)
{
    sp__plot_number(file, x);
    fputc(' ', file);
    sp__plot_number(file, y);
    fputc('\n', file);
}

/* The mean of `window` points around each point; fewer at the ends. Blocks end with two empty lines. */
static void write_block(FILE *file, const sp_series *series, int64_t window)
{
    int64_t n = sp_series_length(series), from = 0, to = 0, in_sum = 0;
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        for (; to < n && to <= i + (window - 1) / 2; to++)
            if (isfinite(sp_series_y(series, to))) sum += sp_series_y(series, to), in_sum++;
        for (; from < i - window / 2; from++)
            if (isfinite(sp_series_y(series, from))) sum -= sp_series_y(series, from), in_sum--;
        double mean = in_sum > 0 ? sum / (double)in_sum : (double)NAN;
        write_point(file, sp_series_x(series, i), window > 1 ? mean : sp_series_y(series, i));
    }
    fputs("\n\n", file);
}

static bool smoothed(const sp_series *series, const sp_plot_options *options)
{
    return options->smooth > 1 && drawable(series) && sp_series_length(series) > options->smooth;
}

/* In the order in which write_lines draws: the pale lines of all series, then the averages over them. */
static void write_data(FILE *file, sp_series *const *series, int n, const sp_plot_options *options)
{
    for (int i = 0; i < n; i++)
        if (smoothed(series[i], options)) write_block(file, series[i], 1);
    for (int i = 0; i < n; i++)
        if (drawable(series[i])) write_block(file, series[i], smoothed(series[i], options) ? options->smooth : 1);
}

/* ---- the script ---- */

/* Opaque over lines, but not over the name of an axis. */
static const char *const legends[] = {
    [SP_LEGEND_TOP_RIGHT] = "top right opaque",
    [SP_LEGEND_TOP_LEFT] = "top left opaque",
    [SP_LEGEND_BOTTOM_RIGHT] = "bottom right opaque",
    [SP_LEGEND_BOTTOM_LEFT] = "bottom left opaque",
    [SP_LEGEND_OUTSIDE] = "outside top right",
    [SP_LEGEND_BELOW] = "bmargin center horizontal",
    [SP_LEGEND_NONE] = NULL,
};

static void write_settings(sp__chart *c, const sp_plot_options *options)
{
    FILE *file = c->script;
    sp__chart_begin(c, options->width, options->height);
    const char *legend = legends[options->legend];
    fprintf(file, legend ? "set key %s\n" : "unset key\n", legend);
    sp__chart_setting(file, "title", options->title);
    sp__chart_setting(file, "xlabel", options->x_label);
    sp__chart_setting(file, "ylabel", options->y_label);
    sp__chart_range(file, "x", options->x_range);
    sp__chart_range(file, "y", options->y_range);
    if (options->log_x) fputs("set logscale x\nset format x '%g'\n", file);
    if (options->log_y) fputs("set logscale y\nset format y '%g'\n", file);
    if (options->right == 0) return;
    fputs("set border 11\nset y2tics\n", file);
    sp__chart_setting(file, "y2label", options->right_label);
    sp__chart_range(file, "y2", options->right_range);
    if (options->log_right) fputs("set logscale y2\nset format y2 '%g'\n", file);
}

/* How a line is drawn. It is pale behind its own average, has points where there are few of them, and is dashed when
 * its axis is at the right or when the caller asks for it. */
typedef struct style {
    const char *colour, *title;
    int width, marker; /* 0: none */
    bool right, dashed;
} style;

static void write_line(FILE *file, int block, const style *look)
{
    fputs(block > 0 ? ", \\\n     " : "plot ", file);
    fprintf(file, "data index %d using 1:2%s with ", block, look->right ? " axes x1y2" : "");
    if (look->marker)
        fprintf(file, "linespoints pointtype %d pointsize 0.8", look->marker);
    else
        fputs("lines", file);
    fprintf(file, "%s linewidth %d linecolor rgb '%s' ", look->dashed ? " dashtype 2" : "", look->width, look->colour);
    if (!look->title)
        fputs("notitle", file);
    else {
        fputs("title ", file);
        sp__plot_quote(file, look->title);
    }
}

/* The number of the series whose colour and shape series i has: its own, or that of its twin. */
static int look_of(int i, int n, const sp_plot_options *options)
{
    const int first_dashed = n - options->dashed;
    return options->twins && i >= first_dashed ? i - first_dashed : i;
}

static int write_lines(FILE *file, sp_series *const *series, int n, const sp_plot_options *options)
{
    int block = 0;
    for (int i = 0; i < n; i++) {
        if (!smoothed(series[i], options)) continue;
        const char *pale = sp__chart_pale_colour(look_of(i, n, options));
        write_line(file, block++, &(style){pale, NULL, 1, 0, i >= n - options->right, false});
    }
    for (int i = 0; i < n; i++) {
        bool right = i >= n - options->right, few = sp_series_length(series[i]) <= 60;
        bool dashed = right || i >= n - options->dashed;
        int look = look_of(i, n, options), marker = few ? sp__chart_marker(look) : 0;
        if (!drawable(series[i])) continue;
        write_line(file, block++,
                   &(style){sp__chart_colour(look), sp_series_name(series[i]), 2, marker, right, dashed});
    }
    fputc('\n', file);
    return block;
}

static sp_status write_script(sp__chart *c, sp_series *const *series, int n, const sp_plot_options *options)
{
    write_settings(c, options);
    if (write_lines(c->script, series, n, options) > 0) return SP_OK;
    return sp_raise(SP_ERROR_ARGUMENT, "there is nothing to draw in %s: no series has a finite point", c->path);
}

/* ---- together ---- */

/* Both zero: the data's. */
static sp_status check_range(const char *axis, const double range[2])
{
    const double low = sp_option(range[0], 0), high = sp_option(range[1], 0);
    if ((range[0] == 0 && range[1] == 0) || (isfinite(low) && isfinite(high) && low != high)) return SP_OK;
    return sp_raise(SP_ERROR_ARGUMENT, "%s of %g to %g is no range", axis, low, high);
}

static sp_status check(const char *path, sp_series *const *series, int n, const sp_plot_options *options)
{
    if (!path) return sp_raise_null("sp_plot_lines", "path");
    if (n < 0 || (n > 0 && !series)) return sp_raise_null("sp_plot_lines", "series");
    for (int i = 0; i < n; i++)
        if (!series[i]) return sp_raise_null("sp_plot_lines", "series");
    if (options->smooth < 0)
        return sp_raise(SP_ERROR_ARGUMENT, "a chart cannot be averaged over %lld points", (long long)options->smooth);
    if (options->right < 0 || options->right > n)
        return sp_raise(SP_ERROR_ARGUMENT, "%d of %d series cannot be measured at the right", options->right, n);
    if (options->dashed < 0 || options->dashed > n)
        return sp_raise(SP_ERROR_ARGUMENT, "%d of %d series cannot be dashed", options->dashed, n);
    if (check_range("x_range", options->x_range) || check_range("y_range", options->y_range) ||
        check_range("right_range", options->right_range))
        return sp_error_status();
    if ((int)options->legend < 0 || options->legend > SP_LEGEND_NONE)
        return sp_raise(SP_ERROR_ARGUMENT, "there is no place number %d for a legend", (int)options->legend);
    return SP_OK;
}

sp_status(sp_plot_lines)(const char *path, sp_series_list list, const sp_plot_options *given)
{
    sp_series *const *series = list.data;
    const int n = list.n;
    sp_plot_options options;
    sp_options_copy(&options, sizeof options, given);
    options.smooth = sp_option_int(options.smooth, 0);
    options.right = (int)sp_option_int(options.right, 0);
    options.dashed = (int)sp_option_int(options.dashed, 0);
    sp_status status = check(path, series, n, &options);
    if (status != SP_OK) return status;
    sp__chart c;
    status = sp__chart_init(&c, path, options.width, options.height);
    if (status == SP_OK) write_data(c.data, series, n, &options);
    if (status == SP_OK) status = write_script(&c, series, n, &options);
    if (status == SP_OK) status = sp__chart_save(&c);
    sp__chart_free(&c);
    return status;
}

sp_status(sp_plot_line)(const char *path, sp_series *series, const sp_plot_options *options)
{
    return (sp_plot_lines)(path, (sp_series_list){&series, 1}, options);
}
