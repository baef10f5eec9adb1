/* What all charts share. */
#include "chart.h"
#include "store.h"

#include <spusk/io.h>
#include <string.h>

/* How the picture's name ends decides what draws it. */
static const struct {
    const char *ending, *terminal;
    bool pixels;      /* sizes are in pixels; else in inches, at 96 pixels each */
    const char *last; /* a file that is whole ends so, but for empty lines */
} terminals[] = {
    {".png", "pngcairo font 'sans,13'", true, "IEND\xae\x42\x60\x82"},
    {".svg", "svg font 'sans,16'", true, "</svg>"},
    {".pdf", "pdfcairo font 'sans,12'", false, "%%EOF"},
};
enum { N_TERMINALS = sizeof terminals / sizeof *terminals };

/* ---- looks ---- */

/* Ten colours that differ by at least 24 (CIE 1976, on white) for all and as protanopes, deuteranopes and tritanopes
 * see them (by the matrices of Machado, Oliveira and Fernandes, 2009): chosen by search from well-known palettes
 * (Okabe and Ito, Tol, CARTO). The pale ones are 70 % white. */
static const char *const colours[SP__LOOKS][2] = {
    {"#332288", "#c1bddc"}, {"#cc3311", "#f0c2b8"}, {"#11a579", "#b8e4d7"}, {"#c7b300", "#eee8b3"},
    {"#aa4499", "#e6c7e1"}, {"#88ccee", "#dbf0fa"}, {"#000000", "#b3b3b3"}, {"#80ba5a", "#d9ebce"},
    {"#661100", "#d1b8b3"}, {"#555555", "#cccccc"},
};

/* Circle, square, triangles, diamond, pentagon; then the same open. */
static const int markers[SP__LOOKS] = {7, 5, 9, 11, 13, 6, 4, 8, 10, 12};

const char *sp__chart_colour(int i)
{
    return colours[i % SP__LOOKS][0];
}

const char *sp__chart_pale_colour(int i)
{
    return colours[i % SP__LOOKS][1];
}

int sp__chart_marker(int i)
{
    return markers[i % SP__LOOKS];
}

/* ---- beginning and end ---- */

static sp_status split(sp__chart *chart, const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path, *dot = strrchr(name, '.');
    while (dot && dot > name && chart->terminal < N_TERMINALS && strcmp(dot, terminals[chart->terminal].ending) != 0)
        chart->terminal++;
    if (!dot || dot == name || chart->terminal == N_TERMINALS)
        return sp_raise(SP_ERROR_ARGUMENT, "a chart's name ends in .png, .svg or .pdf, not as '%s'", path);
    chart->start = sp_alloc(chart->size);
    if (!chart->start) return sp_error_status();
    memcpy(chart->start, path, (size_t)(dot - path));
    chart->base = chart->start + (name - path);
    return SP_OK;
}

sp_status sp__chart_init(sp__chart *chart, const char *path, int width, int height)
{
    *chart = (sp__chart){.path = path, .size = strlen(path) + 1};
    sp__signals_hold(&chart->signals);
    if (width < 0 || width > 16384 || height < 0 || height > 16384)
        return sp_raise(SP_ERROR_ARGUMENT, "a chart is 1 to 16384 pixels wide and high, not %d by %d",
                        (int)sp_option_int(width, 0), (int)sp_option_int(height, 0));
    sp_status status = split(chart, path);
    if (status != SP_OK) return status;
    chart->data = sp__store_new(path);
    chart->script = sp__store_new(path);
    return chart->data && chart->script ? SP_OK : sp_error_status();
}

void sp__chart_free(sp__chart *chart)
{
    if (chart->start) sp_free(chart->start, chart->size);
    sp__store_close(chart->data);
    sp__store_close(chart->script);
    sp__signals_release(&chart->signals);
}

/* ---- scripts ---- */

void sp__chart_setting(FILE *script, const char *setting, const char *text)
{
    if (!text || !*text) return;
    fprintf(script, "set %s ", setting);
    sp__plot_quote(script, text);
    fputs(" noenhanced\n", script);
}

void sp__chart_range(FILE *script, const char *axis, const double range[2])
{
    if (range[0] == 0 && range[1] == 0) return;
    fprintf(script, "set %srange [", axis);
    sp__plot_number(script, sp_option(range[0], 0));
    fputc(':', script);
    sp__plot_number(script, sp_option(range[1], 0));
    fputs("]\n", script);
}

