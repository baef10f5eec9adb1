/* SP_ZERO in every number field of every call with options means 0, or is refused as a 0; the number that it is made of
 * is seen nowhere: not in a message, a value, a description, a state or a chart's script. The calls are written by
 * tools/zero_options.py from the headers. */
#include "support/support.h"
#include <math.h>
#include <spusk/extend.h>
#include <spusk/spusk.h>
#include <stdio.h>
#include <string.h>

/* ---- arguments ---- */

static sp_tensor *a_tensor(void)
{
    return sp_full(SP_DIMS(2, 2), 0.5);
}

static sp_tensor *a_leaf(void)
{
    sp_tensor *x = sp_full(SP_DIMS(2), 0.5, .dtype = SP_F64, .requires_grad = true);
    sp_set_grad(x, sp_ones(SP_DIMS(2), .dtype = SP_F64));
    return x;
}

static sp_tensor *images(void)
{
    return sp_ones(SP_DIMS(2, 2, 6, 6));
}

static sp_tensor *kernel(void)
{
    return sp_ones(SP_DIMS(2, 2, 3, 3));
}

static sp_optimizer *an_optimizer(void)
{
    return sp_optim_sgd(SP_LIST(a_leaf()), .momentum = 0.5);
}

static sp_dataset *a_dataset(void)
{
    return sp_data_tensors(a_tensor(), a_tensor());
}

static sp_loader *a_loader(void)
{
    return sp_data_loader(a_dataset());
}

static sp_series *const *some_series(void)
{
    static sp_series *list[2];
    list[0] = sp_series_new("a series");
    for (int i = 0; i < 3; i++) sp_series_push_xy(list[0], 0.2 * i, 0.1 * i);
    return list;
}

static const sp_scatter_panel *a_panel(void)
{
    static sp_scatter_panel panel;
    panel = (sp_scatter_panel){.points = a_tensor(), .labels = SP_NONE};
    return &panel;
}

static sp_tensor *a_square(sp_tensor *const *inputs, void *user)
{
    (void)user;
    return sp_square(inputs[0]);
}

static const char *chart(void)
{
    return support_path("chart.svg");
}

static const char *picture(void)
{
    return support_path("picture.png");
}

static const char *movie(void)
{
    return support_path("movie.gif");
}

/* ---- what came of a call ---- */

static bool shows(const char *text)
{
    static const char *const forms[] = {"2147483648", "2147483647", "2.14748e+09", "18446744071562067968"};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (strstr(text, forms[i])) return true;
    return false;
}

/* Whether the call worked; `leaked` where the number behind SP_ZERO was seen. */
typedef struct outcome {
    bool works, leaked;
} outcome;

static outcome got_status(sp_status status)
{
    return (outcome){status == SP_OK, false};
}

static outcome got_truth(bool truth)
{
    (void)truth;
    return (outcome){sp_error_status() == SP_OK, false};
}

static outcome got_number(double x)
{
    return (outcome){sp_error_status() == SP_OK, fabs(x) > 1e9 && isfinite(x)};
}

static outcome got_tensor(sp_tensor *x)
{
    if (!x) return (outcome){false, false};
    bool large = false;
    SP_NO_GRAD {
        sp_tensor *size = sp_abs(sp_cast(sp_detach(x), SP_F64));
        large = sp_item(sp_any(sp_logical_and(sp_isfinite(size), sp_gt_scalar(size, 1e9)))) != 0;
    }
    return (outcome){true, large};
}

static outcome got_pair(sp_values_indices pair)
{
    return got_tensor(pair.values);
}

static outcome got_module(sp_module *module)
{
    char text[4096] = "";
    if (module) sp_module_to_string(module, text, sizeof text);
    return (outcome){module != NULL, shows(text)};
}

static outcome got_dict(const sp_dict *dict)
{
    outcome o = {dict != NULL, false};
    for (int64_t i = 0; dict && i < sp_dict_length(dict); i++) o.leaked |= got_tensor(sp_dict_get(dict, i)).leaked;
    return o;
}

static outcome got_optimizer(sp_optimizer *optimizer)
{
    return optimizer ? got_dict(sp_optimizer_state_dict(optimizer)) : (outcome){false, false};
}

