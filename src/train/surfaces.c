/* Functions of two numbers to walk down on. Each is a row of the table at the foot: its value by operators, so that any
 * number of points and any order of gradient go. The network is in surface_net.c. */
#include "surfaces.h"
#include "names.h"

#include <spusk/functional.h>
#include <spusk/indexing.h>
#include <spusk/pointwise.h>
#include <spusk/views.h>
#include <stdio.h>

/* ---- values at x and y of any shape ---- */

static sp_tensor *beale(sp_tensor *x, sp_tensor *y)
{
    sp_tensor *a = sp_rsub_scalar(sp_sub(x, sp_mul(x, y)), 1.5);
    sp_tensor *b = sp_rsub_scalar(sp_sub(x, sp_mul(x, sp_square(y))), 2.25);
    sp_tensor *c = sp_rsub_scalar(sp_sub(x, sp_mul(x, sp_pow_scalar(y, 3))), 2.625);
    return sp_add(sp_add(sp_square(a), sp_square(b)), sp_square(c));
}

static sp_tensor *rosenbrock(sp_tensor *x, sp_tensor *y)
{
    sp_tensor *valley = sp_square(sp_sub(y, sp_square(x)));
    return sp_add(sp_square(sp_rsub_scalar(x, 1)), sp_mul_scalar(valley, 100));
}

/* x² - 10 cos 2πx + 10 */
static sp_tensor *bumps(sp_tensor *x)
{
    const double two_pi = 6.283185307179586;
    sp_tensor *waves = sp_mul_scalar(sp_cos(sp_mul_scalar(x, two_pi)), 10);
    return sp_add_scalar(sp_sub(sp_square(x), waves), 10);
}

static sp_tensor *rastrigin(sp_tensor *x, sp_tensor *y)
{
    return sp_add(bumps(x), bumps(y));
}

static sp_tensor *saddle(sp_tensor *x, sp_tensor *y)
{
    sp_tensor *monkey = sp_sub(sp_pow_scalar(x, 3), sp_mul_scalar(sp_mul(x, sp_square(y)), 3));
    sp_tensor *radius = sp_add(sp_square(x), sp_square(y));
    return sp_add(monkey, sp_mul_scalar(sp_square(radius), 0.75));
}

static sp_tensor *ravine(sp_tensor *x, sp_tensor *y)
{
    const double cosine = 0.8660254037844387, sine = 0.5;
    sp_tensor *along = sp_add(sp_mul_scalar(x, cosine), sp_mul_scalar(y, sine));
    sp_tensor *across = sp_sub(sp_mul_scalar(y, cosine), sp_mul_scalar(x, sine));
    return sp_add(sp_mul_scalar(sp_square(along), 0.5), sp_mul_scalar(sp_square(across), 20));
}

/* The wall is a softplus, 25·ln(1 + e^(-30(x + 1)))/30, so that its edge has a slope, too. */
static sp_tensor *cliff(sp_tensor *x, sp_tensor *y)
{
    sp_tensor *wall = sp_mul_scalar(sp_softplus(sp_neg(sp_add_scalar(x, 1)), .beta = 30), 25);
    sp_tensor *slope = sp_add(sp_mul_scalar(x, 0.4), sp_mul_scalar(sp_square(y), 0.2));
    return sp_add(slope, wall);
}

static sp_tensor *plateau(sp_tensor *x, sp_tensor *y)
{
    return sp_neg(sp_exp(sp_neg(sp_add(sp_square(x), sp_square(y)))));
}

/* ---- the object ---- */

typedef struct row {
    sp_surface_about about;                          /* which begins with the name */
    sp_tensor *(*value)(sp_tensor *x, sp_tensor *y); /* NULL: the network */
} row;

/* Half of the square root of three: where the saddle's valleys end. */
#define H 0.8660254037844386

