/* Every operator's gradient by its samples: it and its own gradient against differences, in f64; in other dtypes and on
 * other layouts against contiguous f64's; the same bits, gradients and values, with any number of threads. One test for
 * each operator and aspect. */
#include "support/loop.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct {
    int gradients, floats, threads;
} totals;

/* ---- differences ---- */

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
    make_inputs(c, LAYOUT_CONTIGUOUS, in);
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
    make_inputs(c, how, in);
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
        make_inputs(c, LAYOUT_CONTIGUOUS, in);
        sp_list *wanted = leaves(c, in);
        sp_tensor *y = case_sample(c)->call(in);
        sp_list *results = y ? SP_LIST(y) : NULL;
        sp_list *grads = y && sp_needs_grad(y)
                             ? sp_autograd_grad_with(SP_LIST(y), wanted, SP_LIST(sp_ones_like(y)), .allow_unused = true)
                             : NULL;
        for (int64_t i = 0; i < sp_list_length(grads); i++)
            if (sp_list_get(grads, i) != SP_NONE) sp_list_append(results, sp_list_get(grads, i));
        for (int64_t i = 0; i < sp_list_length(results); i++) {
            sp_tensor *x = sp_list_get(results, i);
            size_t bytes = (size_t)sp_numel(x) * sp_dtype_size(sp_dtype_of(x));
            *out = realloc(*out, total + bytes + 1);
            if (!*out || sp_copy_out(*out + total, x, bytes)) fail_msg("%s", sp_error_message());
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

/* ---- all together ---- */

static void test_all(void **state)
{
    (void)state;
    printf(
        "# %d operators; gradients: %d by differences, %d of other floats and layouts; %d operators with 1, 2, 3 and 8 "
        "threads\n",
        sp__n_ops, totals.gradients, totals.floats, totals.threads);
    assert_true(totals.threads >= sp__n_ops * 3 / 4);
    assert_true(totals.gradients > sp__n_ops);
}

int main(int argc, char **argv)
{
    static const aspect aspects[] = {
        {.name = "gradients by differences", .function = test_gradients, .gradients = true},
        {.name = "gradients of other floats and layouts", .function = test_float_gradients, .gradients = true},
        {.name = "threads", .function = test_threads},
    };
    return run_loop(argc, argv, aspects, sizeof aspects / sizeof *aspects, test_all);
}
