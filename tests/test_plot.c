/* Series, charts with and without gnuplot, image grids. */
#include "support/support.h"
#include <math.h>
#include <spusk/spusk.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static sp_series *parabola(const char *name)
{
    sp_series *series = sp_series_new(name);
    for (int i = 0; i < 200; i++) sp_series_push_xy(series, i / 10.0, (i - 100) * (i - 100) / 100.0 + 0.5);
    return series;
}

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

/* ---- series ---- */

static void test_series(void **state)
{
    (void)state;
    sp_series *series = sp_series_new("loss");
    assert_string_equal(sp_series_name(series), "loss");
    for (int i = 0; i < 100; i++) assert_int_equal(sp_series_push(series, i * 0.5), SP_OK);
    sp_series_push_xy(series, -3, 7);
    assert_int_equal(sp_series_length(series), 101);
    assert_true(sp_series_x(series, 99) == 99 && sp_series_y(series, 99) == 49.5);
    assert_true(sp_series_x(series, 100) == -3 && sp_series_y(series, 100) == 7);
    assert_no_error();
    assert_true(isnan(sp_series_y(series, 101)));
    assert_error(SP_ERROR_ARGUMENT, "point 101 of a series of 101");
    assert_true(isnan(sp_series_x(series, -1)));
    assert_error(SP_ERROR_ARGUMENT, "point -1");
}

static bool fill_series(void *context)
{
    (void)context;
    sp_series *series = sp_series_new("s");
    for (int i = 0; i < 200; i++)
        if (sp_series_push(series, i) != SP_OK) return false;
    return true;
}

static void test_each_allocation_fails(void **state)
{
    (void)state;
    assert_true(support_fail_each_allocation(fill_series, NULL) >= 4);
}

/* ---- charts ---- */

static void test_chart(void **state)
{
    (void)state;
    if (!have_gnuplot()) skip_because("there is no gnuplot");
    const char *path = support_path("two lines.png");
    assert_int_equal(sp_plot_lines(path, SP_SERIES(parabola("one"), parabola("two"))), SP_OK);
    sp_tensor *picture = sp_load_png(path, 3);
    assert_int_equal(sp_size(picture, 1), 600);
    assert_int_equal(sp_size(picture, 2), 960);
    assert_true(sp_item(sp_mean(sp_cast(picture, SP_F32))) < 254);
    const sp_plot_options options = {.size = sizeof options, .width = 300, .height = 200, .log_y = true, .smooth = 20};
    sp_series *const series[] = {parabola("one")};
    path = support_path("small.svg");
    assert_int_equal((sp_plot_lines)(path, (sp_series_list){series, 1}, &options), SP_OK);
    assert_non_null(strstr(read_text(path), "<svg"));
}

/* Nothing that a title or a name says may be taken for a command. */
static void test_words_are_only_words(void **state)
{
    (void)state;
    const char *evil = "it's'; system 'touch hacked'; #`touch hacked`\"$(touch hacked)\\\nsystem 'touch hacked'";
    const sp_plot_options options = {.size = sizeof options, .title = evil, .x_label = evil, .y_label = "a_b^c"};
    sp_series *const series[] = {parabola(evil)};
    const char *path = support_path("it's `x` $y.png");
    sp_status status = (sp_plot_lines)(path, (sp_series_list){series, 1}, &options);
    if (have_gnuplot()) assert_int_equal(status, SP_OK);
    sp_error_clear();
    const char *script = read_text(support_path("it's `x` $y.gp"));
    assert_non_null(strstr(script, "data = \"./it\\0047s \\0140x\\0140 \\0044y.dat\"\n"));
    assert_non_null(strstr(script, "set title 'it''s''; system ''touch hacked''"));
    assert_null(strstr(script, "\nsystem"));
    assert_int_equal(access(support_path("hacked"), F_OK), -1);
    assert_int_equal(access("hacked", F_OK), -1);
}

/* A copy of PATH, to put back. */
static char *search_path(void)
{
    const char *path = getenv("PATH");
    return strdup(path ? path : "");
}

static void test_without_gnuplot(void **state)
{
    (void)state;
    char *path = search_path();
    setenv("PATH", "/nonexistent", 1);
    sp_status status = sp_plot_lines(support_path("losses.png"), parabola("loss"));
    setenv("PATH", path, 1);
    free(path);
    assert_int_equal(status, SP_ERROR_NOT_FOUND);
    assert_error(SP_ERROR_NOT_FOUND, "gnuplot is not installed");
    assert_non_null(strstr(sp_error_message(), "losses.gp"));
    assert_non_null(
        strstr(read_text(support_path("losses.gp")), "data = \"./losses.dat\"\nset output \"./losses.png\"\n"));
    assert_non_null(strstr(read_text(support_path("losses.dat")), "0.1 98.51\n"));
    assert_int_equal(access(support_path("losses.png"), F_OK), -1);
}

