/* Points by class, one or several charts side by side. Each class has a colour and a shape; its name stands at the
 * middle of its points and in the legend. */
#include "chart.h"

#include <math.h>
#include <stdlib.h>

#define MAX_CLASSES 30
#define MAX_PANELS 6

/* The points of one chart as numbers. */
typedef struct panel {
    const double *points;  /* (n, 2) */
    const int64_t *labels; /* n; NULL: all of one class */
    int64_t n;
    const char *title;
} panel;

typedef struct figure {
    panel panels[MAX_PANELS];
    int n_panels, n_classes;
    bool labelled;
    const sp_scatter_options *options;
} figure;

/* ---- reading ---- */

static sp_status read_labels(figure *f, panel *p, sp_tensor *labels)
{
    if (labels == SP_NONE) return SP_OK;
    if (sp_ndim(labels) != 1 || sp_size(labels, 0) != p->n)
        return sp_raise(SP_ERROR_SHAPE, "sp_plot_scatter: %lld points need as many labels", (long long)p->n);
    if (sp_dtype_is_floating_point(sp_dtype_of(labels)))
        return sp_raise(SP_ERROR_DTYPE, "sp_plot_scatter: labels are integers, not %s",
                        sp_dtype_name(sp_dtype_of(labels)));
    p->labels = sp_const_data(sp_contiguous(sp_cast(labels, SP_I64)));
    if (!p->labels) return sp_error_status();
    f->labelled = true;
    for (int64_t i = 0; i < p->n; i++) {
        if (p->labels[i] < 0 || p->labels[i] >= MAX_CLASSES)
            return sp_raise(SP_ERROR_ARGUMENT, "sp_plot_scatter: labels are 0 to %d, not %lld", MAX_CLASSES - 1,
                            (long long)p->labels[i]);
        if (p->labels[i] >= f->n_classes) f->n_classes = (int)p->labels[i] + 1;
    }
    return SP_OK;
}

static sp_status read_panel(figure *f, panel *p, const sp_scatter_panel *given)
{
    if (!given->points || !given->labels) return sp_raise_null("sp_plot_scatter", given->points ? "labels" : "points");
    if (sp_ndim(given->points) != 2 || sp_size(given->points, 1) != 2)
        return sp_raise(SP_ERROR_SHAPE,
                        "sp_plot_scatter: points are (N, 2), not of %d dimensions, the last of size %lld",
                        sp_ndim(given->points), (long long)(sp_ndim(given->points) ? sp_size(given->points, -1) : 0));
    p->n = sp_size(given->points, 0);
    p->title = given->title;
    p->points = sp_const_data(sp_contiguous(sp_cast(given->points, SP_F64)));
    if (!p->points) return sp_error_status();
    return read_labels(f, p, given->labels);
}

static bool drawable(const panel *p, int64_t i)
{
    return isfinite(p->points[2 * i]) && isfinite(p->points[2 * i + 1]);
}

static int class_of(const panel *p, int64_t i)
{
    return p->labels ? (int)p->labels[i] : 0;
}

/* ---- the data: a block of "x y class" for each chart, then one of "x y name" for the middles of its classes ---- */

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The middle of a class: the median of each coordinate. The rooms are for n numbers. */
static bool middle_of(const panel *p, int class, double *room, double middle[2])
{
    for (int d = 0; d < 2; d++) {
        size_t n = 0;
        for (int64_t i = 0; i < p->n; i++)
            if (class_of(p, i) == class && drawable(p, i)) room[n++] = p->points[2 * i + d];
        if (n == 0) return false;
        qsort(room, n, sizeof *room, compare);
        middle[d] = room[n / 2];
    }
    return true;
}

/* A name in the data: in double quotes, which it may not contain itself. */
static void write_name_as_data(FILE *file, const figure *f, int class)
{
    const char *name = f->options->names ? f->options->names[class] : NULL;
    if (!name) {
        fprintf(file, "%d", class);
        return;
    }
    fputc('"', file);
    for (; *name; name++) fputc(*name == '"' || (unsigned char)*name < ' ' ? '\'' : *name, file);
    fputc('"', file);
}

