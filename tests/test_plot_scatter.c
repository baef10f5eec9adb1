/* Scatters by class, alone and side by side; legends, axes and captions of the other charts. */
#include "support/support.h"
#include <math.h>
#include <spusk/spusk.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *read_text(const char *path)
{
    static char text[65536];
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return text;
}

static bool have_gnuplot(void)
{
    return system("gnuplot --version >/dev/null 2>&1") == 0;
}

/* Without gnuplot the script and the data are there all the same; the error that says so is read. */
static sp_status drawn(sp_status status)
{
    if (have_gnuplot() || status != SP_ERROR_NOT_FOUND) return status;
    assert_error(SP_ERROR_NOT_FOUND, "gnuplot is not installed");
    return SP_OK;
}

static sp_tensor *labels_of(int64_t n, int64_t classes)
{
    sp_tensor *labels = sp_zeros(SP_DIMS(n), .dtype = SP_I64);
    int64_t *data = sp_data(labels);
    for (int64_t i = 0; i < n; i++) data[i] = i % classes;
    return labels;
}

/* Whether the picture has a pixel of that colour. */
static bool has_colour(sp_tensor *picture, int red, int green, int blue)
{
    const int wanted[] = {red, green, blue};
    sp_tensor *there = NULL;
    for (int c = 0; c < 3; c++) {
        sp_tensor *plane = sp_eq_scalar(sp_select(picture, 0, c), wanted[c]);
        there = there ? sp_mul(there, plane) : plane;
    }
    return sp_item(sp_sum(sp_cast(there, SP_I64))) > 0;
}

static void test_scatter(void **state)
{
    (void)state;
    if (!have_gnuplot()) skip_because("there is no gnuplot");
    sp_manual_seed(3);
    const char *path = support_path("codes.png");
    sp_tensor *points = sp_randn(SP_DIMS(500, 2));
    assert_int_equal(sp_plot_scatter(path, points, labels_of(500, 10), .title = "codes", .x_label = "code 0"), SP_OK);
    sp_tensor *picture = sp_load_png(path, 3);
    assert_int_equal(sp_size(picture, 1), 720);
    assert_int_equal(sp_size(picture, 2), 910);
    assert_true(has_colour(picture, 0x33, 0x22, 0x88)); /* class 0 */
    assert_true(has_colour(picture, 0x80, 0xba, 0x5a)); /* class 7 */
    assert_int_equal(sp_plot_scatter(support_path("codes.svg"), points, SP_NONE), SP_OK);
}

/* The data: the points of finite numbers with their classes, then the middles with their names. */
static void test_data_of_a_scatter(void **state)
{
    (void)state;
    const double values[] = {0, 0, 1, 10, 2, 20, 5, (double)NAN, 3, -1, 4, -2};
    const char *const names[] = {"it's", "b \"q\""};
    sp_tensor *points = sp_from_data(values, SP_DIMS(6, 2), .dtype = SP_F64);
    const int32_t classes[] = {0, 0, 0, 1, 1, 1};
    sp_tensor *labels = sp_from_data(classes, SP_DIMS(6), .dtype = SP_I32);
    assert_int_equal(drawn(sp_plot_scatter(support_path("d.png"), points, labels, .names = names)), SP_OK);
    assert_string_equal(read_text(support_path("d.dat")), "0 0 0\n1 10 0\n2 20 0\n3 -1 1\n4 -2 1\n\n\n"
                                                          "1 10 \"it's\"\n4 -1 \"b 'q'\"\n\n\n");
    const char *script = read_text(support_path("d.gp"));
    assert_non_null(strstr(script, "title 'it''s'"));
    assert_non_null(strstr(script, "title 'b \"q\"'"));
}

static void test_side_by_side(void **state)
{
    (void)state;
    const char *path = support_path("two.png");
    const sp_scatter_panel panels[] = {
        {sp_randn(SP_DIMS(50, 2)), labels_of(50, 3), "PCA"},
        {sp_cast(sp_randn(SP_DIMS(60, 2)), SP_BF16), labels_of(60, 12), "autoencoder"},
    };
    assert_int_equal(drawn(sp_plot_scatters(path, panels, 2, .title = "two ways")), SP_OK);
    const char *script = read_text(support_path("two.gp"));
    assert_non_null(strstr(script, "set title 'PCA'"));
    assert_non_null(strstr(script, "set title 'autoencoder'"));
    assert_non_null(strstr(script, "title 'two ways'"));
    assert_non_null(strstr(script, "array Colours[12]"));
    if (have_gnuplot()) assert_int_equal(sp_size(sp_load_png(path, 3), 2), 2 * 560 + 110);
}

