/* Every operator by its samples: the value against PyTorch's in every dtype, on every layout, with special values, mixed
 * dtypes and wrong shapes; the gradient and its gradient against differences; other floats' gradients against f64's;
 * arguments that are no tensors; the same bits with any number of threads. One test for each operator and aspect.
 *
 * `test_operators --dump` prints the cases for tools/fixtures_operators.py. */
#include "support/support.h"
#include "support/fixture.h"
#include "backends/cpu/cpu.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- where we differ from PyTorch on purpose ---- */

typedef enum difference {
    ACCEPTS,  /* what PyTorch refuses */
    REFUSES,  /* what PyTorch accepts */
    DIFFERS,  /* in the value */
    GRADIENT, /* differs, at special points */
} difference;

static const struct {
    const char *op;
    difference what;
    int kind;       /* a case_kind; -1: any */
    sp_dtype dtype; /* of any input; default: any */
    const char *why;
} exceptions[] = {
    {"all", DIFFERS, -1, SP_U8, "PyTorch's answer is u8 for u8 alone; here it is bool always"},
    {"any", DIFFERS, -1, SP_U8, "PyTorch's answer is u8 for u8 alone; here it is bool always"},
    {"cat", REFUSES, CASE_SHAPE, SP_F32, "PyTorch joins a 1-d tensor of size 0 with anything, for old programs' sake"},
    {"clamp", ACCEPTS, CASE_PLAIN, SP_U8, "PyTorch wants crossed bounds to fit the dtype; here any bounds do"},
    {"binary_cross_entropy", ACCEPTS, CASE_MIXED, SP_DTYPE_DEFAULT, "dtypes are promoted, as everywhere"},
    {"binary_cross_entropy", ACCEPTS, CASE_SPECIAL, SP_DTYPE_DEFAULT, "probabilities are not read twice to check them"},
    {"binary_cross_entropy_with_logits", ACCEPTS, CASE_MIXED, SP_DTYPE_DEFAULT, "dtypes are promoted, as everywhere"},
    {"binary_cross_entropy_with_logits", DIFFERS, CASE_MIXED, SP_DTYPE_DEFAULT, "dtypes are promoted, as everywhere"},
    {"elu", GRADIENT, CASE_SPECIAL, SP_DTYPE_DEFAULT, "PyTorch's vector and scalar loops differ at NaN"},
    {"gather", REFUSES, CASE_SHAPE, SP_DTYPE_DEFAULT, "PyTorch does not look at the shape of an empty index"},
    {"kl_div", ACCEPTS, CASE_MIXED, SP_DTYPE_DEFAULT, "dtypes are promoted, as everywhere"},
    {"kl_div", GRADIENT, CASE_SPECIAL, SP_DTYPE_DEFAULT, "PyTorch gives NaN where the target is 0"},
    {"l1_loss", REFUSES, -1, SP_I64, "a loss is floating point; PyTorch asks that of the mean alone"},
    {"l1_loss", REFUSES, -1, SP_I32, "a loss is floating point; PyTorch asks that of the mean alone"},
    {"l1_loss", REFUSES, -1, SP_U8, "a loss is floating point; PyTorch asks that of the mean alone"},
    {"log_softmax_backward", REFUSES, CASE_SHAPE, SP_DTYPE_DEFAULT, "PyTorch reads past the end of what is too small"},
    {"mse_loss", REFUSES, CASE_MIXED, SP_BOOL, "bool tensors have no difference"},
    {"smooth_l1_loss", REFUSES, CASE_MIXED, SP_BOOL, "bool tensors have no difference"},
    {"where", REFUSES, CASE_MIXED, SP_U8, "PyTorch takes a u8 mask still, with a warning"},
    {"gelu", DIFFERS, CASE_SPECIAL, SP_F32, "PyTorch's vector loop gives NaN for infinity; its f64 is right"},
    {"linear", REFUSES, CASE_SHAPE, SP_F32, "a bias has a number for each output; PyTorch repeats one number"},
    {"prod", GRADIENT, CASE_SPECIAL, SP_DTYPE_DEFAULT, "with two zeros PyTorch does not look at an infinity's share"},
    {"relu_backward", REFUSES, -1, SP_I64, "gradients are floating point"},
    {"relu_backward", REFUSES, -1, SP_I32, "gradients are floating point"},
    {"relu_backward", REFUSES, -1, SP_U8, "gradients are floating point"},
    {"var", GRADIENT, CASE_SPECIAL, SP_DTYPE_DEFAULT, "one element's variance is NaN, and so is its gradient"},
};

