/* Surfaces, contour charts, and movies of walks on them. */
#include "support/support.h"
#include <math.h>
#include <spusk/spusk.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool have_gnuplot(void)
{
    return system("gnuplot --version >/dev/null 2>&1") == 0;
}

static const char *read_text(const char *path)
{
    static char text[1 << 20];
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return text;
}

static double value_at(const sp_surface *surface, double x, double y)
{
    const double p[] = {x, y};
    return sp_item(sp_surface_value(surface, sp_from_data(p, SP_DIMS(2), .dtype = SP_F64)));
}

/* ---- surfaces ---- */

/* The formulas of the header, once more, in plain C. */
static double plainly(const char *name, double x, double y)
{
    const double c = cos(3.14159265358979 / 6), s = 0.5, u = c * x + s * y, v = c * y - s * x;
    if (strcmp(name, "beale") == 0)
        return pow(1.5 - x + x * y, 2) + pow(2.25 - x + x * y * y, 2) + pow(2.625 - x + x * y * y * y, 2);
    if (strcmp(name, "rosenbrock") == 0) return (1 - x) * (1 - x) + 100 * pow(y - x * x, 2);
    if (strcmp(name, "rastrigin") == 0)
        return 20 + x * x - 10 * cos(6.283185307179586 * x) + y * y - 10 * cos(6.283185307179586 * y);
    if (strcmp(name, "saddle") == 0) return x * x * x - 3 * x * y * y + 0.75 * pow(x * x + y * y, 2);
    if (strcmp(name, "ravine") == 0) return u * u / 2 + 20 * v * v;
    if (strcmp(name, "cliff") == 0) return 0.4 * x + 0.2 * y * y + 25 * log1p(exp(-30 * (x + 1))) / 30;
    return -exp(-(x * x + y * y));
}

static void test_values(void **state)
{
    (void)state;
    for (int i = 0; sp_surface_name(i); i++) {
        const char *name = sp_surface_name(i);
        if (strcmp(name, "net") == 0) continue;
        const sp_surface *surface = sp_surface_by_name(name);
        for (int k = 0; k < 20; k++) {
            double x = 0.37 * k - 3.1, y = 2.2 - 0.29 * k, expected = plainly(name, x, y);
            assert_close(value_at(surface, x, y), expected, 1e-9 * (1 + fabs(expected)));
        }
    }
}

static sp_tensor *value_of(sp_tensor *const *inputs, void *user)
{
    return sp_sum(sp_surface_value(user, inputs[0]));
}

/* What stands in the table of each: its minima are, with the lowest value, and its start lies in the picture. */
static void test_minima(void **state)
{
    (void)state;
    for (int i = 0; sp_surface_name(i); i++) {
        sp_surface *surface = sp_surface_by_name(sp_surface_name(i));
        const sp_surface_about *about = sp_surface_about_of(surface);
        bool net = strcmp(about->name, "net") == 0;
        for (int k = 0; k < about->n_minima; k++) {
            sp_tensor *p = sp_requires_grad(sp_from_data(about->minima[k], SP_DIMS(2), .dtype = SP_F64));
            sp_tensor *value = sp_surface_value(surface, p);
            sp_backward(value);
            assert_true(sp_item(sp_norm(sp_grad(p))) < (net ? 0.05 : 2e-3));
            assert_close(sp_item(value), about->lowest, net ? 0.01 : 1e-4);
        }
        const double *start = about->start;
        assert_true(start[0] > about->x_range[0] && start[0] < about->x_range[1]);
        assert_true(start[1] > about->y_range[0] && start[1] < about->y_range[1]);
        assert_true(value_at(surface, start[0], start[1]) > about->lowest + 0.005);
        sp_tensor *p = sp_from_data(start, SP_DIMS(2), .dtype = SP_F64);
        assert_true(sp_gradcheck(value_of, SP_LIST(sp_requires_grad(p)), surface));
    }
}

static void test_grid_of_a_surface(void **state)
{
    (void)state;
    const sp_surface *surface = sp_surface_by_name("rosenbrock");
    sp_tensor *grid = sp_surface_grid(surface, 5);
    assert_int_equal(sp_size(grid, 0), 5);
    /* Row 1 is y = 0, column 3 is x = 1. */
    assert_close(sp_item(sp_select(sp_select(grid, 0, 1), 0, 3)), 100, 1e-12);
    assert_close(sp_item(sp_select(sp_select(grid, 0, 2), 0, 3)), 0, 1e-12);
    assert_refuses(SP_ERROR_ARGUMENT, "2 to 4096 points a side, not 1", sp_surface_grid(surface, 1));
}