/* A gnuplot that fails, and says so. */
static void test_gnuplot_that_fails(void **state)
{
    (void)state;
    const char *script = support_path("gnuplot");
    FILE *file = fopen(script, "w");
    fputs("#!/bin/sh\necho 'line 3:  no such   terminal' >&2\nexit 3\n", file);
    fclose(file);
    char command[1024];
    snprintf(command, sizeof command, "chmod +x '%s'", script);
    assert_int_equal(system(command), 0);
    char *path = search_path();
    snprintf(command, sizeof command, "%s:%s", support_folder(), path);
    setenv("PATH", command, 1);
    sp_status status = sp_plot_lines(support_path("x.png"), parabola("loss"));
    setenv("PATH", path, 1);
    free(path);
    assert_int_equal(status, SP_ERROR_IO);
    assert_error(SP_ERROR_IO, "(status 3): line 3: no such terminal");
}

static void test_averages(void **state)
{
    (void)state;
    sp_series *series = sp_series_new("steps");
    for (int i = 0; i < 6; i++) sp_series_push(series, i == 4 ? (double)NAN : i);
    const sp_plot_options options = {.size = sizeof options, .smooth = 3};
    (sp_plot_lines)(support_path("a.png"), (sp_series_list){&series, 1}, &options);
    sp_error_clear();
    assert_string_equal(read_text(support_path("a.dat")), "0 0\n1 1\n2 2\n3 3\n4 NaN\n5 5\n\n\n"
                                                          "0 0.5\n1 1\n2 2\n3 2.5\n4 4\n5 5\n\n\n");
}

static int times(const char *text, const char *words)
{
    int n = 0;
    for (; (text = strstr(text, words)); text += strlen(words)) n++;
    return n;
}

static void test_twins(void **state)
{
    (void)state;
    sp_series *series[] = {parabola("a"), parabola("b"), parabola("a dashed"), parabola("b dashed")};
    sp_plot_options options = {.size = sizeof options, .dashed = 2};
    (sp_plot_lines)(support_path("t.svg"), (sp_series_list){series, 4}, &options);
    sp_error_clear();
    const char *colour = "linecolor rgb '#332288'"; /* the first */
    assert_int_equal(times(read_text(support_path("t.gp")), "dashtype 2"), 2);
    assert_int_equal(times(read_text(support_path("t.gp")), colour), 1);
    options.twins = true;
    (sp_plot_lines)(support_path("t.svg"), (sp_series_list){series, 4}, &options);
    sp_error_clear();
    assert_int_equal(times(read_text(support_path("t.gp")), "dashtype 2"), 2);
    assert_int_equal(times(read_text(support_path("t.gp")), colour), 2);
    options.dashed = 5;
    assert_int_equal((sp_plot_lines)(support_path("t.svg"), (sp_series_list){series, 4}, &options), SP_ERROR_ARGUMENT);
    assert_error(SP_ERROR_ARGUMENT, "5 of 4 series cannot be dashed");
}

static void test_what_cannot_be_drawn(void **state)
{
    (void)state;
    sp_plot_lines(support_path("a.bmp"), parabola("a"));
    assert_error(SP_ERROR_ARGUMENT, "ends in .png, .svg or .pdf");
    sp_plot_lines(support_path("png"), parabola("a"));
    assert_error(SP_ERROR_ARGUMENT, "ends in");
    sp_plot_lines(support_path("e.png"), sp_series_new("empty"));
    assert_error(SP_ERROR_ARGUMENT, "e.png: no series has a finite point");
    sp_plot_lines(support_path("no/where.png"), parabola("a"));
    assert_error(SP_ERROR_IO, "No such file or directory");
    const sp_plot_options options = {.size = sizeof options, .width = -1};
    (sp_plot_lines)(support_path("w.png"), (sp_series_list){NULL, 0}, &options);
    assert_error(SP_ERROR_ARGUMENT, "not -1 by 0");
    sp_plot_lines(support_path("n.png"), SP_SERIES(parabola("a"), NULL));
    assert_error(SP_ERROR_NULL, "series");
}

/* ---- grids ---- */

