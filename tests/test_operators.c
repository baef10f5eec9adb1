/* Every operator by its samples: the value against PyTorch's in every dtype and on every layout, with special values
 * (there the gradient, too), mixed dtypes and wrong shapes; and arguments that are no tensors. One test for each
 * operator and aspect. test_operator_gradients.c has the rest.
 *
 * `test_operators --dump` prints the cases for tools/fixtures_operators.py. */
#include "support/loop.h"
#include <stdlib.h>
#include <string.h>

static struct {
    int values, layouts, specials, shapes, arguments;
} totals;

/* ---- values ---- */

/* PyTorch does not look at the dtype of what has no elements; here dtypes alone decide. */
static bool is_empty_of_wrong_dtype(const test_case *c)
{
    bool empty = false;
    for (int i = 0; i < c->n; i++)
        for (int d = 0; d < c->inputs[i].ndim; d++) empty |= c->inputs[i].sizes[d] == 0;
    return empty && sp_error_status() == SP_ERROR_DTYPE;
}

/* NULL, an error, and words that name a function. */
static void check_refused(tally *t, const test_case *c, const sp_tensor *y)
{
    if (y)
        complain(t, c, "PyTorch refuses it, and here it gives %s %s", sp_dtype_name(sp_dtype_of(y)), sp__shape_of(y));
    else if (!sp_error_status())
        complain(t, c, "NULL without an error");
    else if (!strstr(sp_error_message(), "sp_"))
        complain(t, c, "the error names no function: %s", sp_error_message());
}

static void check_value(tally *t, const test_case *c, sp_tensor *y, const fixture_tensor *expected)
{
    char why[200];
    tolerance allowed = tolerance_of(expected->dtype);
    if (!y)
        complain(t, c, "%s", sp_error_message());
    else if (!fixture_matches(expected, y, allowed, why, sizeof why))
        complain(t, c, "%s", why);
}

static void check_answer(tally *t, const test_case *c, sp_tensor *y, const fixture_record *record)
{
    t->run++;
    if (record->n == 0 && !(y && is_exception(c, ACCEPTS))) check_refused(t, c, y);
    bool may_refuse = !y && (is_exception(c, REFUSES) || is_empty_of_wrong_dtype(c));
    if (record->n > 0 && !may_refuse && !is_exception(c, DIFFERS)) check_value(t, c, y, &record->tensors[0]);
    sp_error_clear();
}

static void value_on(tally *t, const test_case *c, const fixture_record *record, layout how)
{
    sp_tensor *in[CASE_MAX_INPUTS];
    make_inputs(c, how, in);
    sp_tensor *y = case_sample(c)->call(in);
    if (y || !is_impossible_view(c, how)) check_answer(t, c, y, record);
    sp_error_clear();
}

static void try_value(tally *t, const test_case *c, const fixture_record *record)
{
    value_on(t, c, record, LAYOUT_CONTIGUOUS);
}

static void test_values(void **state)
{
    tally t = {0};
    for_levels(*state, &t, 1u << CASE_PLAIN | 1u << CASE_BIG | 1u << CASE_MIXED, try_value);
    conclude(&t, &totals.values);
}

static void test_shapes(void **state)
{
    tally t = {0};
    for_cases(*state, &t, 1u << CASE_SHAPE, try_value);
    conclude(&t, &totals.shapes);
}

/* Repeated values are not the fixture's: the same operator on a copy that repeats nothing is the model. */
static void try_expanded(tally *t, const test_case *c)
{
    sp_tensor *in[CASE_MAX_INPUTS], *copies[CASE_MAX_INPUTS];
    char why[200];
    make_inputs(c, LAYOUT_EXPANDED, in);
    for (int i = 0; i < c->n; i++) copies[i] = sp_clone(in[i]);
    sp_tensor *expected = case_sample(c)->call(copies), *y = case_sample(c)->call(in);
    t->run++;
    if (!expected != !y && !is_impossible_view(c, LAYOUT_EXPANDED))
        complain(t, c, "expanded inputs matter: %s", sp_error_message());
    else if (y && !tensors_match(expected, y, tolerance_of(sp_dtype_of(y)), why, sizeof why))
        complain(t, c, "expanded: %s", why);
    sp_error_clear();
}

static void try_layouts(tally *t, const test_case *c, const fixture_record *record)
{
    value_on(t, c, record, LAYOUT_TRANSPOSED);
    value_on(t, c, record, LAYOUT_SLICED);
    value_on(t, c, record, LAYOUT_IMAGE);
    try_expanded(t, c);
}

static void test_layouts(void **state)
{
    tally t = {0};
    for_levels(*state, &t, 1u << CASE_PLAIN, try_layouts);
    conclude(&t, &totals.layouts);
}

/* ---- special values ---- */

static bool is_zero(const fixture_tensor *x)
{
    const unsigned char *data = x->data;
    size_t bytes = sp_dtype_size(x->dtype);
    for (int d = 0; d < x->ndim; d++) bytes *= (size_t)x->sizes[d];
    for (size_t i = 0; i < bytes; i++)
        if (data[i]) return false;
    return true;
}

