/* Layers and losses as modules: what they compute, how they print, how they are rebuilt from their descriptions. */
#include "support/support.h"
#include <math.h>
#include <spusk/extend/layer.h>
#include <spusk/spusk.h>
#include <stdio.h>
#include <string.h>

/* ---- every layer of one input: its module, its operator, its text ---- */

static sp_tensor *input(void)
{
    return sp_reshape(sp_sub_scalar(sp_arange(0.0, 24.0, 1.0), 11.5), 2, 12);
}

static sp_module *new_identity(void)
{
    return sp_nn_identity();
}

static sp_tensor *identity(sp_tensor *x)
{
    return x;
}

#define LAYER(name, make, operation)                                                                                   \
    static sp_module *new_##name(void)                                                                                 \
    {                                                                                                                  \
        return make;                                                                                                   \
    }                                                                                                                  \
    static sp_tensor *name(sp_tensor *x)                                                                               \
    {                                                                                                                  \
        return operation;                                                                                              \
    }
LAYER(relu, sp_nn_relu(), sp_relu(x))
LAYER(silu, sp_nn_silu(), sp_silu(x))
LAYER(sigmoid, sp_nn_sigmoid(), sp_sigmoid(x))
LAYER(tanh_, sp_nn_tanh(), sp_tanh(x))
LAYER(leaky, sp_nn_leaky_relu(), sp_leaky_relu(x))
LAYER(leaky_zero, sp_nn_leaky_relu(.negative_slope = SP_ZERO), sp_relu(x))
LAYER(leaky_tiny, sp_nn_leaky_relu(.negative_slope = 1e-5), sp_leaky_relu(x, .negative_slope = 1e-5))
LAYER(elu, sp_nn_elu(.alpha = 0.5), sp_elu(x, .alpha = 0.5))
LAYER(gelu, sp_nn_gelu(), sp_gelu(x))
LAYER(gelu_tanh, sp_nn_gelu(.tanh = true), sp_gelu(x, .tanh = true))
LAYER(softplus, sp_nn_softplus(), sp_softplus(x))
LAYER(softplus_two, sp_nn_softplus(.beta = 2, .threshold = 1), sp_softplus(x, .beta = 2, .threshold = 1))
LAYER(softmax, sp_nn_softmax(1), sp_softmax(x, 1))
LAYER(softmax_first, sp_nn_softmax(0), sp_softmax(x, 0))
LAYER(log_softmax, sp_nn_log_softmax(-1), sp_log_softmax(x, -1))
LAYER(flatten, sp_nn_flatten(), x)
LAYER(flatten_all, sp_nn_flatten(.start_dim = SP_ZERO), sp_reshape(x, 24))
LAYER(unflatten, sp_nn_unflatten(1, SP_DIMS(3, 2, 2)), sp_reshape(x, 2, 3, 2, 2))
LAYER(unflatten_rest, sp_nn_unflatten(-1, SP_DIMS(4, -1)), sp_reshape(x, 2, 4, 3))
LAYER(dropout, sp_nn_dropout(0), x)
LAYER(dropout_all, sp_nn_dropout(1), sp_mul_scalar(x, 0))
#undef LAYER

