/* Paths walked on a contour chart, as a movie. gnuplot draws the chart with its legend once, without the paths. This
 * file draws the paths over it: lines, and at the head of each the shape that the legend shows. */
#include "contour.h"
#include "font.h"
#include "store.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A short walk is drawn between its steps, too, or nobody could follow it. */
enum { FEWEST_FRAMES = 100, MOST_FRAMES = 200 };
enum { LETTER = 2 }; /* pixels a dot of a letter */
#define LINE_WIDTH 2.2
#define HEAD_SIZE 7.0

typedef struct point {
    double x, y;
} point;

typedef struct canvas {
    unsigned char *pixels; /* (3, height, width) */
    const sp__contour *chart;
} canvas;

typedef struct colour {
    double c[3];
} colour;

/* ---- drawing: shapes by the distance from their edge, in pixels, negative inside ---- */

typedef double shape_distance(const void *shape, point p);

static void blend(const canvas *k, int x, int y, colour c, double cover)
{
    const sp__contour *chart = k->chart;
    if (x < chart->left || x >= chart->right || y < chart->top || y >= chart->bottom || cover <= 0) return;
    for (int i = 0; i < 3; i++) {
        unsigned char *p = k->pixels + ((int64_t)i * chart->height + y) * chart->width + x;
        *p = (unsigned char)(*p + (c.c[i] - *p) * (cover < 1 ? cover : 1) + 0.5);
    }
}

static int clipped(double x, int low, int high)
{
    return x > low ? x < high ? (int)x : high : low;
}

/* Within `reach` of the box from low to high. */
static void draw_shape(const canvas *k, const void *shape, shape_distance *distance, point low, point high,
                       double reach, colour c)
{
    const sp__contour *chart = k->chart;
    int x0 = clipped(low.x - reach, chart->left, chart->right), x1 = clipped(high.x + reach + 1, x0, chart->right);
    int y0 = clipped(low.y - reach, chart->top, chart->bottom), y1 = clipped(high.y + reach + 1, y0, chart->bottom);
    for (int y = y0; y < y1; y++)
        for (int x = x0; x < x1; x++) blend(k, x, y, c, 0.5 - distance(shape, (point){x + 0.5, y + 0.5}));
}

static double line_distance(const void *shape, point p)
{
    const point *ends = shape;
    double dx = ends[1].x - ends[0].x, dy = ends[1].y - ends[0].y, length = dx * dx + dy * dy;
    double t = length > 0 ? ((p.x - ends[0].x) * dx + (p.y - ends[0].y) * dy) / length : 0;
    t = fmin(fmax(t, 0), 1);
    return hypot(p.x - ends[0].x - t * dx, p.y - ends[0].y - t * dy) - LINE_WIDTH / 2;
}

static void draw_line(const canvas *k, point a, point b, colour c)
{
    const point ends[] = {a, b};
    if (!isfinite(a.x + a.y + b.x + b.y)) return;
    draw_shape(k, ends, line_distance, (point){fmin(a.x, b.x), fmin(a.y, b.y)}, (point){fmax(a.x, b.x), fmax(a.y, b.y)},
               LINE_WIDTH, c);
}

/* A regular polygon (0 corners: a circle) with a corner at an angle. */
typedef struct head {
    point middle;
    int corners;
    double angle, radius;
} head;

static double head_distance(const void *shape, point p)
{
    const head *h = shape;
    double x = p.x - h->middle.x, y = p.y - h->middle.y, r = hypot(x, y);
    if (h->corners == 0) return r - h->radius;
    const double pi = 3.141592653589793;
    double sector = 2 * pi / h->corners, angle = fmod(atan2(y, x) - h->angle + 4 * pi, sector);
    return r * cos(angle - sector / 2) - h->radius * cos(sector / 2);
}