static void write_point(FILE *file, const double point[2])
{
    sp__plot_number(file, point[0]);
    fputc(' ', file);
    sp__plot_number(file, point[1]);
    fputc(' ', file);
}

static void write_middles(FILE *file, const figure *f, const panel *p, double *room)
{
    double middle[2];
    for (int class = 0; f->labelled && class < f->n_classes; class ++) {
        if (!middle_of(p, class, room, middle)) continue;
        write_point(file, middle);
        write_name_as_data(file, f, class);
        fputc('\n', file);
    }
    fputs("\n\n", file);
}

static sp_status write_panel(FILE *file, const figure *f, const panel *p)
{
    int64_t drawn = 0;
    size_t bytes = (size_t)p->n * sizeof(double);
    for (int64_t i = 0; i < p->n; i++) {
        if (!drawable(p, i)) continue;
        write_point(file, p->points + 2 * i);
        fprintf(file, "%d\n", class_of(p, i));
        drawn++;
    }
    fputs("\n\n", file);
    if (drawn == 0) return sp_raise(SP_ERROR_ARGUMENT, "sp_plot_scatter: there is no finite point to draw");
    double *room = sp_alloc(bytes);
    if (!room) return sp_error_status();
    write_middles(file, f, p, room);
    sp_free(room, bytes);
    return SP_OK;
}

static sp_status write_data(FILE *file, const figure *f)
{
    sp_status status = SP_OK;
    for (int i = 0; i < f->n_panels && status == SP_OK; i++) status = write_panel(file, f, &f->panels[i]);
    return status;
}

/* ---- the script ---- */

static int width_of(const figure *f)
{
    const int room = f->labelled ? 110 : 20;
    return f->options->width ? f->options->width : f->n_panels == 1 ? 800 + room : 560 * f->n_panels + room;
}

static int height_of(const figure *f)
{
    return f->options->height ? f->options->height : f->n_panels == 1 ? 720 : 560;
}

/* Looks by class, which the plot commands read as Colours[class + 1]. */
static void write_looks(FILE *file, const figure *f)
{
    int n = f->n_classes;
    fprintf(file, "array Colours[%d]\narray Shapes[%d]\n", n, n);
    for (int i = 0; i < n; i++)
        fprintf(file, "Colours[%d] = 0x%s; Shapes[%d] = %d\n", i + 1, sp__chart_colour(i) + 1, i + 1,
                sp__chart_marker(i + i / SP__LOOKS));
    sp__plot_print(file, "size = %g\n", f->options->point_size > 0 ? f->options->point_size : 0.5);
}

/* Where a chart stands: fractions of the picture. */
static void write_place(FILE *file, const figure *f, int index)
{
    double width = width_of(f), legend = f->labelled ? 100 / width : 10 / width;
    double cell = (1 - legend) / f->n_panels, left = 70 / width, gap = 14 / width;
    double lines = (f->options->title != NULL) + (f->panels[index].title != NULL);
    double top = 1 - (16 + 28 * lines) / height_of(f);
    sp__plot_print(file, "set lmargin at screen %.4f\nset rmargin at screen %.4f\nset tmargin at screen %.4f\n",
                   index * cell + left, (index + 1) * cell - gap, top);
    sp__plot_print(file, "set bmargin at screen %.4f\n", 62.0 / height_of(f));
    if (index == 0)
        sp__plot_print(file, "set key at screen %.4f, screen %.4f left top Left reverse samplen 0 spacing 1.25\n",
                       1 - legend + 2 / width, top);
}

static void write_legend(FILE *file, const figure *f)
{
    for (int i = 0; f->labelled && i < f->n_classes; i++) {
        fprintf(file,
                ", \\\n     NaN with points pointtype Shapes[%d] pointsize 1.3 linewidth 1.6 linecolor rgb "
                "Colours[%d] title ",
                i + 1, i + 1);
        char number[16];
        snprintf(number, sizeof number, "%d", i);
        sp__plot_quote(file, f->options->names ? f->options->names[i] : number);
    }
}