static const struct {
    sp_module *(*make)(void);
    sp_tensor *(*operation)(sp_tensor *x);
    const char *text; /* from PyTorch */
} layers[] = {
    {new_identity, identity, "Identity()"},
    {new_relu, relu, "ReLU()"},
    {new_silu, silu, "SiLU()"},
    {new_sigmoid, sigmoid, "Sigmoid()"},
    {new_tanh_, tanh_, "Tanh()"},
    {new_leaky, leaky, "LeakyReLU(negative_slope=0.01)"},
    {new_leaky_zero, leaky_zero, "LeakyReLU(negative_slope=0.0)"},
    {new_leaky_tiny, leaky_tiny, "LeakyReLU(negative_slope=1e-05)"},
    {new_elu, elu, "ELU(alpha=0.5)"},
    {new_gelu, gelu, "GELU(approximate='none')"},
    {new_gelu_tanh, gelu_tanh, "GELU(approximate='tanh')"},
    {new_softplus, softplus, "Softplus(beta=1.0, threshold=20.0)"},
    {new_softplus_two, softplus_two, "Softplus(beta=2.0, threshold=1.0)"},
    {new_softmax, softmax, "Softmax(dim=1)"},
    {new_softmax_first, softmax_first, "Softmax(dim=0)"},
    {new_log_softmax, log_softmax, "LogSoftmax(dim=-1)"},
    {new_flatten, flatten, "Flatten(start_dim=1, end_dim=-1)"},
    {new_flatten_all, flatten_all, "Flatten(start_dim=0, end_dim=-1)"},
    {new_unflatten, unflatten, "Unflatten(dim=1, unflattened_size=(3, 2, 2))"},
    {new_unflatten_rest, unflatten_rest, "Unflatten(dim=-1, unflattened_size=(4, -1))"},
    {new_dropout, dropout, "Dropout(p=0.0, inplace=False)"},
    {new_dropout_all, dropout_all, "Dropout(p=1.0, inplace=False)"},
};
enum { N_LAYERS = sizeof layers / sizeof *layers };

static void assert_text(const sp_module *module, const char *expected)
{
    char text[2048];
    assert_int_equal(sp_module_to_string(module, text, sizeof text), strlen(expected));
    assert_string_equal(text, expected);
}

/* The same module made anew from what it says of itself. */
static sp_module *rebuilt(const sp_module *module)
{
    sp_attribute attributes[16];
    int n = sp_module_num_attributes(module);
    for (int i = 0; i < n; i++) attributes[i] = sp_module_attribute(module, i);
    return sp_module_build(sp_module_name(module), attributes, n);
}

static void test_layers_are_their_operators(void **state)
{
    (void)state;
    for (int i = 0; i < N_LAYERS; i++)
        SP_SCOPE {
            sp_tensor *x = input(), *expected = layers[i].operation(x);
            sp_module *layer = layers[i].make(), *again = rebuilt(layer);
            assert_text(layer, layers[i].text);
            assert_text(again, layers[i].text);
            assert_true(sp_equal(sp_forward(layer, x), expected));
            assert_true(sp_equal(sp_forward(again, x), expected));
        }
    assert_no_error();
}

static void test_dropout_only_while_training(void **state)
{
    (void)state;
    sp_module *layer = sp_nn_dropout(0.5);
    sp_tensor *x = sp_ones(SP_DIMS(1000));
    double kept = sp_item(sp_sum(sp_gt_scalar(sp_forward(layer, x), 0)));
    assert_true(kept > 400 && kept < 600);
    sp_eval(layer);
    assert_true(sp_equal(sp_forward(layer, x), x));
}

/* ---- Linear ---- */

static void test_linear(void **state)
{
    (void)state;
    sp_module *layer = sp_nn_linear(3, 2);
    sp_tensor *weight = sp_module_get(layer, "weight"), *bias = sp_module_get(layer, "bias");
    SP_NO_GRAD {
        sp_copy_(weight, sp_matrix(2, 3, 1, 2, 3, 4, 5, 6));
        sp_copy_(bias, sp_vector(10, 20));
    }
    assert_true(sp_equal(sp_forward(layer, sp_matrix(1, 3, 1, 1, 1)), sp_matrix(1, 2, 16, 35)));
    assert_int_equal(sp_ndim(sp_forward(layer, sp_ones(SP_DIMS(4, 5, 3)))), 3);
    /* In memory (in, out). */
    assert_int_equal(sp_stride(weight, 0), 1);
    assert_int_equal(sp_stride(weight, 1), 2);
    assert_text(layer, "Linear(in_features=3, out_features=2, bias=True)");
    sp_module *other = sp_nn_linear(3, 2, .no_bias = true, .dtype = SP_F64);
    assert_int_equal(sp_list_length(sp_parameters(other)), 1);
    assert_text(other, "Linear(in_features=3, out_features=2, bias=False)");
    assert_int_equal(sp_dtype_of(sp_forward(other, sp_ones(SP_DIMS(1, 3), .dtype = SP_F64))), SP_F64);
    assert_text(rebuilt(other), "Linear(in_features=3, out_features=2, bias=False)");
    assert_int_equal(sp_size(sp_forward(sp_nn_linear(0, 2), sp_ones(SP_DIMS(4, 0))), 1), 2);
    assert_no_error();
}

