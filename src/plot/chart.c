/* What all charts share. */
#include "chart.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

/* How the picture's name ends decides what draws it. */
static const struct {
    const char *ending, *terminal;
    bool pixels; /* sizes are in pixels; else in inches, at 96 pixels each */
} terminals[] = {
    {".png", "pngcairo font 'sans,13'", true},
    {".svg", "svg font 'sans,16'", true},
    {".pdf", "pdfcairo font 'sans,12'", false},
};
#define N_TERMINALS (int)(sizeof terminals / sizeof *terminals)

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

/* ---- files ---- */

static sp_status split(sp__chart *chart, const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path, *dot = strrchr(name, '.');
    while (dot && dot > name && chart->terminal < N_TERMINALS && strcmp(dot, terminals[chart->terminal].ending) != 0)
        chart->terminal++;
    if (!dot || dot == name || chart->terminal == N_TERMINALS)
        return sp_raise(SP_ERROR_ARGUMENT, "a chart's name ends in .png, .svg or .pdf, not as '%s'", path);
    chart->folder = sp_alloc(chart->size);
    chart->base = sp_alloc(chart->size);
    if (!chart->folder || !chart->base) return sp_error_status();
    memcpy(chart->folder, path, slash == path ? 1 : slash ? (size_t)(slash - path) : 0);
    memcpy(chart->base, name, (size_t)(dot - name));
    return SP_OK;
}

sp_status sp__chart_init(sp__chart *chart, const char *path, int width, int height)
{
    *chart = (sp__chart){.path = path, .size = strlen(path) + 2};
    if (width < 0 || width > 16384 || height < 0 || height > 16384)
        return sp_raise(SP_ERROR_ARGUMENT, "a chart is 1 to 16384 pixels wide and high, not %d by %d", width, height);
    return split(chart, path);
}

void sp__chart_free(sp__chart *chart)
{
    if (chart->folder) sp_free(chart->folder, chart->size);
    if (chart->base) sp_free(chart->base, chart->size);
}

FILE *sp__chart_open(const sp__chart *chart, const char *ending)
{
    char path[4096];
    int n = snprintf(path, sizeof path, "%s%s%s%s", chart->folder, *chart->folder ? "/" : "", chart->base, ending);
    FILE *file = n < (int)sizeof path ? fopen(path, "we") : NULL;
    if (!file) sp_raise(SP_ERROR_IO, "cannot write %s: %s", path, n < (int)sizeof path ? strerror(errno) : "too long");
    return file;
}

sp_status sp__chart_close(const sp__chart *chart, FILE *file, const char *ending)
{
    bool failed = ferror(file) != 0;
    if (fclose(file) == 0 && !failed) return SP_OK;
    return sp_raise(SP_ERROR_IO, "cannot write %s%s: %s", chart->base, ending, strerror(errno));
}

/* ---- scripts ---- */

void sp__chart_name(FILE *script, const sp__chart *chart, const char *ending)
{
    char name[4096];
    snprintf(name, sizeof name, "%s%s", chart->base, ending);
    sp__plot_quote(script, name);
}

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
    sp__plot_number(script, range[0]);
    fputc(':', script);
    sp__plot_number(script, range[1]);
    fputs("]\n", script);
}

void sp__chart_begin(FILE *script, const sp__chart *chart, int width, int height)
{
    if (!width) width = 960;
    if (!height) height = 600;
    fputs("# Written by spusk. Change it as you like and run: gnuplot ", script);
    sp__chart_name(script, chart, ".gp");
    fprintf(script, "\nset terminal %s noenhanced size ", terminals[chart->terminal].terminal);
    if (terminals[chart->terminal].pixels)
        fprintf(script, "%d,%d\n", width, height);
    else
        fprintf(script, "%d./96,%d./96\n", width, height);
    fputs("set output ", script);
    sp__chart_name(script, chart, terminals[chart->terminal].ending);
    fputs("\nset grid linetype 1 linewidth 1 linecolor rgb '#dddddd'\nset border 3\nset tics nomirror\n", script);
}

sp_status sp__chart_draw(const sp__chart *chart)
{
    /* A name that begins with a dash would be an option. */
    char script[4096];
    struct stat about;
    snprintf(script, sizeof script, "./%s.gp", chart->base);
    sp_status status = sp__run_gnuplot(chart->folder, script);
    if (status == SP_OK && (stat(chart->path, &about) != 0 || about.st_size == 0))
        status = sp_raise(SP_ERROR_IO, "gnuplot ran, but did not write %s", chart->path);
    return status;
}
