/* A program that speaks a language with a decimal comma: the library writes and reads a point, everywhere. */
#include "support/support.h"
#include <locale.h>
#include <spusk/spusk.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Skips the test where there is no such locale and none can be made. */
static void speak_with_commas(void)
{
    static const char *const known[] = {"xx_COMMA", "de_DE.UTF-8", "fr_FR.UTF-8", "ru_RU.UTF-8"};
    char command[2200], text[8];
    snprintf(command, sizeof command, "sh '%s/tests/support/comma_locale.sh' '%s'", SP_SOURCE_DIR, support_folder());
    if (system(command) == 0) setenv("LOCPATH", support_folder(), 1);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (setlocale(LC_ALL, known[i])) break;
    snprintf(text, sizeof text, "%.1f", 1.5);
    if (strcmp(text, "1,5") != 0) skip_because("there is no localedef to make a locale with");
}

static int speak_as_before(void **state)
{
    assert_non_null(setlocale(LC_ALL, "C"));
    unsetenv("LOCPATH");
    return support_teardown(state);
}
#define spoken_test(function) cmocka_unit_test_setup_teardown(function, support_setup, speak_as_before)

static void test_numbers_as_text(void **state)
{
    (void)state;
    speak_with_commas();
    char text[32], *end;
    assert_int_equal(sp_format(text, sizeof text, "%g %.2f %e", 0.5, 2.25, 1.5), 21);
    assert_string_equal(text, "0.5 2.25 1.500000e+00");
    assert_true(sp_parse_double("0.125,7", &end) == 0.125 && strcmp(end, ",7") == 0);
    snprintf(text, sizeof text, "%g", 0.5);
    assert_string_equal(text, "0,5"); /* the program's own words stay as they are */
}

static void test_tensors_and_modules(void **state)
{
    (void)state;
    speak_with_commas();
    char text[1024];
    sp_to_string(sp_vector(1.5, -2.25), text, sizeof text);
    assert_string_equal(text, "tensor([ 1.5000, -2.2500])");
    sp_to_string(sp_vector(1.5e10, 1), text, sizeof text);
    assert_non_null(strstr(text, "1.5000e+10"));
    sp_module_to_string(sp_nn_sequential(sp_nn_dropout(0.25), sp_nn_leaky_relu(.negative_slope = 0.125)), text,
                        sizeof text);
    assert_non_null(strstr(text, "p=0.25"));
    assert_non_null(strstr(text, "0.125"));
}

static void test_messages(void **state)
{
    (void)state;
    speak_with_commas();
    assert_null(sp_nn_dropout(1.5));
    assert_error(SP_ERROR_ARGUMENT, "got 1.5");
    assert_null(sp_movie_new("a.mp4", .fps = 0.001));
    assert_error(SP_ERROR_ARGUMENT, "0.01 to 240 frames a second, not 0.001");
}

/* Written here it is read in C's locale, and the other way round. */
static void test_descriptions(void **state)
{
    (void)state;
    char text[2048], spoken[2048];
    sp_module *network = sp_nn_sequential(sp_nn_dropout(0.125), sp_nn_batch_norm2d(3, .eps = 0.0625));
    if (sp_module_to_json(network, text, sizeof text) == 0) {
        sp_error_clear();
        skip_because("this build has no jansson");
    }
    assert_int_equal(sp_save_state(network, support_path("c.safetensors")), SP_OK);
    speak_with_commas();
    sp_module_to_json(network, spoken, sizeof spoken);
    assert_string_equal(spoken, text);
    assert_non_null(sp_module_from_json(text));
    assert_non_null(sp_load_module(support_path("c.safetensors")));
    assert_int_equal(sp_save_state(network, support_path("d.safetensors")), SP_OK);
    assert_non_null(setlocale(LC_ALL, "C"));
    sp_module_to_json(sp_load_module(support_path("d.safetensors")), spoken, sizeof spoken);
    assert_string_equal(spoken, text);
}

static bool have_gnuplot(void)
{
    return system("gnuplot --version >/dev/null 2>&1") == 0;
}

/* Without gnuplot script and data are there all the same. */
static void draw(sp_status status)
{
    assert_int_equal(status, have_gnuplot() ? SP_OK : SP_ERROR_NOT_FOUND);
    sp_error_clear();
}

static void draw_all(const char *folder)
{
    char path[300];
    sp_series *series = sp_series_new("half"), *walk[] = {series};
    for (int i = 0; i < 5; i++) sp_series_push_xy(series, i / 8.0, i / 16.0);
    const int64_t classes[] = {0, 1, 0};
    const double places[] = {0.5, 1.5, 2.5, 0.25, 1, 1.125};
    sp_tensor *labels = sp_from_data(classes, SP_DIMS(3), .dtype = SP_I64);
    sp_tensor *points = sp_from_data(places, SP_DIMS(3, 2), .dtype = SP_F64);
    snprintf(path, sizeof path, "%s/lines.svg", folder);
    const sp_plot_options ranges = {.size = sizeof ranges, .x_range = {-0.5, 2.5}, .log_y = true};
    draw((sp_plot_lines)(path, (sp_series_list){walk, 1}, &ranges));
    snprintf(path, sizeof path, "%s/scatter.svg", folder);
    draw(sp_plot_scatter(path, points, labels, .point_size = 1.25));
    snprintf(path, sizeof path, "%s/contour.svg", folder);
    draw(sp_plot_contour(path, sp_view(sp_narrow(sp_cat(SP_LIST(points, points), 0), 0, 0, 3), 2, 3), walk, 1,
                         .x_range = {0.5, 1.5}));
}

/* The same in every language; and gnuplot takes it. */
static void test_charts(void **state)
{
    (void)state;
    static const char *const files[] = {"lines", "scatter", "contour"}, *const endings[] = {"gp", "dat"};
    char command[2200];
    const char *plain = support_path("plain"), *spoken = support_path("spoken");
    assert_int_equal(mkdir(plain, 0777) || mkdir(spoken, 0777), 0);
    draw_all(plain);
    speak_with_commas();
    draw_all(spoken);
    for (int i = 0; i < 6; i++) {
        snprintf(command, sizeof command, "cmp '%s/%s.%s' '%s/%s.%s'", plain, files[i / 2], endings[i % 2], spoken,
                 files[i / 2], endings[i % 2]);
        assert_int_equal(system(command), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        spoken_test(test_numbers_as_text), spoken_test(test_tensors_and_modules),
        spoken_test(test_messages),        spoken_test(test_descriptions),
        spoken_test(test_charts),
    };
    return sp_test_main(tests);
}