static void test_linear_draws_as_pytorch(void **state)
{
    (void)state;
    double low, high, mean, std;
    sp_manual_seed(3);
    sp_module *layer = sp_nn_linear(400, 300);
    for (int k = 0; k < 2; k++) {
        sp_tensor *x = sp_detach(sp_module_get(layer, k == 0 ? "weight" : "bias"));
        low = sp_item(sp_min(x)), high = sp_item(sp_max(x));
        mean = sp_item(sp_mean(x)), std = sp_item(sp_std(x));
        assert_true(low >= -0.05 && low < -0.049 && high <= 0.05 && high > 0.049);
        assert_close(mean, 0, k == 0 ? 5e-4 : 5e-3);
        assert_close(std, 0.05 / sqrt(3), k == 0 ? 2e-4 : 2e-3);
    }
    /* The weight is drawn in the order of its shape, then the bias. */
    sp_manual_seed(3);
    sp_tensor *weight = sp_init_uniform_(sp_empty(SP_DIMS(300, 400)), -0.05, 0.05);
    sp_tensor *bias = sp_init_uniform_(sp_empty(SP_DIMS(300)), -0.05, 0.05);
    assert_true(sp_equal(sp_detach(sp_module_get(layer, "weight")), weight));
    assert_true(sp_equal(sp_detach(sp_module_get(layer, "bias")), bias));
    sp_generator *generator = sp_generator_new(3);
    sp_module *own = sp_nn_linear(400, 300, .generator = generator);
    assert_true(sp_equal(sp_detach(sp_module_get(own, "weight")), weight));
    assert_true(sp_equal(sp_detach(sp_module_get(own, "bias")), bias));
}

/* ---- printing ---- */

static void test_trees_print_as_pytorch(void **state)
{
    (void)state;
    sp_module *model = sp_nn_sequential(sp_nn_linear(784, 256), sp_nn_relu(),
                                        sp_nn_sequential(sp_nn_linear(256, 10, .no_bias = true), sp_nn_log_softmax(1)),
                                        sp_nn_flatten());
    assert_text(model, "Sequential(\n"
                       "  (0): Linear(in_features=784, out_features=256, bias=True)\n"
                       "  (1): ReLU()\n"
                       "  (2): Sequential(\n"
                       "    (0): Linear(in_features=256, out_features=10, bias=False)\n"
                       "    (1): LogSoftmax(dim=1)\n"
                       "  )\n"
                       "  (3): Flatten(start_dim=1, end_dim=-1)\n"
                       ")");
    assert_text(sp_nn_module_list(sp_nn_linear(2, 3), sp_nn_linear(2, 3), sp_nn_relu(),
                                  sp_nn_sequential(sp_nn_relu(), sp_nn_relu()),
                                  sp_nn_sequential(sp_nn_relu(), sp_nn_relu())),
                "ModuleList(\n"
                "  (0-1): 2 x Linear(in_features=2, out_features=3, bias=True)\n"
                "  (2): ReLU()\n"
                "  (3-4): 2 x Sequential(\n"
                "    (0): ReLU()\n"
                "    (1): ReLU()\n"
                "  )\n"
                ")");
    assert_text(sp_nn_sequential_until((sp_module *[]){sp_last_module_}), "Sequential()");
}