static bool has_dtype(const test_case *c, sp_dtype dtype)
{
    for (int i = 0; i < c->n; i++)
        if (c->inputs[i].dtype == dtype) return true;
    return dtype == SP_DTYPE_DEFAULT;
}

static bool is_exception(const test_case *c, difference what)
{
    for (size_t k = 0; k < sizeof exceptions / sizeof *exceptions; k++)
        if (!strcmp(exceptions[k].op, c->op->name) && exceptions[k].what == what &&
            (exceptions[k].kind < 0 || exceptions[k].kind == (int)c->kind) && has_dtype(c, exceptions[k].dtype))
            return true;
    return false;
}

/* PyTorch does not look at the dtype of what has no elements; here dtypes alone decide. */
static bool is_empty_of_wrong_dtype(const test_case *c)
{
    bool empty = false;
    for (int i = 0; i < c->n; i++)
        for (int d = 0; d < c->inputs[i].ndim; d++) empty |= c->inputs[i].sizes[d] == 0;
    return empty && sp_error_status() == SP_ERROR_DTYPE;
}

/* A view can be of some layouts only: PyTorch, too, refuses the others. */
static bool is_impossible_view(const test_case *c, layout how)
{
    return how != LAYOUT_CONTIGUOUS && !c->op->forward && strstr(sp_error_message(), "without a copy");
}

/* ---- counting ---- */

typedef struct tally {
    int run, failed;
} tally;

static struct {
    int values, layouts, specials, shapes, gradients, floats, arguments, threads;
} totals;

static void complain(tally *t, const test_case *c, const char *format, ...) SP_PRINTF(3, 4);
static void complain(tally *t, const test_case *c, const char *format, ...)
{
    char text[600];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (t->failed++ < 8) print_error("%s: %s\n", case_text(c), text);
}

/* A loop that ran nothing fails. */
static void conclude(const tally *t, int *total)
{
    sp_error_clear();
    *total += t->run;
    if (t->failed) fail_msg("%d of %d cases failed", t->failed, t->run);
    if (!t->run) fail_msg("there was nothing to run");
}

typedef void case_function(tally *t, const test_case *c, const fixture_record *record);

/* Runs a function on the cases of an operator that are of a kind, with their records. */
static void for_cases(const sp_op *op, tally *t, unsigned kinds, case_function *function)
{
    int n;
    test_case *cases = cases_of(op, &n);
    fixture f = fixture_open(op, cases, n);
    for (int i = 0; i < n; i++)
        if (kinds >> cases[i].kind & 1) {
            SP_SCOPE {
                function(t, &cases[i], &f.records[i]);
            }
        }
    fixture_close(&f);
    free(cases);
}

/* The same with the kernels of each ISA level that this machine has, the reference's first. */
static void for_levels(const sp_op *op, tally *t, unsigned kinds, case_function *function)
{
    static const char *const levels[] = {"reference", "generic", "avx2", "avx512", "avx512bf16", "neon"};
    int used = 0;
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        if (!sp__cpu_set_level(levels[i])) continue;
        for_cases(op, t, kinds, function);
        used++;
    }
    sp__cpu_set_level(NULL);
    assert_true(used >= 2);
}

/* ---- values ---- */

/* NULL, an error, and words that name a function. */
static void check_refused(tally *t, const test_case *c, const sp_tensor *y)
{
    if (y) complain(t, c, "PyTorch refuses it, and here it gives %s %s", sp_dtype_name(sp_dtype_of(y)), sp__shape_of(y));
    else if (!sp_error_status()) complain(t, c, "NULL without an error");
    else if (!strstr(sp_error_message(), "sp_")) complain(t, c, "the error names no function: %s", sp_error_message());
}