static int64_t pixel(sp_tensor *picture, int64_t c, int64_t y, int64_t x)
{
    return sp_item_i64(sp_select(sp_select(sp_select(picture, 0, c), 0, y), 0, x));
}

static void test_grid(void **state)
{
    (void)state;
    const char *path = support_path("grid.png");
    sp_tensor *images = sp_stack(SP_LIST(sp_zeros(SP_DIMS(4, 4)), sp_full(SP_DIMS(4, 4), 0.5), sp_ones(SP_DIMS(4, 4))),
                                 0);
    const bool marked[] = {false, true, false};
    assert_int_equal(sp_plot_images(path, images, .columns = 2, .marked = marked), SP_OK);
    sp_tensor *picture = sp_load_png(path, 3);
    /* A cell is 4·2 pixels, a frame of 2 on each side and a margin of 4: 20 by 20; the image begins at 6. */
    assert_int_equal(sp_size(picture, 1), 40);
    assert_int_equal(sp_size(picture, 2), 40);
    assert_int_equal(pixel(picture, 0, 6, 6), 0);
    assert_int_equal(pixel(picture, 1, 10, 30), 128);
    assert_int_equal(pixel(picture, 2, 26, 6), 255);
    assert_int_equal(pixel(picture, 0, 30, 30), 255); /* no fourth image: paper */
    assert_int_equal(pixel(picture, 0, 4, 24), 214);  /* the frame is red */
    assert_int_equal(pixel(picture, 1, 4, 24), 39);
    assert_int_equal(pixel(picture, 1, 4, 4), 255);
}

static void test_captions(void **state)
{
    (void)state;
    const char *path = support_path("captions.png");
    const char *const captions[] = {"1", NULL, "0123456789 abc<>-.%:()é"};
    sp_tensor *images = sp_cast(sp_ones(SP_DIMS(3, 1, 8, 8)), SP_U8);
    assert_int_equal(sp_plot_images(path, images, .captions = captions), SP_OK);
    assert_true(sp_size(sp_load_png(path, 1), 2) >= 2 * 24 * 6);
    /* The one is 3 pixels wide at its foot, in the middle of its cell. */
    assert_int_equal(sp_plot_images(path, sp_narrow(images, 0, 0, 1), .captions = captions), SP_OK);
    sp_tensor *picture = sp_load_png(path, 1);
    int dark = 0;
    int64_t foot = sp_size(picture, 1) - 1;
    while (foot > 0 && sp_item_i64(sp_select(sp_amin_dim(sp_select(picture, 0, 0), 1), 0, foot)) == 255) foot--;
    for (int64_t x = 0; x < sp_size(picture, 2); x++) dark += pixel(picture, 0, foot, x) < 100;
    assert_int_equal(dark, 3);
}

static void test_no_grid(void **state)
{
    (void)state;
    const char *path = support_path("no.png");
    sp_plot_images(path, sp_ones(SP_DIMS(3, 3)));
    assert_error(SP_ERROR_SHAPE, "of 2 dimensions");
    sp_plot_images(path, sp_ones(SP_DIMS(2, 2, 4, 4)));
    assert_error(SP_ERROR_SHAPE, "of 4 dimensions with other channels");
    sp_plot_images(path, sp_ones(SP_DIMS(0, 4, 4)));
    assert_error(SP_ERROR_SHAPE, "no pixel");
    sp_plot_images(path, sp_ones(SP_DIMS(1, 4, 4), .dtype = SP_I64));
    assert_error(SP_ERROR_DTYPE, "int64");
    sp_plot_images(path, sp_ones(SP_DIMS(1, 4, 4)), .scale = -1);
    assert_error(SP_ERROR_ARGUMENT, "scale is 1 to 64");
    sp_plot_images(path, sp_ones(SP_DIMS(1, 4, 4)), .columns = -1);
    assert_error(SP_ERROR_ARGUMENT, "columns at least 1");
    sp_plot_images(path, sp_ones(SP_DIMS(1, 4, 9000)), .scale = 64);
    assert_error(SP_ERROR_ARGUMENT, "too many");
    assert_int_equal(access(path, F_OK), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        sp_test(test_series),
        sp_test(test_each_allocation_fails),
        sp_test(test_chart),
        sp_test(test_words_are_only_words),
        sp_test(test_without_gnuplot),
        sp_test(test_gnuplot_that_fails),
        sp_test(test_averages),
        sp_test(test_twins),
        sp_test(test_what_cannot_be_drawn),
        sp_test(test_grid),
        sp_test(test_captions),
        sp_test(test_no_grid),
    };
    return sp_test_main(tests);
}