static void check_gradient(tally *t, const test_case *c, int input, sp_tensor *grad, const fixture_tensor *expected)
{
    char why[200];
    if (grad == SP_NONE) {
        if (expected->dtype && !is_zero(expected)) complain(t, c, "no gradient of input %d", input);
    } else if (!expected->dtype) {
        if (sp_item(sp_any(grad)) != 0) complain(t, c, "a gradient of input %d, where PyTorch has none", input);
    } else if (!fixture_matches(expected, grad, tolerance_of(expected->dtype), why, sizeof why)) {
        complain(t, c, "gradient of input %d: %s", input, why);
    }
}

static void try_special(tally *t, const test_case *c, const fixture_record *record)
{
    sp_tensor *in[CASE_MAX_INPUTS];
    make_inputs(c, LAYOUT_CONTIGUOUS, in);
    sp_list *wanted = leaves(c, in);
    sp_tensor *y = case_sample(c)->call(in);
    check_answer(t, c, y, record);
    if (!y || record->n < 2 || is_exception(c, DIFFERS) || is_exception(c, GRADIENT)) return;
    sp_list *grads = NULL;
    if (sp_needs_grad(y))
        grads = sp_autograd_grad_with(SP_LIST(y), wanted, SP_LIST(sp_ones_like(y)), .allow_unused = true);
    if (!grads) complain(t, c, "no gradients: %s", sp_error_message());
    for (int i = 0, k = 0; i < c->n && grads; i++)
        if (c->inputs[i].grad) check_gradient(t, c, i, sp_list_get(grads, k++), &record->tensors[1 + i]);
    sp_error_clear();
}

static void test_specials(void **state)
{
    tally t = {0};
    for_levels(*state, &t, 1u << CASE_SPECIAL, try_special);
    conclude(&t, &totals.specials);
}

/* ---- arguments that are no tensors ---- */

/* What a program calls: sp_NAME, but that sp_nll_loss calls another record for images. */
static const char *function_of(const sp_op *op, char *name, size_t size)
{
    snprintf(name, size, "sp_%s", strcmp(op->name, "nll_loss2d") ? op->name : "nll_loss");
    return name;
}

/* NULL or SP_NONE as input i must be refused, by name, without a leak. */
static void try_argument(tally *t, const test_case *c, int i, sp_tensor *wrong, int *named)
{
    char text[64];
    const char *name = function_of(c->op, text, sizeof text);
    bool may_be_none = wrong == SP_NONE && i < 32 && c->op->optional >> i & 1;
    int64_t live = sp_memory().live_count;
    SP_SCOPE {
        sp_tensor *in[CASE_MAX_INPUTS];
        make_inputs(c, LAYOUT_CONTIGUOUS, in);
        in[i] = wrong;
        sp_tensor *y = case_sample(c)->call(in);
        if (!may_be_none) check_refused(t, c, y);
        if (!y && strstr(sp_error_message(), name)) ++*named;
        sp_error_clear();
    }
    t->run++;
    if (sp_memory().live_count != live) complain(t, c, "argument %d: something was left", i + 1);
}

static void test_arguments(void **state)
{
    const sp_op *op = *state;
    int n, named = 0;
    tally t = {0}, warm = {.failed = 1000}; /* mute */
    test_case *cases = cases_of(op, &n);
    if (n && cases[0].n) try_argument(&warm, &cases[0], 0, NULL, &named); /* what is made once is made */
    for (int k = 0; k < n; k++)
        for (int i = 0; i < cases[k].n && cases[k].kind == CASE_PLAIN && has_dtype(&cases[k], SP_F32); i++) {
            try_argument(&t, &cases[k], i, NULL, &named);
            try_argument(&t, &cases[k], i, SP_NONE, &named);
        }
    free(cases);
    char name[64];
    if (!named) fail_msg("no error names %s", function_of(op, name, sizeof name));
    conclude(&t, &totals.arguments);
}

/* ---- all together ---- */

static void check_list(void)
{
    for (int i = 0; i < sp__n_ops; i++) {
        const sp_op *op = sp__all_ops[i];
        if (!op->samples || !op->samples[0].call) fail_msg("%s has no samples", op->name);
        if (!op->backward != !op->backward_name) fail_msg("%s has half a backward", op->name);
        for (int k = 0; k < i; k++)
            if (!strcmp(op->name, sp__all_ops[k]->name)) fail_msg("two operators are named %s", op->name);
    }
}

static void test_all(void **state)
{
    (void)state;
    printf("# %d operators; compared: %d values, %d layouts, %d special values, %d shapes; %d wrong arguments\n",
           sp__n_ops, totals.values, totals.layouts, totals.specials, totals.shapes, totals.arguments);
    assert_true(sp__n_ops > 0);
    check_list();
    if (unused_exception()) fail_msg("an exception excuses nothing: %s", unused_exception());
}

int main(int argc, char **argv)
{
    static const aspect aspects[] = {
        {.name = "values", .function = test_values},
        {.name = "layouts", .function = test_layouts},
        {.name = "shapes", .function = test_shapes},
        {.name = "special values", .function = test_specials},
        {.name = "wrong arguments", .function = test_arguments},
    };
    if (argc > 1 && !strcmp(argv[1], "--dump")) return cases_dump(stdout), 0;
    return run_loop(argc, argv, aspects, sizeof aspects / sizeof *aspects, test_all);
}