typedef struct plain {
    sp_module base;
} plain;

static void test_ones_own_attributes_print(void **state)
{
    (void)state;
    plain *p = sp_module_new(plain, .name = "Mine");
    sp_module *module = &p->base;
    sp_module_set_int(module, "heads", 8);
    sp_module_set_number(module, "scale", 0.1);
    sp_module_set_bool(module, "causal", true);
    sp_module_set_int(module, "heads", INT64_C(9007199254740993));
    assert_text(module, "Mine(heads=9007199254740993, scale=0.1, causal=True)");
    const double numbers[] = {1e16, 123456789012345680, 0.0001, 0.00001, -2.5, INFINITY, NAN, 1.0 / 3, 100};
    static const char *const texts[] = {"1e+16", "1.2345678901234568e+17", "0.0001", "1e-05", "-2.5", "inf",
                                        "nan",   "0.3333333333333333",     "100.0"};
    for (int i = 0; i < 9; i++) {
        char text[64];
        plain *q = sp_module_new(plain, .name = "Q");
        sp_module_set_number(&q->base, "x", numbers[i]);
        snprintf(text, sizeof text, "Q(x=%s)", texts[i]);
        assert_text(&q->base, text);
    }
    sp_module_add(module, "inner", sp_nn_relu());
    assert_text(module, "Mine(\n  heads=9007199254740993, scale=0.1, causal=True\n  (inner): ReLU()\n)");
    /* What does not fit is cut, as by snprintf. */
    char small[6];
    assert_true(sp_module_to_string(module, small, sizeof small) > 60);
    assert_string_equal(small, "Mine(");
}

/* ---- losses ---- */

static void test_losses_are_their_operators(void **state)
{
    (void)state;
    sp_tensor *x = sp_log_softmax(sp_rand(SP_DIMS(4, 3)), 1), *p = sp_rand(SP_DIMS(4, 3)), *q = sp_rand(SP_DIMS(4, 3));
    sp_tensor *t = sp_vector_i64(0, 2, 1, 0), *w = sp_vector(1, 2, 3);
#define SAME(text, module, expected)                                                                                   \
    do {                                                                                                               \
        sp_module *loss = module;                                                                                      \
        sp_tensor *value = expected;                                                                                   \
        assert_text(loss, text);                                                                                       \
        assert_true(sp_equal(sp_forward(loss, x, t), value));                                                          \
        assert_true(sp_module_num_parameters(loss) == 0);                                                              \
        if (sp_list_length(sp_buffers(loss)) == 0) assert_true(sp_equal(sp_forward(rebuilt(loss), x, t), value));      \
    } while (0)
    SAME("NLLLoss()", sp_nn_nll_loss(), sp_nll_loss(x, t));
    SAME("NLLLoss()", sp_nn_nll_loss(.ignore_index = SP_ZERO), sp_nll_loss(x, t, .ignore_index = SP_ZERO));
    SAME("NLLLoss()", sp_nn_nll_loss(.reduction = SP_REDUCTION_NONE),
         sp_nll_loss(x, t, .reduction = SP_REDUCTION_NONE));
    SAME("NLLLoss()", sp_nn_nll_loss_weighted(w), sp_nll_loss_weighted(x, t, w));
    SAME("CrossEntropyLoss()", sp_nn_cross_entropy_loss(.label_smoothing = 0.1),
         sp_cross_entropy(x, t, .label_smoothing = 0.1));
    SAME("CrossEntropyLoss()", sp_nn_cross_entropy_loss_weighted(w, .reduction = SP_REDUCTION_SUM),
         sp_cross_entropy_weighted(x, t, w, .reduction = SP_REDUCTION_SUM));
    x = p, t = q;
    SAME("MSELoss()", sp_nn_mse_loss(), sp_mse_loss(x, t));
    SAME("L1Loss()", sp_nn_l1_loss(.reduction = SP_REDUCTION_SUM), sp_l1_loss(x, t, .reduction = SP_REDUCTION_SUM));
    SAME("SmoothL1Loss()", sp_nn_smooth_l1_loss(.beta = 0.25), sp_smooth_l1_loss(x, t, .beta = 0.25));
    SAME("SmoothL1Loss()", sp_nn_smooth_l1_loss(.beta = SP_ZERO), sp_smooth_l1_loss(x, t, .beta = SP_ZERO));
    SAME("BCELoss()", sp_nn_bce_loss(), sp_binary_cross_entropy(x, t));
    SAME("BCEWithLogitsLoss()", sp_nn_bce_with_logits_loss(), sp_binary_cross_entropy_with_logits(x, t));
    SAME("KLDivLoss()", sp_nn_kl_div_loss(.batch_mean = true), sp_kl_div(x, t, .batch_mean = true));
    SAME("KLDivLoss()", sp_nn_kl_div_loss(.log_target = true), sp_kl_div(x, t, .log_target = true));
#undef SAME
    assert_no_error();
}