static outcome got_scheduler(sp_scheduler *s)
{
    return s ? got_dict(sp_scheduler_state_dict(s)) : (outcome){false, false};
}

static outcome got_batch_scheduler(sp_batch_scheduler *s)
{
    return s ? got_dict(sp_batch_scheduler_state_dict(s)) : (outcome){false, false};
}

static outcome got_dataset(sp_dataset *data)
{
    return (outcome){data != NULL, data && shows(sp_data_description(data))};
}

static outcome got_loader(sp_loader *loader)
{
    return (outcome){loader != NULL, loader && sp_loader_length(loader) > 1000};
}

static outcome got_movie(sp_movie *m)
{
    return (outcome){m != NULL, false};
}

/* The script of the last chart, where there is one. */
static bool script_shows(void)
{
    static char text[1 << 16];
    FILE *file = fopen(support_path("chart.gp"), "r");
    if (!file) return false;
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    remove(support_path("chart.gp"));
    return shows(text);
}

static int tried, skipped, failures;

/* A feature that this build or machine lacks, or an option that an optimiser does not have. */
static bool is_missing(sp_status status)
{
    return status == SP_ERROR_UNSUPPORTED || status == SP_ERROR_NOT_FOUND ||
           (status != SP_OK && strstr(sp_error_message(), "has no option"));
}

static void judge(bool refused, const char *what, outcome o)
{
    const sp_status status = sp_error_clear();
    const bool leaked = o.leaked || script_shows() || (status != SP_OK && shows(sp_error_message()));
    tried++;
    if (!o.works && is_missing(status)) {
        skipped++;
    } else if (leaked || o.works == refused) {
        failures++;
        printf("# %s: %s%s%s\n", what, leaked ? "is seen as what it is made of: " : "",
               o.works ? "is taken" : "is refused: ", o.works ? "" : sp_error_message());
    }
}

#define ZERO(refused, what, call)                                                                                        \
    SP_SCOPE {                                                                                                           \
        judge(refused, what,                                                                                           \
              _Generic((call), sp_status: got_status, bool: got_truth, double: got_number, sp_tensor *: got_tensor,    \
                       sp_values_indices: got_pair, sp_module *: got_module, sp_optimizer *: got_optimizer,            \
                       sp_scheduler *: got_scheduler, sp_batch_scheduler *: got_batch_scheduler,                       \
                       sp_dataset *: got_dataset, sp_loader *: got_loader, sp_movie *: got_movie)(call)); \
    }

/* NOLINTNEXTLINE(readability-function-size): a line for each field */
static void test_zero_in_every_number_field(void **state)
{
    (void)state;
#include "zero_options.inc.h"
    printf("# %d calls, %d of what is not here\n", tried, skipped);
    assert_true(tried - skipped >= 350);
    assert_int_equal(failures, 0);
}

static void test_zeros_that_are_meant(void **state)
{
    (void)state;
    sp_tensor *x = sp_vector(1, 2), *logits = sp_reshape(sp_vector(1, 2), 1, 2), *label = sp_vector_i64(1);
    assert_true(sp_equal(sp_pad(x, SP_DIMS(1, 1), .value = SP_ZERO), sp_vector(0, 1, 2, 0)));
    assert_true(sp_equal(sp_pad(x, SP_DIMS(1, 1), .value = sp_exactly(0)), sp_vector(0, 1, 2, 0)));
    assert_true(sp_equal(sp_cross_entropy(logits, label, .label_smoothing = SP_ZERO), sp_cross_entropy(logits, label)));
    assert_true(sp_equal(sp_leaky_relu(sp_neg(x), .negative_slope = SP_ZERO), sp_vector(0, 0)));
    assert_null(sp_data_digits("synthetic", .length = SP_ZERO));
    assert_error(SP_ERROR_ARGUMENT, "length must be at least 1, got 0");
    assert_null(sp_autoencoder(2, .features = SP_ZERO));
    assert_error(SP_ERROR_ARGUMENT, "features is 0");
    assert_null(sp_data_loader(a_dataset(), .batch_size = SP_ZERO));
    assert_error(SP_ERROR_ARGUMENT, "batch_size must be at least 1, got 0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {sp_test(test_zero_in_every_number_field), sp_test(test_zeros_that_are_meant)};
    return sp_test_main(tests);
}