static const row rows[] = {
    {
        .value = beale,
        .about = {.name = "beale",
                  .title = "Beale's function",
                  .formula = "(1.5 - x + xy)^2 + (2.25 - x + xy^2)^2 + (2.625 - x + xy^3)^2",
                  .x_range = {-0.5, 4.5},
                  .y_range = {-1.5, 2},
                  .start = {0.8, 1.6},
                  .minima = {{3, 0.5}},
                  .n_minima = 1,
                  .lr = 0.005,
                  .steps = 300},
    },
    {
        .value = rosenbrock,
        .about = {.name = "rosenbrock",
                  .title = "Rosenbrock's function",
                  .formula = "(1 - x)^2 + 100 (y - x^2)^2",
                  .x_range = {-2, 2},
                  .y_range = {-1, 3},
                  .start = {-1.5, 2.4},
                  .minima = {{1, 1}},
                  .n_minima = 1,
                  .lr = 0.0008,
                  .steps = 1000},
    },
    {
        .value = rastrigin,
        .about = {.name = "rastrigin",
                  .title = "Rastrigin's function",
                  .formula = "20 + x^2 - 10 cos(2 pi x) + y^2 - 10 cos(2 pi y)",
                  .x_range = {-4.4, 0.8},
                  .y_range = {-0.8, 4.4},
                  .start = {-3.4, 3.35},
                  .minima = {{0, 0}},
                  .n_minima = 1,
                  .lr = 0.002,
                  .steps = 150},
    },
    {
        .value = saddle,
        .about = {.name = "saddle",
                  .title = "a monkey saddle",
                  .formula = "x^3 - 3xy^2 + 3/4 (x^2 + y^2)^2",
                  .x_range = {-1.5, 1.5},
                  .y_range = {-1.4, 1.4},
                  .start = {1.1, 0.002},
                  .minima = {{-1, 0}, {0.5, H}, {0.5, -H}},
                  .n_minima = 3,
                  .lowest = -0.25,
                  .lr = 0.05,
                  .steps = 200},
    },
    {
        .value = ravine,
        .about = {.name = "ravine",
                  .title = "a ravine",
                  .formula = "u^2 / 2 + 20 v^2, (u, v) turned by 30 degrees",
                  .x_range = {-5, 2},
                  .y_range = {-3.5, 2.5},
                  .start = {-4.2, -1.3},
                  .minima = {{0, 0}},
                  .n_minima = 1,
                  .lr = 0.03,
                  .steps = 200},
    },
    {
        .value = cliff,
        .about = {.name = "cliff",
                  .title = "a cliff",
                  .formula = "0.4 x + 0.2 y^2 + a wall of slope 25 at x < -1",
                  .x_range = {-2, 8},
                  .y_range = {-3, 3},
                  .start = {3, 2},
                  .minima = {{-0.8627, 0}},
                  .n_minima = 1,
                  .lowest = -0.33164,
                  .lr = 0.6,
                  .steps = 150},
    },
    {
        .value = plateau,
        .about = {.name = "plateau",
                  .title = "a hole in a plateau",
                  .formula = "-exp(-(x^2 + y^2))",
                  .x_range = {-3, 1.5},
                  .y_range = {-2, 2.5},
                  .start = {-1.9, 1.4},
                  .minima = {{0, 0}},
                  .n_minima = 1,
                  .lowest = -1,
                  .lr = 0.5,
                  .steps = 100},
    },
    {
        .about = {.name = "net",
                  .title = "the loss of a small network",
                  .formula = "1/n sum (net(x; weights) - sin x)^2",
                  .x_range = {-0.8, 1.8},
                  .y_range = {-0.8, 1.5},
                  .start = {0.6, 1.2},
                  .minima = {{0, 0}, {1, 0}},
                  .n_minima = 2,
                  .lr = 0.02,
                  .steps = 200},
    },
};
enum { N_ROWS = sizeof rows / sizeof *rows };

struct sp_surface {
    const row *row;
    sp__surface_net net;
};

static void destroy(void *object)
{
    sp_surface *surface = object;
    sp__surface_net_free(&surface->net);
}

static const sp_kind kind = {"surface", destroy};

const char *sp_surface_name(int i)
{
    return i >= 0 && i < N_ROWS ? rows[i].about.name : NULL;
}

sp_surface *sp_surface_by_name(const char *name)
{
    const int i = sp__row_by_name("sp_surface_by_name", "surface", rows, N_ROWS, sizeof *rows, name);
    sp_surface *surface = i >= 0 ? sp_object_new(&kind, sizeof *surface) : NULL;
    if (!surface) return NULL;
    surface->row = &rows[i];
    if (rows[i].value || sp__surface_net_train(&surface->net) == SP_OK) return surface;
    sp_release(surface);
    return NULL;
}

const sp_surface_about *sp_surface_about_of(const sp_surface *surface)
{
    if (!surface) return sp_raise_null("sp_surface_about_of", "surface"), NULL;
    return &surface->row->about;
}

/* ---- values ---- */

sp_tensor *sp_surface_value(const sp_surface *surface, sp_tensor *p)
{
    if (!surface || !p) return sp_raise_null("sp_surface_value", surface ? "p" : "surface"), NULL;
    int n = sp_ndim(p);
    if (n < 1 || sp_size(p, -1) != 2)
        return sp_raise(SP_ERROR_SHAPE,
                        "sp_surface_value: points are (..., 2), not of %d dimensions, the last of size %lld", n,
                        (long long)(n ? sp_size(p, -1) : 0)),
               NULL;
    if (sp_dtype_of(p) != SP_F64)
        return sp_raise(SP_ERROR_DTYPE, "sp_surface_value: points are float64, not %s", sp_dtype_name(sp_dtype_of(p))),
               NULL;
    if (!surface->row->value) return sp__surface_net_value(&surface->net, p);
    return surface->row->value(sp_select(p, -1, 0), sp_select(p, -1, 1));
}

sp_tensor *sp_surface_grid(const sp_surface *surface, int64_t n)
{
    if (!surface) return sp_raise_null("sp_surface_grid", "surface"), NULL;
    if (n < 2 || n > 4096)
        return sp_raise(SP_ERROR_ARGUMENT, "sp_surface_grid: 2 to 4096 points a side, not %lld", (long long)n), NULL;
    const sp_surface_about *about = &surface->row->about;
    sp_tensor *values = NULL;
    SP_NO_GRAD {
        sp_tensor *x = sp_linspace(about->x_range[0], about->x_range[1], n, .dtype = SP_F64);
        sp_tensor *y = sp_unsqueeze(sp_linspace(about->y_range[0], about->y_range[1], n, .dtype = SP_F64), 1);
        sp_tensor *points = sp_stack(SP_LIST(sp_expand(x, n, n), sp_expand(y, n, n)), 2);
        values = sp_escape(sp_surface_value(surface, points));
    }
    return values;
}