static void test_a_weighted_loss_keeps_its_weight(void **state)
{
    (void)state;
    sp_module *loss = NULL;
    SP_SCOPE {
        loss = sp_escape(sp_nn_nll_loss_weighted(sp_vector(1, 2, 3)));
    }
    sp_dict *dict = sp_state_dict(loss);
    assert_string_equal(sp_dict_name(dict, 0), "weight");
    sp_module *again = rebuilt(loss);
    assert_int_equal(sp_load_state_dict(again, dict), SP_OK);
    sp_tensor *x = sp_rand(SP_DIMS(4, 3)), *t = sp_vector_i64(0, 2, 1, 0);
    assert_true(sp_equal(sp_forward(again, x, t), sp_forward(loss, x, t)));
    assert_refuses(SP_ERROR_NULL, "weight", sp_nn_nll_loss_weighted(NULL));
}

/* ---- what is refused ---- */

static void test_layers_refuse(void **state)
{
    (void)state;
    assert_refuses(SP_ERROR_ARGUMENT, "sp_nn_linear: in_features must not be negative, got -2", sp_nn_linear(-2, 1));
    assert_refuses(SP_ERROR_DTYPE, "int64", sp_nn_linear(2, 1, .dtype = SP_I64));
    assert_refuses(SP_ERROR_ARGUMENT, "sp_nn_dropout: p must be between 0 and 1, got -0.1", sp_nn_dropout(-0.1));
    assert_refuses(SP_ERROR_ARGUMENT, "sp_nn_dropout: p must be between 0 and 1, got nan", sp_nn_dropout(NAN));
    assert_refuses(SP_ERROR_ARGUMENT, "softmax: dim must be in [-8, 8), got 9", sp_nn_softmax(9));
    assert_refuses(SP_ERROR_ARGUMENT, "sp_nn_flatten: dimensions must be in [-8, 8), got 8 and -1",
                   sp_nn_flatten(.start_dim = 8));
    assert_refuses(SP_ERROR_ARGUMENT, "sp_nn_unflatten: there are no sizes", sp_nn_unflatten(1, SP_DIMS()));
    assert_refuses(SP_ERROR_ARGUMENT, "sp_nn_unflatten: a size must be -1 or more, got -2",
                   sp_nn_unflatten(1, SP_DIMS(2, -2)));
    assert_refuses(SP_ERROR_ARGUMENT, "sp_nn_unflatten: there are 1 to 8 sizes, got 9",
                   sp_nn_unflatten(1, SP_DIMS(1, 1, 1, 1, 1, 1, 1, 1, 1)));
    assert_refuses(SP_ERROR_ARGUMENT, "loss: there is no reduction 7", sp_nn_mse_loss(.reduction = (sp_reduction)7));
    assert_refuses(SP_ERROR_ARGUMENT, "loss: label_smoothing must be between 0 and 1, got 2",
                   sp_nn_cross_entropy_loss(.label_smoothing = 2));
    assert_refuses(SP_ERROR_ARGUMENT, "loss: beta must be finite and not negative, got inf",
                   sp_nn_smooth_l1_loss(.beta = INFINITY));
    assert_refuses(SP_ERROR_ARGUMENT, "loss: beta must be finite and not negative, got -1",
                   sp_nn_smooth_l1_loss(.beta = -1));
}

