/* Points by class, one or several charts side by side. Each class has a colour and a shape; its name stands at the
 * middle of its points and in the legend. */
#include "chart.h"
#include "placement.h"

#include <math.h>
#include <stdlib.h>

enum { MAX_CLASSES = 30 };
enum { MAX_PANELS = 6 };

/* A class's name and its place in the chart. */
typedef struct middle {
    int class;
    double at[2];
} middle;

/* The points of one chart as numbers. */
typedef struct panel {
    const double *points;  /* (n, 2) */
    const int64_t *labels; /* n; NULL: all of one class */
    int64_t n;
    const char *title;
    double range[2][2];    /* of the axes */
    int64_t drawn, beyond; /* points that are finite, and those of them outside the axes */
    middle middles[MAX_CLASSES];
    int n_middles;
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

/* ---- the layout, in pixels ---- */

static int width_of(const figure *f)
{
    const int room = f->labelled ? 110 : 20;
    return f->options->width ? f->options->width : f->n_panels == 1 ? 800 + room : 560 * f->n_panels + room;
}

static int height_of(const figure *f)
{
    return f->options->height ? f->options->height : f->n_panels == 1 ? 720 : 560;
}

/* Where a chart stands in the picture, from the left and from the top. */
typedef struct place {
    double left, right, top, bottom;
} place;

static place place_of(const figure *f, int index)
{
    double width = width_of(f), legend = f->labelled ? 100 : 10, cell = (width - legend) / f->n_panels;
    double lines = (f->options->title != NULL) + (f->panels[index].title != NULL);
    return (place){index * cell + 70, (index + 1) * cell - 14, 16 + 28 * lines, height_of(f) - 62};
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Sorts one coordinate of a class's points (class -1: of all points). Returns how many there are; `room` is for n
 * numbers. */
static int64_t sort_points(const panel *p, int class, int axis, double *room)
{
    size_t n = 0;
    for (int64_t i = 0; i < p->n; i++)
        if ((class < 0 || class_of(p, i) == class) && drawable(p, i)) room[n++] = p->points[2 * i + axis];
    qsort(room, n, sizeof *room, compare);
    return (int64_t)n;
}

static bool beyond(const panel *p, const double point[2])
{
    for (int axis = 0; axis < 2; axis++) {
        const double *range = p->range[axis];
        if (range[0] < range[1] && (point[axis] < range[0] || point[axis] > range[1])) return true;
    }
    return false;
}

static sp_status find_ranges(const figure *f, panel *p, double *room)
{
    for (int axis = 0; axis < 2; axis++) {
        int64_t n = sort_points(p, -1, axis, room);
        if (n == 0) return sp_raise(SP_ERROR_ARGUMENT, "sp_plot_scatter: there is no finite point to draw");
        if (!f->options->all_points) sp__axis_range(room, n, p->range[axis]);
        p->drawn = n;
    }
    for (int64_t i = 0; i < p->n; i++) p->beyond += drawable(p, i) && beyond(p, p->points + 2 * i);
    return SP_OK;
}

/* The medians of each coordinate. */
static void find_middles(const figure *f, panel *p, double *room)
{
    for (int class = 0; f->labelled && class < f->n_classes; class ++) {
        middle *m = &p->middles[p->n_middles];
        *m = (middle){.class = class};
        int64_t n = 0;
        for (int axis = 0; axis < 2; axis++)
            if ((n = sort_points(p, class, axis, room)) > 0) m->at[axis] = room[n / 2];
        p->n_middles += n > 0;
    }
}

static double name_width(const figure *f, int class)
{
    const double letter = 10.5, margins = 13;
    const char *name = f->options->names ? f->options->names[class] : class < 10 ? "0" : "00";
    int letters = 0;
    for (; *name; name++) letters += ((unsigned char)*name & 0xc0) != 0x80; /* of UTF-8 */
    return letter * letters + margins;
}

/* Names that would cover each other. */
static void move_middles(const figure *f, panel *p, int index)
{
    sp__label labels[MAX_CLASSES], before[MAX_CLASSES];
    const place at = place_of(f, index);
    const double size[2] = {at.right - at.left, at.bottom - at.top};
    const double x = p->range[0][0], wide = p->range[0][1] - x, y = p->range[1][0], high = p->range[1][1] - y;
    if (!(wide > 0 && high > 0)) return;
    for (int i = 0; i < p->n_middles; i++) {
        const middle *m = &p->middles[i];
        before[i] = (sp__label){(m->at[0] - x) / wide * size[0], (m->at[1] - y) / high * size[1],
                                name_width(f, m->class), 28};
        labels[i] = before[i];
    }
    sp__labels_apart(labels, p->n_middles, size[0], size[1]);
    for (int i = 0; i < p->n_middles; i++) {
        if (labels[i].x != before[i].x) p->middles[i].at[0] = x + labels[i].x / size[0] * wide;
        if (labels[i].y != before[i].y) p->middles[i].at[1] = y + labels[i].y / size[1] * high;
    }
}

static sp_status lay_out(const figure *f, panel *p, int index)
{
    const size_t bytes = ((size_t)p->n + 1) * sizeof(double);
    double *room = sp_alloc(bytes);
    if (!room) return sp_error_status();
    sp_status status = find_ranges(f, p, room);
    if (status == SP_OK) find_middles(f, p, room);
    if (status == SP_OK) move_middles(f, p, index);
    sp_free(room, bytes);
    return status;
}

/* ---- the data: a block of "x y class" for each chart, then one of "x y name" for the names of its classes ---- */

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

static void write_panel(FILE *file, const figure *f, const panel *p)
{
    for (int64_t i = 0; i < p->n; i++) {
        if (!drawable(p, i)) continue;
        write_point(file, p->points + 2 * i);
        fprintf(file, "%d\n", class_of(p, i));
    }
    fputs("\n\n", file);
    for (int i = 0; i < p->n_middles; i++) {
        write_point(file, p->middles[i].at);
        write_name_as_data(file, f, p->middles[i].class);
        fputc('\n', file);
    }
    fputs("\n\n", file);
}

/* ---- the script ---- */

/* The looks of each class, which the plot commands read as Colours[class + 1]. */
static void write_looks(FILE *file, const figure *f)
{
    int n = f->n_classes;
    fprintf(file, "array Colours[%d]\narray Shapes[%d]\n", n, n);
    for (int i = 0; i < n; i++)
        fprintf(file, "Colours[%d] = 0x%s; Shapes[%d] = %d\n", i + 1, sp__chart_colour(i) + 1, i + 1,
                sp__chart_marker(i + i / SP__LOOKS));
    sp__plot_print(file, "size = %g\n", f->options->point_size);
}

static void write_place(FILE *file, const figure *f, int index)
{
    const double width = width_of(f), height = height_of(f);
    const place at = place_of(f, index);
    sp__plot_print(file, "set lmargin at screen %.4f\nset rmargin at screen %.4f\nset tmargin at screen %.4f\n",
                   at.left / width, at.right / width, 1 - at.top / height);
    sp__plot_print(file, "set bmargin at screen %.4f\n", 1 - at.bottom / height);
    if (index == 0)
        sp__plot_print(file, "set key at screen %.4f, screen %.4f left top Left reverse samplen 0 spacing 1.25\n",
                       1 - (f->labelled ? 98 : 8) / width, 1 - at.top / height);
}

/* The axes, and how many points they leave out. */
static void write_axes(FILE *file, const panel *p)
{
    fputs("set autoscale\nunset label\n", file);
    sp__chart_range(file, "x", p->range[0]);
    sp__chart_range(file, "y", p->range[1]);
    if (p->beyond == 0) return;
    fprintf(file,
            "set label '%lld of %lld points lie beyond the axes' at graph 0.985, graph 0.025 right front font ',10' "
            "textcolor rgb '#555555'\n",
            (long long)p->beyond, (long long)p->drawn);
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
    write_axes(file, &f->panels[index]);
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

static sp_status draw(figure *f, const char *path)
{
    sp__chart c;
    sp_status status = sp__chart_init(&c, path, f->options->width, f->options->height);
    for (int i = 0; i < f->n_panels && status == SP_OK; i++) status = lay_out(f, &f->panels[i], i);
    for (int i = 0; i < f->n_panels && status == SP_OK; i++) write_panel(c.data, f, &f->panels[i]);
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
    options.point_size = sp_option(options.point_size, 0.5);
    if (!(options.point_size > 0 && isfinite(options.point_size)))
        return sp_raise(SP_ERROR_ARGUMENT, "sp_plot_scatters: point_size must be above 0, got %g", options.point_size);
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
