/* Digits on any paper: test digits of MNIST (or drawn ones) are rendered as people write and photograph them, and a
 * classifier that has seen only MNIST's form must read them as well as the plain ones. */
#include "data/data_test.h"
#include <math.h>
#include <spusk/spusk.h>

enum { DIGITS = 80, TRAINED = 6000, MOST = 320 * 320 };

/* Greys are 0 to 255. */
typedef struct condition {
    const char *name;
    int h, w, size; /* of the picture and of the 28 by 28 in its middle */
    double paper, ink;
    double slope; /* the paper's grey falls by it from left to right, and half of it from top to bottom */
    double noise;
    int rule, rule_across; /* a line at this column, at this row, three wide, of the ink's grey; 0: none */
    int ruled;             /* lines every so many rows */
    int frame;             /* as wide */
    double frame_grey;
    double specks; /* the part of all places that is black or white by chance */
} condition;

static const condition conditions[] = {
    {"white on black", 140, 140, 100, 0, 255},
    {"black on white", 140, 140, 100, 255, 0},
    {"grey paper", 140, 140, 100, 200, 20},
    {"pale ink", 140, 140, 100, 200, 160},
    {"chalk on a grey board", 140, 140, 100, 110, 240},
    {"ink on a grey board", 140, 140, 100, 128, 10},
    {"a line beside it", 140, 170, 100, 255, 0, .rule = 15},
    {"a line beside it, on grey", 140, 170, 100, 200, 30, .rule = 15},
    {"a line below it", 140, 140, 100, 255, 0, .rule_across = 128},
    {"a line through it", 140, 140, 100, 255, 0, .rule_across = 70},
    {"ruled paper", 200, 200, 110, 235, 40, .ruled = 26},
    {"light from the left", 150, 150, 110, 250, 10, .slope = 90},
    {"a board in light from the left", 150, 150, 110, 150, 250, .slope = 80},
    {"noise", 140, 140, 100, 200, 40, .noise = 15},
    {"much noise", 140, 140, 100, 200, 40, .noise = 35},
    {"specks", 140, 140, 100, 230, 20, .specks = 0.01},
    {"a thin frame", 160, 160, 100, 240, 20, .frame = 2, .frame_grey = 0},
    {"a thick frame", 180, 180, 100, 240, 20, .frame = 28, .frame_grey = 0},
    {"a sheet on a table", 220, 220, 110, 235, 30, .frame = 40, .frame_grey = 90, .noise = 4},
    {"wide", 100, 300, 80, 210, 30},
    {"tall", 300, 100, 80, 210, 30},
    {"small in a large picture", 320, 320, 70, 210, 30},
    {"of the size of MNIST", 28, 28, 28, 200, 20},
    {"of that size, with a line", 28, 28, 28, 200, 20, .rule = -1},
    {"of that size, with noise", 28, 28, 28, 200, 20, .noise = 12},
    {"of that size, in light from the left", 28, 28, 28, 240, 10, .slope = 80},
};
enum { CONDITIONS = sizeof conditions / sizeof *conditions };

/* ---- rendering ---- */

static double pixel(const float *digit, int i, int j)
{
    return i >= 0 && j >= 0 && i < 28 && j < 28 ? (double)digit[28 * i + j] : 0;
}

/* Between four pixels; y and x in pixels. */
static double between(const float *digit, double y, double x)
{
    const int i = (int)floor(y), j = (int)floor(x);
    const double a = y - i, b = x - j;
    return (1 - a) * ((1 - b) * pixel(digit, i, j) + b * pixel(digit, i, j + 1)) +
           a * ((1 - b) * pixel(digit, i + 1, j) + b * pixel(digit, i + 1, j + 1));
}

/* Uniform in [0, 1), the same on every machine. */
static double chance(void)
{
    static uint32_t seed = 1;
    seed = seed * 1664525U + 1013904223U;
    return (seed >> 8) / 16777216.0;
}

static bool on_a_line(const condition *c, int i, int j)
{
    return (c->rule > 0 && j >= c->rule && j < c->rule + 3) || (c->rule < 0 && j == 1) ||
           (c->rule_across > 0 && i >= c->rule_across && i < c->rule_across + 3) || (c->ruled > 0 && i % c->ruled < 2);
}