static void check_value(tally *t, const test_case *c, sp_tensor *y, const fixture_tensor *expected)
{
    char why[200];
    tolerance allowed = tolerance_of(expected->dtype);
    if (!y) complain(t, c, "%s", sp_error_message());
    else if (!fixture_matches(expected, y, allowed, why, sizeof why)) complain(t, c, "%s", why);
}

static void check_answer(tally *t, const test_case *c, sp_tensor *y, const fixture_record *record)
{
    t->run++;
    if (record->n == 0 && !is_exception(c, ACCEPTS)) check_refused(t, c, y);
    bool may_refuse = !y && (is_exception(c, REFUSES) || is_empty_of_wrong_dtype(c));
    if (record->n > 0 && !may_refuse && !is_exception(c, DIFFERS))
        check_value(t, c, y, &record->tensors[0]);
    sp_error_clear();
}

static void value_on(tally *t, const test_case *c, const fixture_record *record, layout how)
{
    sp_tensor *in[CASE_MAX_INPUTS];
    if (!case_inputs(c, how, in)) fail_msg("no inputs: %s", sp_error_message());
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
    if (!case_inputs(c, LAYOUT_EXPANDED, in)) fail_msg("no inputs: %s", sp_error_message());
    for (int i = 0; i < c->n; i++) copies[i] = sp_clone(in[i]);
    sp_tensor *expected = case_sample(c)->call(copies), *y = case_sample(c)->call(in);
    t->run++;
    if (!expected != !y && !is_impossible_view(c, LAYOUT_EXPANDED)) complain(t, c, "expanded inputs matter: %s", sp_error_message());
    else if (y && !tensors_match(expected, y, tolerance_of(sp_dtype_of(y)), why, sizeof why))
        complain(t, c, "expanded: %s", why);
    sp_error_clear();
}

static void try_layouts(tally *t, const test_case *c, const fixture_record *record)
{
    value_on(t, c, record, LAYOUT_TRANSPOSED);
    value_on(t, c, record, LAYOUT_SLICED);
    try_expanded(t, c);
}

static void test_layouts(void **state)
{
    tally t = {0};
    for_levels(*state, &t, 1u << CASE_PLAIN, try_layouts);
    conclude(&t, &totals.layouts);
}

/* ---- gradients ---- */

/* Marks the inputs to differentiate; returns them as a list. */
static sp_list *leaves(const test_case *c, sp_tensor *const *in)
{
    sp_list *list = sp_list_new(NULL, 0);
    for (int i = 0; i < c->n; i++)
        if (c->inputs[i].grad) sp_list_append(list, sp_requires_grad(in[i]));
    return list;
}

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
    if (!case_inputs(c, LAYOUT_CONTIGUOUS, in)) fail_msg("no inputs: %s", sp_error_message());
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

static sp_tensor *call_sample(sp_tensor *const *in, void *user)
{
    const sp_sample *const *sample = user;
    return (*sample)->call(in);
}

/* Whether a case is the sample in that dtype, with something to differentiate. */
static bool is_differentiable(const test_case *c, sp_dtype dtype)
{
    bool any = false, all = true;
    for (int i = 0; i < c->n; i++) {
        any |= c->inputs[i].grad;
        all &= case_sample(c)->inputs[i].dtype || c->inputs[i].dtype == dtype;
    }
    return c->kind == CASE_PLAIN && any && all;
}

static void try_differences(tally *t, const test_case *c)
{
    sp_tensor *in[CASE_MAX_INPUTS];
    if (!case_inputs(c, LAYOUT_CONTIGUOUS, in)) fail_msg("no inputs: %s", sp_error_message());
    leaves(c, in);
    const sp_sample *sample = case_sample(c);
    sp_list *inputs = sp_list_new(in, c->n);
    t->run++;
    if (!sp_gradcheck(call_sample, inputs, &sample)) complain(t, c, "%s", sp_error_message());
    sp_error_clear();
    if (!sp_gradgradcheck(call_sample, inputs, &sample)) complain(t, c, "second: %s", sp_error_message());
    sp_error_clear();
}