/* Trained twice, it is the same; many networks at once are what they are one by one. */
static void test_net(void **state)
{
    (void)state;
    const sp_surface *one = sp_surface_by_name("net"), *two = sp_surface_by_name("net");
    assert_true(sp_equal(sp_surface_grid(one, 9), sp_surface_grid(two, 9)));
    const sp_surface_about *about = sp_surface_about_of(one);
    double x = about->x_range[0] + (about->x_range[1] - about->x_range[0]) * 3 / 8;
    double y = about->y_range[0] + (about->y_range[1] - about->y_range[0]) * 7 / 8;
    assert_close(sp_item(sp_select(sp_select(sp_surface_grid(one, 9), 0, 7), 0, 3)), value_at(one, x, y), 1e-12);
    assert_true(value_at(one, 0, 0) < 0.01 && value_at(one, 1, 0) < 0.01 && value_at(one, 0.5, 0) > 0.1);
}

static void test_what_is_no_surface(void **state)
{
    (void)state;
    assert_refuses(SP_ERROR_NOT_FOUND, "sp_surface_by_name: there is no surface \"alps\"; there are: beale, rosenbrock",
                   sp_surface_by_name("alps"));
    const sp_surface *surface = sp_surface_by_name("beale");
    assert_refuses(SP_ERROR_SHAPE, "points are (..., 2)",
                   sp_surface_value(surface, sp_zeros(SP_DIMS(3), .dtype = SP_F64)));
    assert_refuses(SP_ERROR_DTYPE, "points are float64, not float32", sp_surface_value(surface, sp_zeros(SP_DIMS(2))));
    assert_null(sp_surface_name(-1));
}

static bool make_net(void *context)
{
    (void)context;
    sp_surface *surface = sp_surface_by_name("net");
    return surface && sp_surface_value(surface, sp_zeros(SP_DIMS(2), .dtype = SP_F64));
}

/* Of a hundred thousand allocations, some. Where the library keeps memory that it can give up, one that fails is tried
 * again, and the net is made. */
static void test_net_without_memory(void **state)
{
    (void)state;
    support_watch_allocations();
    for (int64_t n = 1; n < 4000; n += n < 60 ? 1 : 397) {
        support_fail_allocation(n);
        bool made = make_net(NULL);
        support_fail_allocation(0);
        if (!made) assert_error(SP_ERROR_MEMORY, "");
        assert_no_error();
        sp_finish();
        assert_int_equal(support_outstanding(), 0);
    }
}

/* ---- contour charts ---- */

static sp_series *path_of(const char *name, int n)
{
    sp_series *path = sp_series_new(name);
    for (int i = 0; i < n; i++) sp_series_push_xy(path, -1 + 2.0 * i / n, 1 - 1.5 * i / n);
    return path;
}

static sp_contour_options options_of(const char *title)
{
    return (sp_contour_options){.size = sizeof(sp_contour_options),
                                .title = title,
                                .x_range = {-2, 2},
                                .y_range = {-1, 3},
                                .width = 640,
                                .height = 480};
}

static void test_contour(void **state)
{
    (void)state;
    if (!have_gnuplot()) skip_because("there is no gnuplot");
    const char *path = support_path("rosenbrock.png");
    sp_tensor *values = sp_surface_grid(sp_surface_by_name("rosenbrock"), 41);
    sp_series *const paths[] = {path_of("it's", 30), path_of("two", 1), path_of("none", 0)};
    sp_contour_options options = options_of("a 'title'");
    options.marks = path_of("minimum", 1);
    assert_int_equal((sp_plot_contour)(path, values, paths, 3, &options), SP_OK);
    sp_tensor *picture = sp_load_png(path, 3);
    assert_int_equal(sp_size(picture, 1), 480);
    assert_int_equal(sp_size(picture, 2), 640);
    const char *script = read_text(support_path("rosenbrock.gp"));
    assert_non_null(strstr(script, "set title 'a ''title'''"));
    assert_non_null(strstr(script, "title 'it''s'"));
    assert_non_null(strstr(script, "set xrange [-2:2]"));
    /* The data: x, y, value, shade; the first is the corner, with the largest value but one. */
    assert_int_equal(strncmp(read_text(support_path("rosenbrock.dat")), "-2 -1 2509 1\n", 13), 0);
}

