/* SPUSK_TRACE=kernels says what was computed and by which loop: the choice for typical calls, and the line's form. */
#include "backends/cpu/cpu.h"
#include "support/support.h"
#include <spusk/spusk.h>
#include <stdio.h>
#include <string.h>

/* Lines since the trace was set, one after another. */
static char lines[1 << 15];

static void take(const char *line)
{
    const size_t used = strlen(lines);
    snprintf(lines + used, sizeof lines - used, "%s\n", line);
}

static sp_tensor *images(int64_t n, int64_t channels, int64_t side, sp_dtype dtype)
{
    return sp_cast(sp_rand(SP_DIMS(n, channels, side, side)), dtype);
}

/* ---- typical calls ---- */

static void conv(int64_t in, int64_t out, int64_t kernel, int64_t groups, sp_dtype dtype)
{
    sp_tensor *w = sp_cast(sp_rand(SP_DIMS(out, in / groups, kernel, kernel)), dtype);
    sp_item(sp_sum(sp_conv2d(images(4, in, 14, dtype), w, SP_NONE, .padding = kernel / 2, .groups = groups)));
}

/* A block as networks have them, forward and backward. */
static void block(int64_t in, int64_t out, bool pooled)
{
    sp_tensor *x = sp_requires_grad(images(8, in, 14, SP_F32));
    sp_tensor *w = sp_requires_grad(sp_sub_scalar(sp_rand(SP_DIMS(out, in, 3, 3)), 0.5));
    sp_tensor *y = sp_relu(sp_conv2d(x, w, SP_NONE, .padding = 1));
    sp_backward(sp_sum(pooled ? sp_max_pool2d(y, 2) : y));
}

static void conv_3x3(void)
{
    conv(32, 64, 3, 1, SP_F32);
}
static void conv_first(void)
{
    conv(1, 32, 3, 1, SP_F32);
}
static void conv_5x5(void)
{
    conv(20, 50, 5, 1, SP_F32);
}
static void conv_f64(void)
{
    conv(32, 64, 3, 1, SP_F64);
}
static void block_pooled(void)
{
    block(32, 64, true);
}
static void linear(void)
{
    sp_item(sp_sum(sp_linear(sp_rand(SP_DIMS(64, 784)), sp_rand(SP_DIMS(256, 784)), sp_rand(SP_DIMS(256)))));
}
static void product_of_integers(void)
{
    sp_tensor *x = sp_ones(SP_DIMS(3, 3), .dtype = SP_I64);
    sp_item(sp_sum(sp_matmul(x, x)));
}
static void addition(void)
{
    sp_tensor *x = sp_rand(SP_DIMS(64, 256));
    sp_item(sp_sum(sp_add(x, x)));
}
static void addition_of_columns(void)
{
    sp_tensor *x = sp_t(sp_rand(SP_DIMS(64, 256)));
    sp_item(sp_sum(sp_add(x, sp_rand(SP_DIMS(256, 64)))));
}
static void addition_of_integers(void)
{
    sp_tensor *x = sp_ones(SP_DIMS(64, 256), .dtype = SP_I32);
    sp_item(sp_sum(sp_add(x, x)));
}
static void cast_to_bf16(void)
{
    sp_item(sp_sum(sp_cast(sp_rand(SP_DIMS(64, 256)), SP_BF16)));
}
static void mean(void)
{
    sp_item(sp_mean(sp_rand(SP_DIMS(64, 256))));
}
static void softmax(void)
{
    sp_item(sp_sum(sp_log_softmax(sp_rand(SP_DIMS(64, 10)), 1)));
}
static void softmax_f64(void)
{
    sp_item(sp_sum(sp_softmax(sp_rand(SP_DIMS(64, 10), .dtype = SP_F64), 1)));
}
static void batch_norm(void)
{
    sp_module *layer = sp_nn_batch_norm2d(16);
    sp_tensor *x = sp_conv2d(images(4, 16, 14, SP_F32), sp_rand(SP_DIMS(16, 16, 1, 1)), SP_NONE);
    sp_item(sp_sum(sp_forward(layer, x)));
}
static void pooling(void)
{
    sp_tensor *x = sp_conv2d(images(4, 16, 14, SP_F32), sp_rand(SP_DIMS(16, 16, 1, 1)), SP_NONE);
    sp_item(sp_sum(sp_max_pool2d(sp_tanh(x), 2)));
}
static void pooling_of_planes(void)
{
    sp_item(sp_sum(sp_max_pool2d(images(4, 16, 14, SP_F32), 2)));
}
static void loss(void)
{
    sp_item(sp_nll_loss(sp_rand(SP_DIMS(4, 10)), sp_zeros(SP_DIMS(4), .dtype = SP_I64)));
}
static void dropout(void)
{
    sp_item(sp_sum(sp_dropout(sp_rand(SP_DIMS(64, 256)), 0.5, true)));
}
static void update(void)
{
    sp_tensor *x = sp_requires_grad(sp_rand(SP_DIMS(64, 256)));
    sp_optimizer *optimizer = sp_optim_adam(SP_LIST(x));
    sp_backward(sp_sum(x));
    sp_step(optimizer);
}
static void gather(void)
{
    sp_tensor *index = sp_zeros(SP_DIMS(4, 1), .dtype = SP_I64);
    sp_item(sp_sum(sp_gather(sp_rand(SP_DIMS(4, 10)), 1, index)));
}

