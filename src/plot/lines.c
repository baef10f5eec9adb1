/* Line charts. For "losses.png" there are losses.dat (one block of points a line) and losses.gp (the script), which
 * can be changed and run again by hand: gnuplot losses.gp. */
#include "gnuplot.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>

/* How the picture's name ends decides what draws it. */
static const struct {
    const char *ending, *terminal;
    bool pixels; /* sizes are in pixels; else in inches, at 96 pixels each */
} terminals[] = {
    {".png", "pngcairo", true},
    {".svg", "svg", true},
    {".pdf", "pdfcairo", false},
};
#define N_TERMINALS (int)(sizeof terminals / sizeof *terminals)

/* The names of one chart's files. */
typedef struct chart {
    char *folder; /* "" for the current one */
    char *base;   /* "losses", without the ending */
    int terminal;
    size_t size; /* bytes of each of the two texts */
} chart;

static sp_status chart_init(chart *c, const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path, *dot = strrchr(name, '.');
    *c = (chart){.size = strlen(path) + 2};
    while (dot && dot > name && c->terminal < N_TERMINALS && strcmp(dot, terminals[c->terminal].ending) != 0)
        c->terminal++;
    if (!dot || dot == name || c->terminal == N_TERMINALS)
        return sp_raise(SP_ERROR_ARGUMENT, "a chart's name ends in .png, .svg or .pdf, not as '%s'", path);
    c->folder = sp_alloc(c->size);
    c->base = sp_alloc(c->size);
    if (!c->folder || !c->base) return sp_error_status();
    memcpy(c->folder, path, slash == path ? 1 : slash ? (size_t)(slash - path) : 0);
    memcpy(c->base, name, (size_t)(dot - name));
    return SP_OK;
}

static void chart_free(chart *c)
{
    if (c->folder) sp_free(c->folder, c->size);
    if (c->base) sp_free(c->base, c->size);
}

static FILE *chart_open(const chart *c, const char *ending)
{
    char path[4096];
    int n = snprintf(path, sizeof path, "%s%s%s%s", c->folder, *c->folder ? "/" : "", c->base, ending);
    FILE *file = n < (int)sizeof path ? fopen(path, "we") : NULL;
    if (!file) sp_raise(SP_ERROR_IO, "cannot write %s: %s", path, n < (int)sizeof path ? strerror(errno) : "too long");
    return file;
}

static sp_status chart_close(const chart *c, FILE *file, const char *ending)
{
    bool failed = ferror(file) != 0;
    if (fclose(file) == 0 && !failed) return SP_OK;
    return sp_raise(SP_ERROR_IO, "cannot write %s%s: %s", c->base, ending, strerror(errno));
}

/* ---- the data ---- */