/* The shapes of sp__chart_marker: circle, square, triangles, diamond, and the same open. Angles go clockwise. */
static void draw_head(const canvas *k, int i, point at, colour c)
{
    static const struct {
        int corners;
        double angle, radius;
    } shapes[] = {{0, 0, 1}, {4, 0.7854, 1.25}, {3, -1.5708, 1.4}, {3, 1.5708, 1.4}, {4, 0, 1.3}};
    const colour white = {{255, 255, 255}};
    int shape = i % 5;
    head h = {at, shapes[shape].corners, shapes[shape].angle, HEAD_SIZE * shapes[shape].radius};
    if (!isfinite(at.x + at.y)) return;
    double rings[] = {1.35, 1, i % SP__LOOKS < 5 ? 0 : 0.5}, full = h.radius;
    for (int ring = 0; ring < 3; ring++) {
        h.radius = full * rings[ring];
        if (h.radius > 0) draw_shape(k, &h, head_distance, at, at, h.radius + 2, ring == 1 ? c : white);
    }
}

/* ---- paths ---- */

static colour colour_of(int i)
{
    long rgb = strtol(sp__chart_colour(i) + 1, NULL, 16);
    return (colour){{(double)(rgb >> 16), (double)(rgb >> 8 & 255), (double)(rgb & 255)}};
}

static point place(const sp__contour *c, double x, double y)
{
    double u = (x - c->x_range[0]) / (c->x_range[1] - c->x_range[0]);
    double v = (y - c->y_range[0]) / (c->y_range[1] - c->y_range[0]);
    return (point){c->left + u * (c->right - c->left), c->bottom - v * (c->bottom - c->top)};
}

/* The place of a path at a step, which need not be whole; its end after that. */
static point point_at(const sp__contour *c, const sp_series *path, double step)
{
    int64_t last = sp_series_length(path) - 1, i = (int64_t)step < last ? (int64_t)step : last;
    double t = i < last ? step - (double)i : 0, x = sp_series_x(path, i), y = sp_series_y(path, i);
    if (t > 0) {
        x += t * (sp_series_x(path, i + 1) - x);
        y += t * (sp_series_y(path, i + 1) - y);
    }
    return place(c, x, y);
}

static void draw_part(const canvas *k, const sp_series *path, double from, double to, colour c)
{
    double last = (double)(sp_series_length(path) - 1);
    to = fmin(to, last);
    while (from < to) {
        double next = fmin(floor(from) + 1, to);
        draw_line(k, point_at(k->chart, path, from), point_at(k->chart, path, next), c);
        from = next;
    }
}

static double longest(const sp__contour *c)
{
    int64_t n = 1;
    for (int i = 0; i < c->n_paths; i++)
        if (sp_series_length(c->paths[i]) - 1 > n) n = sp_series_length(c->paths[i]) - 1;
    return (double)n;
}

/* ---- frames ---- */

static void draw_letter(const canvas *k, int left, int top, char letter)
{
    const unsigned char *rows = sp__glyph(letter);
    for (int y = 0; y < SP__FONT_HEIGHT * LETTER; y++)
        for (int x = 0; x < SP__FONT_WIDTH * LETTER; x++) {
            const int row = top + y, column = left + x;
            const bool inside = row >= 0 && row < k->chart->height && column >= 0 && column < k->chart->width;
            if (!inside || !(rows[y / LETTER] >> (SP__FONT_WIDTH - 1 - x / LETTER) & 1)) continue;
            for (int64_t i = 0; i < 3; i++) k->pixels[(i * k->chart->height + row) * k->chart->width + column] = 0;
        }
}

/* How far the walk is, at the right of the axes, under the legend. */
static void draw_step(const canvas *k, double now)
{
    char text[32];
    snprintf(text, sizeof text, "step %.0f", floor(now + 1e-6));
    const int top = k->chart->bottom - SP__FONT_HEIGHT * LETTER;
    for (int i = 0; text[i]; i++)
        draw_letter(k, k->chart->right + 16 + i * (SP__FONT_WIDTH + 1) * LETTER, top, text[i]);
}