static void test_what_cannot_be_scattered(void **state)
{
    (void)state;
    const char *path = support_path("s.png");
    sp_tensor *points = sp_randn(SP_DIMS(4, 2));
    sp_plot_scatter(path, sp_randn(SP_DIMS(4, 3)), SP_NONE);
    assert_error(SP_ERROR_SHAPE, "points are (N, 2)");
    sp_plot_scatter(path, sp_randn(SP_DIMS(4)), SP_NONE);
    assert_error(SP_ERROR_SHAPE, "not of 1 dimensions");
    sp_plot_scatter(path, points, labels_of(5, 2));
    assert_error(SP_ERROR_SHAPE, "4 points need as many labels");
    sp_plot_scatter(path, points, sp_zeros(SP_DIMS(4)));
    assert_error(SP_ERROR_DTYPE, "labels are integers, not float32");
    sp_plot_scatter(path, points, sp_full(SP_DIMS(4), 30, .dtype = SP_I64));
    assert_error(SP_ERROR_ARGUMENT, "labels are 0 to 29, not 30");
    sp_plot_scatter(path, points, sp_full(SP_DIMS(4), -1, .dtype = SP_I64));
    assert_error(SP_ERROR_ARGUMENT, "not -1");
    sp_plot_scatter(path, sp_full(SP_DIMS(4, 2), (double)NAN), SP_NONE);
    assert_error(SP_ERROR_ARGUMENT, "no finite point");
    sp_plot_scatter(path, sp_zeros(SP_DIMS(0, 2)), SP_NONE);
    assert_error(SP_ERROR_ARGUMENT, "no finite point");
    sp_plot_scatter("s.bmp", points, SP_NONE);
    assert_error(SP_ERROR_ARGUMENT, "ends in .png, .svg or .pdf");
    sp_plot_scatter(path, points, labels_of(4, 2), .names = (const char *const[]){"a", NULL});
    assert_error(SP_ERROR_ARGUMENT, "class 1 has no name");
    const sp_scatter_panel panel = {points, SP_NONE, NULL};
    sp_plot_scatters(path, &panel, 0);
    assert_error(SP_ERROR_ARGUMENT, "1 to 6 charts fit side by side, not 0");
    sp_plot_scatter(support_path("no/s.png"), points, SP_NONE);
    assert_error(SP_ERROR_IO, "No such file");
    assert_int_equal(access(path, F_OK), -1);
}

/* n points on the diagonal from 0 to 1, and some far away. */
static sp_tensor *with_outliers(int64_t n, int64_t far)
{
    sp_tensor *points = sp_zeros(SP_DIMS(n + far, 2));
    float *data = sp_data(points);
    for (int64_t i = 0; i < n + far; i++) data[2 * i] = data[2 * i + 1] = i < n ? (float)i / (float)n : 1000.0F;
    return points;
}

static double number_behind(const char *text, const char *words)
{
    const char *at = strstr(text, words);
    return at ? strtod(at + strlen(words), NULL) : (double)NAN;
}

static void test_outliers_stay_outside(void **state)
{
    (void)state;
    const char *path = support_path("o.svg"), *note = "set label '3 of 1003 points lie beyond the axes'";
    assert_int_equal(drawn(sp_plot_scatter(path, with_outliers(1000, 3), SP_NONE)), SP_OK);
    const char *script = read_text(support_path("o.gp"));
    assert_non_null(strstr(script, note));
    assert_close(number_behind(script, "set xrange ["), -0.04, 0.01);
    assert_close(number_behind(strstr(script, "set yrange ["), ":"), 1.04, 0.01);
    assert_int_equal(drawn(sp_plot_scatter(path, with_outliers(1000, 3), SP_NONE, .all_points = true)), SP_OK);
    script = read_text(support_path("o.gp"));
    assert_null(strstr(script, "beyond"));
    assert_null(strstr(script, "set xrange"));
    /* Many are no outliers, and of few points each counts. */
    assert_int_equal(drawn(sp_plot_scatter(path, with_outliers(1000, 30), SP_NONE)), SP_OK);
    assert_null(strstr(read_text(support_path("o.gp")), "beyond"));
    assert_int_equal(drawn(sp_plot_scatter(path, with_outliers(100, 1), SP_NONE)), SP_OK);
    assert_null(strstr(read_text(support_path("o.gp")), "beyond"));
}