static bool drawable(const sp_series *series)
{
    for (int64_t i = 0; i < sp_series_size(series); i++)
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

/* The mean of `window` points around each point, of fewer at the ends. Blocks end with two empty lines. */
static void write_block(FILE *file, const sp_series *series, int64_t window)
{
    int64_t n = sp_series_size(series), from = 0, to = 0, in_sum = 0;
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
    return options->smooth > 1 && sp_series_size(series) > options->smooth;
}

static sp_status write_data(const chart *c, sp_series *const *series, int n, const sp_plot_options *options)
{
    FILE *file = chart_open(c, ".dat");
    if (!file) return sp_error_status();
    for (int i = 0; i < n; i++) {
        if (!drawable(series[i])) continue;
        write_block(file, series[i], 1);
        if (smoothed(series[i], options)) write_block(file, series[i], options->smooth);
    }
    return chart_close(c, file, ".dat");
}

/* ---- the script ---- */

/* Dark and pale of the same colour; told apart by colour-blind readers (Okabe and Ito, 2008). */
static const char *const colours[][2] = {
    {"#0072b2", "#b3d5ea"}, {"#d55e00", "#f3ccb0"}, {"#009e73", "#b3e2d5"},
    {"#cc79a7", "#f0d7e5"}, {"#e69f00", "#f8e2b3"}, {"#56b4e9", "#cce8f8"},
};
#define N_COLOURS (int)(sizeof colours / sizeof *colours)

static void write_name(FILE *file, const chart *c, const char *ending)
{
    char name[4096];
    snprintf(name, sizeof name, "%s%s", c->base, ending);
    sp__plot_quote(file, name);
}

static void write_setting(FILE *file, const char *setting, const char *text)
{
    if (!text || !*text) return;
    fprintf(file, "set %s ", setting);
    sp__plot_quote(file, text);
    fputs(" noenhanced\n", file);
}

static void write_settings(FILE *file, const chart *c, const sp_plot_options *options)
{
    int width = options->width ? options->width : 960, height = options->height ? options->height : 600;
    fputs("# Written by spusk. Change it as you like and run: gnuplot ", file);
    write_name(file, c, ".gp");
    fprintf(file, "\nset terminal %s noenhanced size ", terminals[c->terminal].terminal);
    if (terminals[c->terminal].pixels)
        fprintf(file, "%d,%d\n", width, height);
    else
        fprintf(file, "%d./96,%d./96\n", width, height);
    fputs("set output ", file);
    write_name(file, c, terminals[c->terminal].ending);
    fputs("\nset grid linetype 1 linewidth 1 linecolor rgb '#dddddd'\nset key top right\nset border 3\nset tics "
          "nomirror\n",
          file);
    write_setting(file, "title", options->title);
    write_setting(file, "xlabel", options->x_label);
    write_setting(file, "ylabel", options->y_label);
    if (options->log_y) fputs("set logscale y\n", file);
}

/* How a line is drawn: pale behind its own average, with points where there are few. */
typedef struct style {
    const char *colour, *title;
    int width;
    bool points;
} style;

static void write_line(FILE *file, const chart *c, int block, const style *look)
{
    fputs(block > 0 ? ", \\\n     " : "plot ", file);
    write_name(file, c, ".dat");
    fprintf(file, " index %d using 1:2 with %s linewidth %d linecolor rgb '%s' ", block,
            look->points ? "linespoints pointtype 7 pointsize 0.8" : "lines", look->width, look->colour);
    if (!look->title)
        fputs("notitle", file);
    else {
        fputs("title ", file);
        sp__plot_quote(file, look->title);
    }
}

static int write_lines(FILE *file, const chart *c, sp_series *const *series, int n, const sp_plot_options *options)
{
    int block = 0;
    for (int i = 0; i < n; i++) {
        const char *const *colour = colours[i % N_COLOURS];
        if (!drawable(series[i])) continue;
        if (smoothed(series[i], options)) write_line(file, c, block++, &(style){colour[1], NULL, 1, false});
        bool few = sp_series_size(series[i]) <= 60;
        write_line(file, c, block++, &(style){colour[0], sp_series_name(series[i]), 2, few});
    }
    fputc('\n', file);
    return block;
}

static sp_status write_script(const chart *c, sp_series *const *series, int n, const sp_plot_options *options)
{
    FILE *file = chart_open(c, ".gp");
    if (!file) return sp_error_status();
    write_settings(file, c, options);
    int lines = write_lines(file, c, series, n, options);
    sp_status status = chart_close(c, file, ".gp");
    if (status != SP_OK || lines > 0) return status;
    return sp_raise(SP_ERROR_ARGUMENT, "there is nothing to draw in %s%s: no series has a finite point", c->base,
                    terminals[c->terminal].ending);
}

/* ---- together ---- */

static sp_status draw(const chart *c, const char *path)
{
    /* A name that begins with a dash would be an option. */
    char script[4096];
    struct stat about;
    snprintf(script, sizeof script, "./%s.gp", c->base);
    sp_status status = sp__run_gnuplot(c->folder, script);
    if (status == SP_OK && (stat(path, &about) != 0 || about.st_size == 0))
        status = sp_raise(SP_ERROR_IO, "gnuplot ran, but did not write %s", path);
    return status;
}

static sp_status check(const char *path, sp_series *const *series, int n, const sp_plot_options *options)
{
    if (!path) return sp_raise_null("sp_plot_lines", "path");
    if (n < 0 || (n > 0 && !series)) return sp_raise_null("sp_plot_lines", "series");
    for (int i = 0; i < n; i++)
        if (!series[i]) return sp_raise_null("sp_plot_lines", "series");
    if (options->width < 0 || options->width > 16384 || options->height < 0 || options->height > 16384)
        return sp_raise(SP_ERROR_ARGUMENT, "a chart is 1 to 16384 pixels wide and high, not %d by %d", options->width,
                        options->height);
    if (options->smooth < 0)
        return sp_raise(SP_ERROR_ARGUMENT, "a chart cannot be averaged over %lld points", (long long)options->smooth);
    return SP_OK;
}

sp_status sp_plot_lines_with(const char *path, sp_series *const *series, int n, const sp_plot_options *given)
{
    sp_plot_options options;
    sp_options_copy(&options, sizeof options, given);
    sp_status status = check(path, series, n, &options);
    if (status != SP_OK) return status;
    chart c;
    status = chart_init(&c, path);
    if (status == SP_OK) status = write_data(&c, series, n, &options);
    if (status == SP_OK) status = write_script(&c, series, n, &options);
    if (status == SP_OK) status = draw(&c, path);
    chart_free(&c);
    return status;
}

sp_status sp_plot_lines_until(const char *path, sp_series *const *series, const sp_plot_options *options)
{
    int n = 0;
    while (series && series[n] != sp_last_series_) n++;
    return sp_plot_lines_with(path, series, n, options);
}