/* Values that are not finite, and equal ones. */
static void test_odd_values(void **state)
{
    (void)state;
    if (!have_gnuplot()) skip_because("there is no gnuplot");
    const double values[] = {0, 1, 2, (double)NAN, 4, (double)INFINITY, 6, 7, -8};
    sp_tensor *odd = sp_from_data(values, SP_DIMS(3, 3), .dtype = SP_F64);
    assert_int_equal(sp_plot_contour(support_path("odd.svg"), odd, NULL, 0), SP_OK);
    assert_int_equal(sp_plot_contour(support_path("flat.svg"), sp_ones(SP_DIMS(4, 3)), NULL, 0), SP_OK);
    assert_true(sp_plot_contour(support_path("nan.svg"), sp_full(SP_DIMS(3, 3), (double)NAN), NULL, 0) != SP_OK);
    assert_error(SP_ERROR_ARGUMENT, "needs a finite value");
}

static void test_what_is_no_contour(void **state)
{
    (void)state;
    const char *path = support_path("no.png");
    sp_tensor *values = sp_ones(SP_DIMS(4, 4));
    sp_plot_contour(path, sp_ones(SP_DIMS(4)), NULL, 0);
    assert_error(SP_ERROR_SHAPE, "values are (H, W), at least 2 by 2");
    sp_plot_contour(path, sp_ones(SP_DIMS(4, 1)), NULL, 0);
    assert_error(SP_ERROR_SHAPE, "at least 2 by 2");
    sp_plot_contour(path, values, NULL, 1);
    assert_error(SP_ERROR_NULL, "paths");
    sp_plot_contour(path, values, NULL, 11);
    assert_error(SP_ERROR_ARGUMENT, "0 to 10 paths");
    sp_plot_contour(path, values, NULL, 0, .x_range = {3, 3});
    assert_error(SP_ERROR_ARGUMENT, "not from 3 to 3");
    sp_plot_contour(path, values, NULL, 0, .width = 300);
    assert_error(SP_ERROR_ARGUMENT, "not 300 by 720");
    sp_plot_contour("no.gif", values, NULL, 0);
    assert_error(SP_ERROR_ARGUMENT, "ends in .png, .svg or .pdf");
    sp_plot_contour_movie(support_path("no.png"), values, NULL, 0);
    assert_error(SP_ERROR_ARGUMENT, "ends in .gif, .mp4 or .html");
    sp_plot_contour_movie(support_path("no.html"), values, NULL, 0, .frames = -1);
    assert_error(SP_ERROR_ARGUMENT, "frames, not -1");
    assert_int_equal(access(path, F_OK), -1);
}

/* ---- walks ---- */

/* The GIF's frames are as many as asked for, and those that stay at the end; the folder that it was drawn in is gone.
 */
static void test_walk(void **state)
{
    (void)state;
    if (!have_gnuplot()) skip_because("there is no gnuplot");
    sp_error_quiet(true);
    bool can_gif = sp_movie_new(support_path("can.gif")) != NULL;
    sp_error_quiet(false);
    sp_error_clear();
    if (!can_gif) skip_because("this build has no cgif");
    setenv("TMPDIR", support_folder(), 1);
    const char *path = support_path("walk.gif");
    sp_tensor *values = sp_surface_grid(sp_surface_by_name("rosenbrock"), 21);
    sp_series *const paths[] = {path_of("one", 9), path_of("two", 4), path_of("none", 0)};
    sp_contour_options options = options_of("walk");
    options.frames = 5;
    options.fps = 10;
    assert_int_equal((sp_plot_contour_movie)(path, values, paths, 3, &options), SP_OK);
    char command[1200];
    snprintf(command, sizeof command, "test \"$(ls -A '%s')\" = walk.gif", support_folder());
    assert_int_equal(system(command), 0);
    unsetenv("TMPDIR");
    assert_int_equal(strncmp(read_text(path), "GIF89a", 6), 0);
    if (system("ffmpeg -version >/dev/null 2>&1") != 0) return;
    snprintf(command, sizeof command, "ffmpeg -nostdin -loglevel error -i '%s' '%s/frame%%d.png'", path,
             support_folder());
    assert_int_equal(system(command), 0);
    /* The first frame has heads at the start only; in the last the first path's trail has passed the middle. */
    sp_tensor *first = sp_load_png(support_path("frame1.png"), 3), *last = sp_load_png(support_path("frame5.png"), 3);
    sp_tensor *blue = sp_full(SP_DIMS(3, 1, 1), 0, .dtype = SP_I64);
    int64_t *rgb = sp_data(blue);
    rgb[0] = 0x33, rgb[1] = 0x22, rgb[2] = 0x88;
    int64_t counts[2];
    sp_tensor *const frames[] = {first, last};
    for (int i = 0; i < 2; i++) {
        sp_tensor *off = sp_abs(sp_sub(sp_cast(frames[i], SP_I64), blue));
        sp_tensor *near = sp_lt_scalar(sp_amax_dim(off, 0), 12);
        counts[i] = sp_item_i64(sp_sum(sp_cast(near, SP_I64)));
    }
    assert_true(counts[0] > 20 && counts[1] > counts[0] + 100);
    /* At the right, where no path goes, only the count of the steps changes. */
    const int64_t margin = sp_size(first, 2) / 8, from = sp_size(first, 2) - margin;
    assert_false(sp_equal(sp_narrow(first, 2, from, margin), sp_narrow(last, 2, from, margin)));
}