static double grey(const condition *c, const float *digit, int i, int j)
{
    const double scale = 28.0 / c->size;
    const int top = (c->h - c->size) / 2, left = (c->w - c->size) / 2;
    const double y = (i + 0.5 - top) * scale - 0.5, x = (j + 0.5 - left) * scale - 0.5;
    const double paper = c->paper - c->slope * ((double)j / c->w + (double)i / c->h / 2);
    const double ink = digit ? between(digit, y, x) : 0;
    double value = (1 - ink) * paper + ink * c->ink;
    if (on_a_line(c, i, j)) value = c->ruled > 0 ? fmin(value, 150) : c->ink;
    if (i < c->frame || j < c->frame || i >= c->h - c->frame || j >= c->w - c->frame) value = c->frame_grey;
    for (int k = 0; k < 3; k++) value += 2 * c->noise * (chance() - 0.5);
    if (chance() < c->specks) value = chance() < 0.5 ? 0 : 255;
    return fmin(255, fmax(0, value));
}

/* The digit as it comes back; NULL where it is refused. digit NULL: a blank sheet. */
static sp_tensor *render(const condition *c, const float *digit)
{
    static unsigned char bytes[MOST];
    for (int i = 0; i < c->h; i++)
        for (int j = 0; j < c->w; j++) bytes[i * c->w + j] = (unsigned char)lround(grey(c, digit, i, j));
    const char *path = support_path("digit.png");
    assert_int_equal(sp_save_png(sp_from_data(bytes, SP_DIMS(c->h, c->w), .dtype = SP_U8), path), SP_OK);
    return sp_load_digit(path);
}

/* ---- reading ---- */

static sp_dataset *digits(bool test, int64_t n)
{
    const char *real = real_mnist();
#ifndef SP_HAVE_ZLIB
    real = NULL;
#endif
    return sp_data_digits(real ? real : "synthetic", .test = test, .length = n);
}

static sp_module *trained(void)
{
    sp_manual_seed(0);
    sp_module *model = sp_model_by_name("mlp");
    sp_optimizer *optimizer = sp_optim_adam(sp_parameters(model), .lr = 2e-3);
    sp_loader *loader = sp_data_loader(digits(false, TRAINED), .batch_size = 64, .shuffle = true);
    for (int epoch = 0; epoch < 4; epoch++)
        sp_foreach_batch (batch, loader) {
            sp_zero_grad(optimizer);
            sp_backward(sp_nll_loss(sp_model_apply(model, batch.x), batch.y));
            sp_step(optimizer);
        }
    return model;
}

static bool is_read(sp_module *model, sp_tensor *digit, int64_t label)
{
    return digit && sp_item_i64(sp_argmax(sp_model_apply(model, digit))) == label;
}

/* The part that is read right. */
static double part_read(sp_module *model, sp_dataset *data, const condition *c)
{
    int right = 0;
    for (int64_t k = 0; k < DIGITS; k++)
        SP_NO_GRAD {
            sp_example e = sp_data_get(data, k);
            right += is_read(model, render(c, sp_const_data(e.x)), sp_item_i64(e.y));
        }
    return (double)right / DIGITS;
}

static void test_each_condition(void **state)
{
    (void)state;
    sp_module *model = trained();
    sp_dataset *data = digits(true, DIGITS);
    print_message("# %s\n", sp_data_description(data));
    const double plain = part_read(model, data, &conditions[0]);
    bool good = plain > 0.85;
    for (int i = 0; i < CONDITIONS; i++) {
        const double part = part_read(model, data, &conditions[i]);
        print_message("# %-36s %.3f\n", conditions[i].name, part);
        good = good && part >= plain - 0.05;
    }
    assert_true(good);
    assert_no_error();
}

/* What is on the paper but a digit is nothing to predict from. */
static void test_blank_sheets(void **state)
{
    (void)state;
    for (int i = 0; i < CONDITIONS; i++) {
        if (conditions[i].specks > 0) continue;
        if (render(&conditions[i], NULL)) fail_msg("taken for a digit: %s", conditions[i].name);
        assert_error(SP_ERROR_FORMAT, "there is no ink in the picture");
    }
    for (int level = 0; level < 256; level += 15) {
        const condition even = {"", 40, 60, 40, level, 0};
        assert_null(render(&even, NULL));
        assert_error(SP_ERROR_FORMAT, "there is no ink in the picture");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        sp_test(test_each_condition),
        sp_test(test_blank_sheets),
    };
    return sp_test_main(tests);
}
