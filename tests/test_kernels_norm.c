/* Normalisation by vectors against the reference, at each level: groups side by side, in runs and as rows, of sizes that
 * fill vectors and that do not; the same bits at each level that fuses multiply-adds, and with any number of threads. */
#include "test_kernels.h"

#include "support/support.h"
#include <spusk/spusk.h>

/* ---- cases ---- */

typedef enum arrangement { LAST, FIRST, TURNED, SLICED, ROWS } arrangement;
static const char *const arrangement_names[] = {"channels last", "channels first", "columns and rows turned", "sliced",
                                                "rows"};

typedef struct norm_case {
    arrangement arrangement;
    int64_t n, c, h, w;
} norm_case;
static const norm_case cases[] = {
    {LAST, 3, 1, 4, 5},   {LAST, 4, 3, 4, 8},   {LAST, 3, 8, 6, 5},    {LAST, 2, 15, 3, 3},   {LAST, 7, 16, 9, 5},
    {LAST, 9, 17, 5, 1},  {LAST, 4, 20, 2, 2},  {LAST, 2, 35, 40, 30}, {LAST, 33, 64, 8, 8},  {LAST, 19, 700, 1, 1},
    {LAST, 1, 7, 3, 5},   {FIRST, 3, 4, 5, 7},  {FIRST, 1, 3, 40, 33}, {FIRST, 5, 2, 16, 16}, {FIRST, 2, 9, 13, 1},
    {FIRST, 6, 5, 7, 7},  {TURNED, 3, 5, 4, 6}, {SLICED, 3, 6, 4, 5},  {ROWS, 1, 5, 1, 1},    {ROWS, 9, 1, 1, 16},
    {ROWS, 1, 8, 1, 192}, {ROWS, 1, 21, 1, 35}, {ROWS, 1, 3, 1, 1000}, {ROWS, 1, 40, 1, 1500}};
enum { CASES = sizeof cases / sizeof *cases };

/* Whole numbers about 100, in memory as the case says. */
static sp_tensor *numbers(const norm_case *k, sp_dtype dtype)
{
    const int64_t n = k->n, c = k->c, h = k->h, w = k->w;
    const int64_t turned[] = {n, w, h, c}, last[] = {n, h, w, c}, sliced[] = {n, 2 * c, h, w}, first[] = {n, c, h, w};
    const int64_t *const sizes[] = {last, first, turned, sliced, first};
    sp_tensor *x = (sp_empty)((sp_dims){sizes[k->arrangement], 4}, NULL);
    float *values = sp_data(x);
    uint64_t state = 5;
    for (int64_t i = 0; i < sp_numel(x); i++) values[i] = (float)floor(next_number(&state, 96, 105));
    sp_data_end(x);
    x = sp_cast(x, dtype);
    if (k->arrangement == LAST) return sp_permute(x, 0, 3, 1, 2);
    if (k->arrangement == TURNED) return sp_permute(x, 0, 3, 2, 1);
    return k->arrangement == SLICED ? sp_slice(x, 1, 0, 2 * c, 2) : x;
}

/* ---- all that is computed ---- */

enum { PARTS = 4 };
static const char *const part_names[PARTS] = {"y", "dx", "dweight", "dbias"};
typedef struct normal {
    sp_tensor *part[PARTS];
} normal;

static sp_tensor *parameter(int64_t n, double first, sp_dtype dtype)
{
    return sp_requires_grad(sp_detach(sp_cast(sp_add_scalar(sp_mul_scalar(sp_arange(0.0, (double)n, 1.0), 0.25), first),
                                              dtype == SP_BF16 ? SP_F32 : dtype)));
}

static normal normalized(sp_tensor *x, arrangement how, bool given)
{
    const bool rows = how == ROWS;
    const int64_t n = sp_size(x, rows ? 3 : 1);
    const sp_dtype dtype = sp_dtype_of(x);
    sp_tensor *weight = parameter(n, 0.5, dtype), *bias = parameter(n, -1, dtype);
    sp_tensor *mean = given ? sp_detach(sp_cast(sp_full(SP_DIMS(n), 99.5), dtype)) : SP_NONE;
    sp_tensor *var = given ? sp_detach(sp_cast(sp_full(SP_DIMS(n), 2.25), dtype)) : SP_NONE;
    sp_tensor *g = sp_square(sp_sub_scalar(x, 99));
    x = sp_requires_grad(sp_detach(x));
    sp_tensor *y = rows ? sp_layer_norm(x, SP_DIMS(n), weight, bias)
                        : sp_batch_norm(x, mean, var, weight, bias, .training = !given);
    sp_list *grads = sp_autograd_grad_with(SP_LIST(y), SP_LIST(x, weight, bias), SP_LIST(g));
    if (!grads) fail_msg("%s", sp_error_message());
    return (normal){{sp_detach(y), sp_list_get(grads, 0), sp_list_get(grads, 1), sp_list_get(grads, 2)}};
}

static void assert_normal(const normal *got, const normal *model, const norm_case *k, sp_dtype dtype)
{
    const double rounding = dtype == SP_F64 ? 1e-13 : dtype == SP_F32 ? 1e-6 : 1.6e-2;
    for (int i = 0; i < PARTS; i++) {
        const double scale = sp_item(sp_max(sp_abs(model->part[i])));
        EXPECT(
            sp_allclose(got->part[i], model->part[i], .rtol = 5 * rounding, .atol = sp_exactly(2 * rounding * scale)),
            "%s, %s: %s of %s (%lld, %lld, %lld, %lld)", sp_isa(), sp_dtype_name(dtype), part_names[i],
            arrangement_names[k->arrangement], (long long)k->n, (long long)k->c, (long long)k->h, (long long)k->w);
    }
}