static sp_module *build_one(const char *type, const char *option, sp_attribute_kind kind, double value)
{
    sp_attribute attribute = {option, kind, kind == SP_ATTRIBUTE_NUMBER ? 0 : (int64_t)value, value};
    return sp_module_build(type, &attribute, 1);
}

static void test_build_refuses(void **state)
{
    (void)state;
    assert_refuses(SP_ERROR_NOT_FOUND, "the library has no module type \"Conv9d\"", sp_module_build("Conv9d", NULL, 0));
    assert_refuses(SP_ERROR_ARGUMENT, "sp_module_build: Linear needs the option \"out_features\"",
                   build_one("Linear", "in_features", SP_ATTRIBUTE_INT, 3));
    assert_refuses(SP_ERROR_ARGUMENT, "sp_module_build: ReLU has no option \"size\"",
                   build_one("ReLU", "size", SP_ATTRIBUTE_INT, 3));
    assert_refuses(SP_ERROR_ARGUMENT, "the option \"dim\" of Softmax is an integer",
                   build_one("Softmax", "dim", SP_ATTRIBUTE_NUMBER, 1));
    assert_refuses(SP_ERROR_ARGUMENT, "the option \"tanh\" of GELU is true or false",
                   build_one("GELU", "tanh", SP_ATTRIBUTE_INT, 1));
    assert_refuses(SP_ERROR_ARGUMENT, "softmax: dim must be in [-8, 8), got 5000000000",
                   build_one("Softmax", "dim", SP_ATTRIBUTE_INT, 5e9));
    assert_refuses(SP_ERROR_ARGUMENT, "sp_nn_dropout: p must be between 0 and 1, got 3",
                   build_one("Dropout", "p", SP_ATTRIBUTE_INT, 3));
    assert_refuses(SP_ERROR_ARGUMENT, "the option \"p\" of Dropout is a number",
                   build_one("Dropout", "p", SP_ATTRIBUTE_BOOL, 1));
    assert_refuses(SP_ERROR_ARGUMENT, "softmax: dim must be in [-8, 8), got 1152921504606846976",
                   build_one("Softmax", "dim", SP_ATTRIBUTE_INT, 0x1p60));
    assert_refuses(SP_ERROR_ARGUMENT, "the sizes of LayerNorm are not in order: \"size_1\"",
                   build_one("LayerNorm", "size_1", SP_ATTRIBUTE_INT, 3));
    assert_refuses(SP_ERROR_NULL, "name", sp_module_build(NULL, NULL, 0));
    assert_text(sp_module_build("Sequential", NULL, 0), "Sequential()");
    assert_text(sp_module_build("ModuleList", NULL, 0), "ModuleList()");
    assert_text(build_one("LeakyReLU", "negative_slope", SP_ATTRIBUTE_INT, 1), "LeakyReLU(negative_slope=1.0)");
    assert_no_error();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        sp_test(test_layers_are_their_operators),
        sp_test(test_dropout_only_while_training),
        sp_test(test_linear),
        sp_test(test_linear_draws_as_pytorch),
        sp_test(test_trees_print_as_pytorch),
        sp_test(test_ones_own_attributes_print),
        sp_test(test_losses_are_their_operators),
        sp_test(test_a_weighted_loss_keeps_its_weight),
        sp_test(test_layers_refuse),
        sp_test(test_build_refuses),
    };
    return sp_test_main(tests);
}