typedef void gradient_function(tally *t, const test_case *c);

static void for_differentiable(const sp_op *op, tally *t, sp_dtype dtype, gradient_function *function)
{
    int n;
    test_case *cases = cases_of(op, &n);
    for (int i = 0; i < n; i++)
        if (is_differentiable(&cases[i], dtype)) {
            SP_SCOPE {
                function(t, &cases[i]);
            }
        }
    free(cases);
}

static void test_gradients(void **state)
{
    tally t = {0};
    for_differentiable(*state, &t, SP_F64, try_differences);
    conclude(&t, &totals.gradients);
}

/* ---- other floats' gradients, and other layouts', against those of contiguous f64 ---- */

/* Gradients of Σ w·y, w irregular and exact in y's dtype. */
static sp_list *weighted_gradients(const test_case *c, sp_tensor *const *in, sp_dtype rounding)
{
    sp_list *wanted = leaves(c, in);
    sp_tensor *y = case_sample(c)->call(in);
    if (!y || !sp_needs_grad(y)) return NULL;
    sp_tensor *w = sp_empty(sp_sizes(y), .dtype = SP_F64);
    double *values = sp_data(w);
    for (int64_t i = 0; i < sp_numel(w); i++) values[i] = 0.5 + fmod(0.6180339887498949 * (double)(i + 1), 1.0);
    w = sp_cast(sp_cast(w, rounding), sp_dtype_of(y));
    return sp_autograd_grad_with(SP_LIST(y), wanted, SP_LIST(w), .allow_unused = true);
}

static void check_close(tally *t, const test_case *c, int i, sp_tensor *exact, sp_tensor *grad, sp_dtype dtype)
{
    static const tolerance allowed[SP_DTYPE_COUNT] = {
        [SP_F64] = {1e-12, 1e-12}, [SP_F32] = {2e-5, 1e-5}, [SP_BF16] = {0.04, 0.04}};
    char why[200];
    if ((exact == SP_NONE) != (grad == SP_NONE)) complain(t, c, "input %d has a gradient in one dtype only", i);
    if (exact == SP_NONE || grad == SP_NONE) return;
    sp_dtype own = sp_dtype_of(grad), coarser = allowed[own].relative > allowed[dtype].relative ? own : dtype;
    if (own != c->inputs[i].dtype) complain(t, c, "the gradient of input %d has another dtype", i);
    if (!tensors_match(exact, sp_cast(grad, SP_F64), allowed[coarser], why, sizeof why))
        complain(t, c, "gradient of input %d: %s", i, why);
}

static void compare_gradients(tally *t, const test_case *c, sp_dtype dtype, layout how)
{
    sp_tensor *in[CASE_MAX_INPUTS], *exact[CASE_MAX_INPUTS];
    if (!case_inputs(c, how, in)) fail_msg("no inputs: %s", sp_error_message());
    for (int i = 0; i < c->n; i++) exact[i] = c->inputs[i].grad ? sp_cast(sp_clone(in[i]), SP_F64) : in[i];
    sp_list *grads = weighted_gradients(c, in, dtype), *models = weighted_gradients(c, exact, dtype);
    t->run++;
    if ((!grads || !models) && !is_impossible_view(c, how)) complain(t, c, "no gradients: %s", sp_error_message());
    for (int i = 0, k = 0; i < c->n && grads && models; i++)
        if (c->inputs[i].grad) {
            check_close(t, c, i, sp_list_get(models, k), sp_list_get(grads, k), dtype);
            k++;
        }
    sp_error_clear();
}

static void try_f64(tally *t, const test_case *c)
{
    for (int how = LAYOUT_TRANSPOSED; how < LAYOUT_COUNT; how++) compare_gradients(t, c, SP_F64, (layout)how);
}

static void try_f32(tally *t, const test_case *c)
{
    for (int how = 0; how < LAYOUT_COUNT; how++) compare_gradients(t, c, SP_F32, (layout)how);
}

static void try_bf16(tally *t, const test_case *c)
{
    compare_gradients(t, c, SP_BF16, LAYOUT_CONTIGUOUS);
}