static bool same_bits(sp_tensor *a, sp_tensor *b)
{
    sp_tensor *x = sp_contiguous(sp_clone(a)), *y = sp_contiguous(sp_clone(b));
    return !memcmp(sp_const_data(x), sp_const_data(y), (size_t)sp_numel(x) * sp_dtype_size(sp_dtype_of(x)));
}

static bool same_normal(const normal *a, const normal *b)
{
    bool same = true;
    for (int i = 0; i < PARTS; i++) same &= same_bits(a->part[i], b->part[i]);
    return same;
}

/* ---- levels ---- */

static bool fuses(void)
{
    return strcmp(sp_isa(), "reference") != 0 && strcmp(sp_isa(), "generic") != 0;
}

static void compare(const norm_case *k, sp_dtype dtype, bool given, int *compared)
{
    sp_tensor *x = numbers(k, dtype);
    assert_true(sp__cpu_set_level("reference"));
    const normal model = normalized(x, k->arrangement, given);
    normal first = {{NULL}};
    FOR_EACH_LEVEL(level)
    {
        const normal own = normalized(x, k->arrangement, given);
        assert_normal(&own, &model, k, dtype);
        if (!fuses() || dtype == SP_BF16) continue;
        if (first.part[0])
            EXPECT(same_normal(&own, &first), "%s has other bits in case %d", sp_isa(), (int)(k - cases));
        first = own;
        ++*compared;
    }
    sp__cpu_set_level(NULL);
}

static void test_levels(void **state)
{
    (void)state;
    static const sp_dtype dtypes[] = {SP_F32, SP_F64, SP_BF16};
    int compared = 0;
    for (int i = 0; i < CASES; i++)
        for (int d = 0; d < 3; d++)
            for (int given = 0; given < (cases[i].arrangement == ROWS ? 1 : 2); given++)
                SP_SCOPE {
                    compare(&cases[i], dtypes[d], given, &compared);
                }
    assert_true(compared >= CASES);
    assert_no_error();
}

/* ---- numbers that one pass about the first does not serve ---- */

static void set_first(sp_tensor *x, double value)
{
    float *values = sp_data(x);
    values[0] = (float)value;
    sp_data_end(x);
}

static void test_first_far_from_mean(void **state)
{
    (void)state;
    static const double firsts[] = {1e6, -1e6, INFINITY, NAN};
    sp_tensor *x = sp_randn(SP_DIMS(400, 64));
    for (int i = 0; i < 4; i++)
        SP_SCOPE {
            set_first(x, firsts[i]);
            for (int rows = 0; rows < 2; rows++) {
                sp_tensor *a = sp_reshape(x, rows ? 1 : 400, rows ? 400 : 64, 1, rows ? 64 : 1);
                assert_true(sp__cpu_set_level("reference"));
                const normal model = normalized(a, rows ? ROWS : FIRST, false);
                sp__cpu_set_level(NULL);
                const normal own = normalized(a, rows ? ROWS : FIRST, false);
                EXPECT(sp_allclose(own.part[0], model.part[0], .rtol = 1e-5, .atol = 1e-5, .equal_nan = true),
                       "where the first is %g", firsts[i]);
            }
        }
    assert_no_error();
}

/* A mean a thousand deviations away from 0 costs no accuracy. */
static void test_far_from_zero(void **state)
{
    (void)state;
    sp_tensor *x = sp_add_scalar(sp_randn(SP_DIMS(500, 16), .dtype = SP_F64), 1000), *narrow = sp_cast(x, SP_F32);
    sp_tensor *y = sp_batch_norm(narrow, SP_NONE, SP_NONE, SP_NONE, SP_NONE, .training = true);
    sp_tensor *model = sp_batch_norm(sp_cast(narrow, SP_F64), SP_NONE, SP_NONE, SP_NONE, SP_NONE, .training = true);
    assert_true(sp_allclose(sp_cast(y, SP_F64), model, .rtol = 1e-5, .atol = 5e-5));
    assert_no_error();
}

/* ---- threads ---- */

static void test_threads_change_no_bit(void **state)
{
    (void)state;
    static const norm_case large[] = {
        {LAST, 9, 35, 40, 42}, {LAST, 64, 8, 28, 28}, {FIRST, 9, 35, 40, 42}, {ROWS, 1, 700, 1, 192}};
    const int before = sp_num_threads();
    for (int i = 0; i < 4; i++)
        SP_SCOPE {
            sp_tensor *x = numbers(&large[i], SP_F32);
            sp_set_num_threads(1);
            const normal alone = normalized(x, large[i].arrangement, false);
            for (int threads = 2; threads <= 5; threads++) {
                sp_set_num_threads(threads);
                const normal team = normalized(x, large[i].arrangement, false);
                EXPECT(same_normal(&team, &alone), "%d threads, case %d", threads, i);
            }
        }
    sp_set_num_threads(before);
    assert_no_error();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        sp_test(test_levels),
        sp_test(test_first_far_from_mean),
        sp_test(test_far_from_zero),
        sp_test(test_threads_change_no_bit),
    };
    return sp_test_main(tests);
}