static void write_plot(FILE *file, const figure *f, int index)
{
    write_place(file, f, index);
    fputs("unset title\n", file);
    sp__chart_setting(file, "title", f->panels[index].title);
    fprintf(
        file,
        "plot data index %d using 1:2:(Shapes[$3 + 1]):(Colours[$3 + 1]) with points pointtype variable pointsize size "
        "linecolor rgb variable notitle",
        2 * index);
    if (index == 0) write_legend(file, f);
    if (f->labelled)
        fprintf(file, ", \\\n     data index %d using 1:2:3 with labels boxed font ',15' notitle", 2 * index + 1);
    fputc('\n', file);
}

static void write_script(sp__chart *c, const figure *f)
{
    const sp_scatter_options *options = f->options;
    FILE *file = c->script;
    sp__chart_begin(c, width_of(f), height_of(f));
    fputs("set style textbox opaque noborder fillcolor rgb '#40ffffff' margins 0.6, 0.6\n", file);
    write_looks(file, f);
    sp__chart_setting(file, "xlabel", options->x_label);
    sp__chart_setting(file, "ylabel", options->y_label);
    fputs("set multiplot", file);
    if (options->title) {
        fputs(" title ", file);
        sp__plot_quote(file, options->title);
        fputs(" noenhanced font ',16'", file);
    }
    fputc('\n', file);
    for (int i = 0; i < f->n_panels; i++) {
        if (i == 1) fputs("unset ylabel\n", file);
        write_plot(file, f, i);
    }
    fputs("unset multiplot\n", file);
}

/* ---- together ---- */

static sp_status read_figure(figure *f, const sp_scatter_panel *panels, int n)
{
    if (n < 1 || n > MAX_PANELS)
        return sp_raise(SP_ERROR_ARGUMENT, "sp_plot_scatters: 1 to %d charts fit side by side, not %d", MAX_PANELS, n);
    f->n_panels = n;
    f->n_classes = 1;
    sp_status status = SP_OK;
    for (int i = 0; i < n && status == SP_OK; i++) status = read_panel(f, &f->panels[i], &panels[i]);
    for (int i = 0; status == SP_OK && f->options->names && i < f->n_classes; i++)
        if (!f->options->names[i]) status = sp_raise(SP_ERROR_ARGUMENT, "sp_plot_scatter: class %d has no name", i);
    return status;
}

static sp_status draw(const figure *f, const char *path)
{
    sp__chart c;
    sp_status status = sp__chart_init(&c, path, f->options->width, f->options->height);
    if (status == SP_OK) status = write_data(c.data, f);
    if (status == SP_OK) write_script(&c, f);
    if (status == SP_OK) status = sp__chart_save(&c);
    sp__chart_free(&c);
    return status;
}

sp_status(sp_plot_scatters)(const char *path, const sp_scatter_panel *panels, int n, const sp_scatter_options *given)
{
    sp_scatter_options options;
    sp_options_copy(&options, sizeof options, given);
    if (!path || !panels) return sp_raise_null("sp_plot_scatters", path ? "panels" : "path");
    figure f = {.options = &options};
    sp_status status = SP_OK;
    SP_NO_GRAD {
        status = read_figure(&f, panels, n);
        if (status == SP_OK) status = draw(&f, path);
    }
    return status;
}

sp_status(sp_plot_scatter)(const char *path, sp_tensor *points, sp_tensor *labels, const sp_scatter_options *options)
{
    if (!path || !points || !labels)
        return sp_raise_null("sp_plot_scatter", !path ? "path" : !points ? "points" : "labels");
    const sp_scatter_panel only = {.points = points, .labels = labels};
    return (sp_plot_scatters)(path, &only, 1, options);
}