/* Ten classes at one place: each name keeps its room, and they stay together. */
static void test_names_do_not_overlap(void **state)
{
    (void)state;
    sp_tensor *points = with_outliers(500, 0);
    assert_int_equal(drawn(sp_plot_scatter(support_path("n.svg"), points, labels_of(500, 10))), SP_OK);
    double at[10][2], wide = 800 - 84, high = 720 - 78;
    const char *line = strstr(read_text(support_path("n.dat")), "\n\n\n") + 3;
    for (int i = 0; i < 10; i++) {
        int class = -1;
        assert_int_equal(sscanf(line, "%lf %lf %d", &at[i][0], &at[i][1], &class), 3);
        assert_int_equal(class, i);
        assert_close(at[i][0], 0.5, 0.2);
        assert_close(at[i][1], 0.5, 0.2);
        line = strchr(line, '\n') + 1;
    }
    for (int i = 0; i < 10; i++)
        for (int j = 0; j < i; j++) {
            double x = fabs(at[i][0] - at[j][0]) / 1.08 * wide, y = fabs(at[i][1] - at[j][1]) / 1.08 * high;
            assert_true(x > 20 || y > 24);
        }
}

static void test_points_that_are_alike(void **state)
{
    (void)state;
    const char *path = support_path("e.svg");
    const double values[] = {-1.7e308, 1.7e308, 1.7e308, -1.7e308};
    assert_int_equal(drawn(sp_plot_scatter(path, sp_zeros(SP_DIMS(5, 2)), labels_of(5, 3))), SP_OK);
    assert_int_equal(drawn(sp_plot_scatter(path, sp_full(SP_DIMS(500, 2), -1e30), SP_NONE)), SP_OK);
    sp_plot_scatter(path, sp_from_data(values, SP_DIMS(2, 2), .dtype = SP_F64), SP_NONE);
    sp_error_clear(); /* gnuplot may refuse it */
}

/* The script or the data on a full disk: an error, and no picture. */
static void test_full_disk(void **state)
{
    (void)state;
    if (access("/dev/full", W_OK) != 0) skip_because("there is no /dev/full");
    static const char *const files[] = {"f.dat", "f.gp"};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(symlink("/dev/full", support_path(files[i])), 0);
        assert_int_equal(sp_plot_scatter(support_path("f.svg"), sp_ones(SP_DIMS(3, 2)), SP_NONE), SP_ERROR_IO);
        assert_error(SP_ERROR_IO, "No space left on device");
        assert_int_equal(access(support_path("f.svg"), F_OK), -1);
        assert_int_equal(unlink(support_path(files[i])), 0);
    }
}

static bool scatter(void *context)
{
    sp_tensor *points = sp_ones(SP_DIMS(6, 2)), *labels = sp_ones(SP_DIMS(6), .dtype = SP_I64);
    return points && labels && sp_plot_scatter(context, points, labels) == SP_OK;
}

static void test_each_allocation_fails(void **state)
{
    (void)state;
    if (!have_gnuplot()) skip_because("there is no gnuplot");
    char path[1024];
    snprintf(path, sizeof path, "%s", support_path("a.svg"));
    assert_true(support_fail_each_allocation(scatter, path) > 8);
}

/* ---- line charts ---- */

static sp_series *line(const char *name, double slope)
{
    sp_series *series = sp_series_new(name);
    for (int i = 1; i <= 100; i++) sp_series_push_xy(series, i, slope * i);
    return series;
}