/* A short walk has frames between its steps, so that it takes five seconds, too. */
static void test_short_walk_is_slow(void **state)
{
    (void)state;
    if (!have_gnuplot() || system("ffmpeg -version >/dev/null 2>&1") != 0) skip_because("gnuplot or ffmpeg is missing");
    sp_tensor *values = sp_surface_grid(sp_surface_by_name("rosenbrock"), 21);
    sp_series *const paths[] = {path_of("one", 4)};
    sp_contour_options options = options_of("walk");
    const char *path = support_path("walk.mp4");
    assert_int_equal((sp_plot_contour_movie)(path, values, paths, 1, &options), SP_OK);
    char command[1200];
    /* 33 a step, the start, and the end for a second and a half more at 20 a second. */
    snprintf(command, sizeof command,
             "test \"$(ffprobe -v error -count_frames -show_entries stream=nb_read_frames -of csv=p=0 '%s')\" = 130",
             path);
    assert_int_equal(system(command), 0);
}

static void test_walk_without_gnuplot(void **state)
{
    (void)state;
    const char *given = getenv("PATH");
    char *path = strdup(given ? given : "");
    setenv("PATH", "/nonexistent", 1);
    setenv("TMPDIR", support_folder(), 1);
    sp_status status = sp_plot_contour_movie(support_path("w.html"), sp_ones(SP_DIMS(3, 3)), NULL, 0);
    setenv("PATH", path, 1);
    unsetenv("TMPDIR");
    free(path);
    assert_int_equal(status, SP_ERROR_NOT_FOUND);
    assert_error(SP_ERROR_NOT_FOUND, "w.html was not drawn: gnuplot is not installed");
    char command[1200];
    snprintf(command, sizeof command, "test -z \"$(ls -A '%s')\"", support_folder());
    assert_int_equal(system(command), 0);
}

static bool draw(void *context)
{
    sp_tensor *values = sp_ones(SP_DIMS(3, 3));
    sp_series *path = sp_series_new("p");
    if (!values || !path || sp_series_push_xy(path, 0, 0) != SP_OK) return false;
    sp_series *const paths[] = {path};
    return sp_plot_contour(context, values, paths, 1) == SP_OK;
}

static void test_each_allocation_fails(void **state)
{
    (void)state;
    if (!have_gnuplot()) skip_because("there is no gnuplot");
    char path[1024];
    snprintf(path, sizeof path, "%s", support_path("a.svg"));
    assert_true(support_fail_each_allocation(draw, path) > 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        sp_test(test_values),
        sp_test(test_minima),
        sp_test(test_grid_of_a_surface),
        sp_test(test_net),
        sp_test(test_what_is_no_surface),
        sp_test(test_net_without_memory),
        sp_test(test_contour),
        sp_test(test_odd_values),
        sp_test(test_what_is_no_contour),
        sp_test(test_walk),
        sp_test(test_short_walk_is_slow),
        sp_test(test_walk_without_gnuplot),
        sp_test(test_each_allocation_fails),
    };
    return sp_test_main(tests);
}