static void test_float_gradients(void **state)
{
    tally t = {0};
    for_differentiable(*state, &t, SP_F64, try_f64);
    for_differentiable(*state, &t, SP_F32, try_f32);
    for_differentiable(*state, &t, SP_BF16, try_bf16);
    conclude(&t, &totals.floats);
}

/* ---- arguments that are no tensors ---- */

/* NULL or SP_NONE as input i must be refused, by name, without a leak. */
static void try_argument(tally *t, const test_case *c, int i, sp_tensor *wrong, int *named)
{
    char name[64];
    snprintf(name, sizeof name, "sp_%s", c->op->name);
    bool may_be_none = wrong == SP_NONE && i < 32 && c->op->optional >> i & 1;
    int64_t live = sp_memory().live_count;
    SP_SCOPE {
        sp_tensor *in[CASE_MAX_INPUTS];
        if (!case_inputs(c, LAYOUT_CONTIGUOUS, in)) fail_msg("no inputs: %s", sp_error_message());
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
    if (!named) fail_msg("no error names sp_%s", op->name);
    conclude(&t, &totals.arguments);
}

/* ---- threads ---- */

/* The case with its sizes multiplied so that kernels cut the work; false when that is not possible. */
static bool enlarge(test_case *c)
{
    double largest = 0, factor = 1;
    int dims = 0;
    for (int i = 0; i < c->n; i++) {
        double elements = 1;
        int longer = 0;
        for (int d = 0; d < c->inputs[i].ndim; d++) {
            elements *= (double)c->inputs[i].sizes[d];
            longer += c->inputs[i].sizes[d] > 1;
        }
        if (elements <= largest) continue;
        largest = elements;
        dims = longer;
    }
    if (largest < 2) return false;
    factor = floor(pow(150000 / largest, 1.0 / dims));
    for (int i = 0; i < c->n; i++)
        for (int d = 0; d < c->inputs[i].ndim; d++)
            if (c->inputs[i].sizes[d] > 1) c->inputs[i].sizes[d] *= (int64_t)factor;
    return true;
}

/* The value and the gradients, one after the other, as bytes; 0 when the operator does not take these shapes. */
static size_t all_bytes(const test_case *c, int threads, unsigned char **out)
{
    size_t total = 0;
    *out = NULL;
    if (sp_set_num_threads(threads)) fail_msg("%s", sp_error_message());
    SP_SCOPE {
        sp_tensor *in[CASE_MAX_INPUTS];
        if (!case_inputs(c, LAYOUT_CONTIGUOUS, in)) fail_msg("no inputs: %s", sp_error_message());
        sp_list *wanted = leaves(c, in);
        sp_tensor *y = case_sample(c)->call(in);
        sp_list *results = y ? SP_LIST(y) : NULL;
        sp_list *grads = y && sp_needs_grad(y) ? sp_autograd_grad_with(SP_LIST(y), wanted, SP_LIST(sp_ones_like(y)),
                                                                      .allow_unused = true)
                                               : NULL;
        for (int64_t i = 0; i < sp_list_size(grads); i++)
            if (sp_list_get(grads, i) != SP_NONE) sp_list_append(results, sp_list_get(grads, i));
        for (int64_t i = 0; i < sp_list_size(results); i++) {
            sp_tensor *x = sp_list_get(results, i);
            size_t bytes = (size_t)sp_numel(x) * sp_dtype_size(sp_dtype_of(x));
            *out = realloc(*out, total + bytes + 1);
            if (!*out || sp_copy_out(x, *out + total, bytes)) fail_msg("%s", sp_error_message());
            total += bytes;
        }
    }
    sp_error_clear();
    return total;
}

static void try_threads(tally *t, const test_case *c)
{
    static const int counts[] = {2, 3, 8};
    unsigned char *one, *many;
    size_t bytes = all_bytes(c, 1, &one);
    for (int k = 0; bytes && k < 3; k++) {
        t->run++;
        size_t again = all_bytes(c, counts[k], &many);
        if (again != bytes || memcmp(one, many, bytes) != 0) complain(t, c, "%d threads give other bits", counts[k]);
        free(many);
    }
    free(one);
}

/* Shapes that attributes tie down cannot be enlarged, so an operator may run none here; that all together run is
 * checked at the end. */
static void test_threads(void **state)
{
    int n, before = sp_num_threads();
    tally t = {0};
    test_case *cases = cases_of(*state, &n);
    for (int i = 0; i < n; i++) {
        bool first = cases[i].kind == CASE_PLAIN && (has_dtype(&cases[i], SP_F32) || has_dtype(&cases[i], SP_BF16));
        if (first && t.run < 6 && enlarge(&cases[i])) try_threads(&t, &cases[i]);
    }
    free(cases);
    sp_set_num_threads(before);
    totals.threads += t.run > 0;
    if (t.failed) fail_msg("%d of %d cases failed", t.failed, t.run);
}

/* ---- the loop itself ---- */

static void test_list(void **state)
{
    (void)state;
    assert_true(sp__n_ops > 0);
    for (int i = 0; i < sp__n_ops; i++) {
        const sp_op *op = sp__all_ops[i];
        if (!op->samples || !op->samples[0].call) fail_msg("%s has no samples", op->name);
        if (!op->backward != !op->backward_name) fail_msg("%s has half a backward", op->name);
        for (int k = 0; k < i; k++)
            if (!strcmp(op->name, sp__all_ops[k]->name)) fail_msg("two operators are named %s", op->name);
    }
}

static void test_totals(void **state)
{
    (void)state;
    printf("# %d operators; compared: %d values, %d layouts, %d special values, %d shapes; gradients: %d by differences, "
           "%d of other floats and layouts; %d wrong arguments; %d operators with 1, 2, 3 and 8 threads\n",
           sp__n_ops, totals.values, totals.layouts, totals.specials, totals.shapes, totals.gradients, totals.floats,
           totals.arguments, totals.threads);
    assert_true(totals.threads >= sp__n_ops * 3 / 4);
    assert_true(totals.gradients > sp__n_ops);
}

static void add_test(struct CMUnitTest *test, const char *aspect, const sp_op *op, CMUnitTestFunction function)
{
    static char names[2000][64];
    static int used;
    char *name = names[used++ % 2000];
    snprintf(name, sizeof names[0], "%s: %s", op->name, aspect);
    *test = (struct CMUnitTest){name, function, support_setup, support_teardown, (void *)(uintptr_t)op};
}

static int add_tests(struct CMUnitTest *tests, const sp_op *op)
{
    int n = 0;
    add_test(&tests[n++], "values", op, test_values);
    add_test(&tests[n++], "layouts", op, test_layouts);
    add_test(&tests[n++], "shapes", op, test_shapes);
    add_test(&tests[n++], "special values", op, test_specials);
    add_test(&tests[n++], "wrong arguments", op, test_arguments);
    add_test(&tests[n++], "threads", op, test_threads);
    if (!op->backward) return n;
    add_test(&tests[n++], "gradients by differences", op, test_gradients);
    add_test(&tests[n++], "gradients of other floats and layouts", op, test_float_gradients);
    return n;
}

int main(int argc, char **argv)
{
    if (argc > 1 && !strcmp(argv[1], "--dump")) return cases_dump(stdout), 0;
    size_t n = 0;
    struct CMUnitTest *tests = calloc(8 * (size_t)sp__n_ops + 2, sizeof *tests);
    if (!tests) return 1;
    tests[n++] = (struct CMUnitTest)sp_test(test_list);
    for (int i = 0; i < sp__n_ops; i++) {
        const sp_op *op = sp__all_ops[i];
        bool chosen = argc < 2;
        for (int k = 1; k < argc; k++) chosen |= !strcmp(argv[k], op->name);
        if (chosen && op->samples) n += (size_t)add_tests(tests + n, op);
    }
    if (argc < 2) tests[n++] = (struct CMUnitTest)sp_test(test_totals);
    cmocka_set_message_output(CM_OUTPUT_TAP);
    int failed = _cmocka_run_group_tests(__FILE__, tests, n, NULL, NULL);
    free(tests);
    return failed;
}