static void test_axes_and_legends(void **state)
{
    (void)state;
    sp_series *const series[] = {line("loss", 1), line("rate", 100)};
    sp_plot_options options = {.size = sizeof options,
                               .right = 1,
                               .right_label = "rate",
                               .log_right = true,
                               .log_x = true,
                               .y_range = {0, 50},
                               .legend = SP_LEGEND_BOTTOM_LEFT};
    assert_int_equal(drawn((sp_plot_lines)(support_path("l.png"), (sp_series_list){series, 2}, &options)), SP_OK);
    const char *script = read_text(support_path("l.gp"));
    assert_non_null(strstr(script, "set key bottom left"));
    assert_non_null(strstr(script, "set logscale x\n"));
    assert_non_null(strstr(script, "set logscale y2\n"));
    assert_non_null(strstr(script, "set y2label 'rate'"));
    assert_non_null(strstr(script, "set yrange [0:50]"));
    assert_non_null(strstr(script, "index 0 using 1:2 with lines"));
    assert_non_null(strstr(strstr(script, "index 1"), "axes x1y2"));
    for (int legend = 0; legend <= SP_LEGEND_NONE; legend++) {
        options.legend = (sp_legend)legend;
        assert_int_equal(drawn((sp_plot_lines)(support_path("l.svg"), (sp_series_list){series, 2}, &options)), SP_OK);
    }
    options.legend = (sp_legend)(SP_LEGEND_NONE + 1);
    (sp_plot_lines)(support_path("l.svg"), (sp_series_list){series, 2}, &options);
    assert_error(SP_ERROR_ARGUMENT, "no place number 7");
    options = (sp_plot_options){.size = sizeof options, .right = 3};
    (sp_plot_lines)(support_path("l.svg"), (sp_series_list){series, 2}, &options);
    assert_error(SP_ERROR_ARGUMENT, "3 of 2 series");
}

/* ---- grids ---- */

static int64_t pixel(sp_tensor *picture, int64_t c, int64_t y, int64_t x)
{
    return sp_item_i64(sp_select(sp_select(sp_select(picture, 0, c), 0, y), 0, x));
}

/* Pictures that touch; colours. */
static void test_tight_grid(void **state)
{
    (void)state;
    const char *path = support_path("tight.png");
    sp_tensor *red = sp_stack(SP_LIST(sp_ones(SP_DIMS(4, 5)), sp_zeros(SP_DIMS(4, 5)), sp_zeros(SP_DIMS(4, 5))), 0);
    sp_tensor *images = sp_stack(SP_LIST(red, sp_ones(SP_DIMS(3, 4, 5)), red), 0);
    assert_int_equal(sp_plot_images(path, images, .columns = 3, .scale = 2, .tight = true), SP_OK);
    sp_tensor *picture = sp_load_png(path, 3);
    assert_int_equal(sp_size(picture, 1), 8);
    assert_int_equal(sp_size(picture, 2), 30);
    assert_true(pixel(picture, 0, 7, 9) == 255 && pixel(picture, 1, 7, 9) == 0);
    assert_true(pixel(picture, 0, 7, 10) == 255 && pixel(picture, 1, 7, 10) == 255);
    assert_true(pixel(picture, 0, 0, 29) == 255 && pixel(picture, 2, 0, 29) == 0);
}

static void test_captions_around(void **state)
{
    (void)state;
    const char *path = support_path("around.png");
    sp_tensor *images = sp_ones(SP_DIMS(4, 10, 10));
    assert_int_equal(sp_plot_images(path, images, .columns = 2), SP_OK);
    int64_t height = sp_size(sp_load_png(path, 1), 1), width = sp_size(sp_load_png(path, 1), 2);
    const char *const rows[] = {"original", NULL}, *const columns[] = {NULL, "b"};
    assert_int_equal(
        sp_plot_images(path, images, .columns = 2, .row_captions = rows, .column_captions = columns, .title = "t"),
        SP_OK);
    sp_tensor *picture = sp_load_png(path, 1);
    /* Eight letters of six pixels, less the last gap, and six of room; a title of 14 pixels, captions of 10. */
    assert_int_equal(sp_size(picture, 2), width + 8 * 6 - 1 + 6);
    assert_int_equal(sp_size(picture, 1), height + 14 + 10);
    sp_tensor *side = sp_narrow(picture, 2, 0, 50), *low = sp_narrow(side, 1, 24 + height / 2, height / 2);
    assert_true(sp_item(sp_amin(side)) < 100); /* the first row's caption; the second has none */
    assert_int_equal((int)sp_item(sp_amin(low)), 255);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        sp_test(test_scatter),
        sp_test(test_data_of_a_scatter),
        sp_test(test_side_by_side),
        sp_test(test_what_cannot_be_scattered),
        sp_test(test_full_disk),
        sp_test(test_each_allocation_fails),
        sp_test(test_outliers_stay_outside),
        sp_test(test_names_do_not_overlap),
        sp_test(test_points_that_are_alike),
        sp_test(test_axes_and_legends),
        sp_test(test_tight_grid),
        sp_test(test_captions_around),
    };
    return sp_test_main(tests);
}