void sp__chart_begin(sp__chart *chart, int width, int height)
{
    FILE *script = chart->script;
    if (!width) width = 960;
    if (!height) height = 600;
    fputs("# Written by spusk. Change it as you like and run gnuplot on it, in this folder.\n", script);
    fprintf(script, "set terminal %s noenhanced size ", terminals[chart->terminal].terminal);
    if (terminals[chart->terminal].pixels)
        fprintf(script, "%d,%d\n", width, height);
    else
        fprintf(script, "%d./96,%d./96\n", width, height);
    chart->names = ftell(script);
    fputs("data = ", script);
    sp__plot_path(script, chart->base, ".dat");
    fputs("\nset output ", script);
    sp__plot_path(script, chart->base, terminals[chart->terminal].ending);
    fputc('\n', script);
    chart->behind = ftell(script);
    fputs("set grid linetype 1 linewidth 1 linecolor rgb '#dddddd'\nset border 3\nset tics nomirror\n", script);
}

/* ---- drawing ---- */

/* The script as gnuplot runs it for us. */
static bool write_run(FILE *file, const sp__chart *chart, const unsigned char *text, size_t bytes)
{
    const size_t before = (size_t)chart->names, behind = bytes - (size_t)chart->behind;
    return fwrite(text, 1, before, file) == before &&
           fputs("data = '" SP__PLOT_DATA "'\nset output '" SP__PLOT_PICTURE "'\n", file) >= 0 &&
           fwrite(text + chart->behind, 1, behind, file) == behind && fflush(file) == 0;
}

static FILE *script_to_run(const sp__chart *chart)
{
    size_t bytes = 0;
    unsigned char *text = sp__store_take(chart->script, chart->path, &bytes);
    FILE *file = text ? sp__store_new(chart->path) : NULL;
    const bool written = file && write_run(file, chart, text, bytes);
    if (text) sp_free(text, bytes + 1);
    if (written) return file;
    sp_raise(SP_ERROR_IO, "cannot write %s: its script does not fit on the disk", chart->path);
    sp__store_close(file);
    return NULL;
}

/* gnuplot does not check whether its output was written. */
static sp_status check_picture(const sp__chart *chart, FILE *picture)
{
    const char *last = terminals[chart->terminal].last;
    size_t bytes = 0, n = strlen(last);
    unsigned char *all = sp__store_take(picture, chart->path, &bytes);
    if (!all) return sp_error_status();
    size_t end = bytes;
    while (end > n && all[end - 1] == '\n') end--;
    bool whole = end >= n && memcmp(all + end - n, last, n) == 0;
    sp_free(all, bytes + 1);
    if (whole) return SP_OK;
    return sp_raise(SP_ERROR_IO, "gnuplot ran, but did not write %s%s", bytes > 0 ? "all of " : "", chart->path);
}

/* The path with another ending, in a buffer of the chart's own size. */
static const char *path_with(const sp__chart *chart, const char *ending, char *buffer)
{
    snprintf(buffer, chart->size, "%s%s", chart->start, ending);
    return buffer;
}

static sp_status run(const sp__chart *chart, FILE *picture)
{
    FILE *script = script_to_run(chart);
    char *name = script ? sp_alloc(chart->size) : NULL;
    if (!name) return sp__store_close(script), sp_error_status();
    sp_status status = sp__run_gnuplot(picture, script, chart->data, path_with(chart, ".gp", name));
    sp_free(name, chart->size);
    sp__store_close(script);
    return status == SP_OK ? check_picture(chart, picture) : status;
}

FILE *sp__chart_render(sp__chart *chart)
{
    if (fflush(chart->data) != 0 || ferror(chart->data)) {
        sp_raise(SP_ERROR_IO, "cannot write %s: its data does not fit on the disk", chart->path);
        return NULL;
    }
    FILE *picture = sp__store_new(chart->path);
    if (picture && run(chart, picture) == SP_OK) return picture;
    sp__store_close(picture);
    return NULL;
}

static sp_status save_with(const sp__chart *chart, FILE *store, const char *ending)
{
    char *path = sp_alloc(chart->size);
    if (!path) return sp_error_status();
    sp_status status = sp__store_save(store, path_with(chart, ending, path));
    sp_free(path, chart->size);
    return status;
}

sp_status sp__chart_save(sp__chart *chart)
{
    sp_status status = save_with(chart, chart->data, ".dat");
    if (status == SP_OK) status = save_with(chart, chart->script, ".gp");
    FILE *picture = status == SP_OK ? sp__chart_render(chart) : NULL;
    if (!picture) return sp_error_status();
    status = sp__store_save(picture, chart->path);
    sp__store_close(picture);
    return status;
}