/* How many frames a step has: one in a long walk, several in a short one, so that each step ends on a frame. */
static int64_t count_frames(double steps)
{
    if (steps + 1 > MOST_FRAMES) return MOST_FRAMES;
    if (!(steps >= 1)) return 1;
    return (int64_t)(steps * ceil((FEWEST_FRAMES - 1) / steps)) + 1;
}

static sp_status draw_frames(const sp__contour *c, sp_movie *movie, sp_tensor *background)
{
    double steps = longest(c), before = 0;
    int64_t frames = c->options->frames ? c->options->frames : count_frames(steps);
    double fps = sp_option(c->options->fps, 20);
    canvas trail = {sp_data(background), c};
    sp_status status = trail.pixels ? SP_OK : sp_error_status();
    for (int64_t f = 0; f < frames && status == SP_OK; f++)
        SP_SCOPE {
            double now = frames > 1 ? steps * (double)f / (double)(frames - 1) : steps;
            for (int i = 0; i < c->n_paths; i++) draw_part(&trail, c->paths[i], before, now, colour_of(i));
            before = now;
            sp_tensor *picture = sp_clone(background);
            canvas frame = {picture ? sp_data(picture) : NULL, c};
            for (int i = 0; frame.pixels && i < c->n_paths; i++)
                if (sp_series_length(c->paths[i]) > 0)
                    draw_head(&frame, i, point_at(c, c->paths[i], now), colour_of(i));
            if (frame.pixels) draw_step(&frame, now);
            /* The end stays for a second and a half. */
            int64_t times = f + 1 == frames ? (int64_t)(1.5 * fps) + 1 : 1;
            for (int64_t t = 0; t < times && status == SP_OK; t++) status = sp_movie_frame(movie, picture);
        }
    return status;
}

/* Draws the chart without its paths. Its files get no names. */
static sp_tensor *draw_background(const sp__contour *c)
{
    sp__chart chart;
    char name[32];
    FILE *picture = sp__contour_chart(c, &chart, "chart.png") == SP_OK ? sp__chart_render(&chart) : NULL;
    if (picture) snprintf(name, sizeof name, "/dev/fd/%d", fileno(picture));
    sp_tensor *pixels = picture ? sp_load_png(name, 3) : NULL;
    sp__store_close(picture);
    sp__chart_free(&chart);
    return pixels;
}

static sp_status draw_movie(sp__contour *c, const char *path)
{
    sp_movie *movie = sp_movie_new(path, .fps = c->options->fps, .scale = 1, .title = c->options->title);
    if (!movie) return sp_error_status();
    if (!sp__have_gnuplot()) return sp_raise(SP_ERROR_NOT_FOUND, "%s was not drawn: gnuplot is not installed", path);
    c->heads_only = true;
    sp_tensor *background = draw_background(c);
    if (!background) return sp_error_status();
    sp_status status = draw_frames(c, movie, background);
    return status == SP_OK ? sp_movie_close(movie) : status;
}

sp_status(sp_plot_contour_movie)(const char *path, sp_tensor *values, sp_series *const *paths, int n,
                                 const sp_contour_options *given)
{
    sp_contour_options options;
    sp_options_copy(&options, sizeof options, given);
    if (!path || !values) return sp_raise_null("sp_plot_contour_movie", path ? "values" : "path");
    if (options.frames < 0 || options.frames > 100000)
        return sp_raise(SP_ERROR_ARGUMENT, "sp_plot_contour_movie: 1 to 100000 frames, not %lld",
                        (long long)sp_option_int(options.frames, 0));
    sp_status status = SP_OK;
    SP_NO_GRAD {
        sp__contour c;
        status = sp__contour_init(&c, "sp_plot_contour_movie", values, paths, n, &options);
        if (status == SP_OK) status = draw_movie(&c, path);
    }
    return status;
}