/* What a line must have at a level that has fast loops; * is the level's name. */
static const struct {
    const char *name;
    void (*call)(void);
    const char *line;
} calls[] = {
    {"a 3×3 convolution of many channels", conv_3x3, "conv forward float32 * winograd: x [4, 32, 14, 14]"},
    {"a first convolution", conv_first, "conv forward float32 * by channel: x [4, 1, 14, 14] w [32, 1, 3, 3]"},
    {"a 5×5 convolution", conv_5x5, "conv forward float32 * direct:"},
    {"a convolution of f64", conv_f64, "conv forward float64 * direct:"},
    {"a pooled block, backward", block_pooled, "conv backward-weight float32 * sparse with data:"},
    {"a linear layer", linear, "gemm float32 * vectors: a [1, 64, 784] b [1, 784, 256] bias"},
    {"a product of integers", product_of_integers, "gemm int64 * reference: a [1, 3, 3] b [1, 3, 3]"},
    {"an addition", addition, "add float32 * vectors:"},
    {"an addition of columns", addition_of_columns, "add float32 * packed vectors:"},
    {"an addition of integers", addition_of_integers, "add int32 * reference:"},
    {"a cast", cast_to_bf16, "cast float32 * vectors: to bfloat16 [64, 256]"},
    {"a mean", mean, "mean float32 * vectors:"},
    {"a softmax", softmax, "log_softmax float32 * vectors:"},
    {"a softmax of f64", softmax_f64, "softmax float64 * reference:"},
    {"a normalisation of channels side by side", batch_norm, "norm forward float32 * columns: x [4, 16, 14, 14]"},
    {"maxima of channels side by side", pooling,
     "max_pool float32 * vectors: x [4, 16, 14, 14] y [7, 7] kernel [2, 2]"},
    {"maxima of planes", pooling_of_planes, "max_pool float32 * reference:"},
    {"a loss", loss, "nll float32 * reference: x [4, 10, 1]"},
    {"a dropout", dropout, "fill bernoulli float32 * vectors: [16384]"},
    {"an update", update, "update float32 * vectors: adam, 1 parameters of 16384 numbers"},
    {"a gather", gather, "gather float32 * reference: [4, 1] along dimension 1 of 10"},
};
enum { N_CALLS = sizeof calls / sizeof *calls };

static void test_the_choice_for_typical_calls(void **state)
{
    (void)state;
    int wrong = 0;
    assert_true(N_CALLS >= 20);
    for (int i = 0; i < N_CALLS; i++) {
        char line[200];
        const char *star = strchr(calls[i].line, '*');
        snprintf(line, sizeof line, "spusk: kernel %.*s%s%s", (int)(star - calls[i].line), calls[i].line, sp_isa(),
                 star + 1);
        lines[0] = '\0';
        sp__set_kernel_trace(take);
        SP_SCOPE {
            calls[i].call();
        }
        sp__set_kernel_trace(NULL);
        assert_no_error();
        if (strstr(lines, line)) continue;
        wrong++;
        print_error("%s: no line begins with\n    %s\nbut there are\n%s", calls[i].name, line, lines);
    }
    assert_int_equal(wrong, 0);
}

static void test_the_reference_has_its_name(void **state)
{
    (void)state;
    assert_true(sp__cpu_set_level("reference"));
    lines[0] = '\0';
    sp__set_kernel_trace(take);
    linear();
    conv_3x3();
    sp__set_kernel_trace(NULL);
    sp__cpu_set_level(NULL);
    assert_non_null(strstr(lines, "gemm float32 reference reference: a [1, 64, 784]"));
    assert_non_null(strstr(lines, "conv forward float32 reference reference: x [4, 32, 14, 14]"));
    assert_null(strstr(lines, "vectors"));
}

static void test_nothing_is_traced_unasked(void **state)
{
    (void)state;
    assert_false(sp__traces_kernels());
    lines[0] = '\0';
    linear();
    assert_string_equal(lines, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        sp_test(test_the_choice_for_typical_calls),
        sp_test(test_the_reference_has_its_name),
        sp_test(test_nothing_is_traced_unasked),
    };
    return sp_test_main(tests);
}
