/* Attention at every level against the reference's, forward and backward: blocks and what is left of them, masks of all
 * kinds, dropout, memory in other orders, few heads; the same bits at every level with a fused multiply-add and with any
 * number of threads; against plain operators, which draw the same numbers. */
#include "test_kernels.h"
#include <spusk/spusk.h>

typedef enum mask_kind { NO_MASK, CAUSAL, SEEN, ADDED, FOR_KEYS, MASKS } mask_kind;

typedef struct shape {
    int64_t batch, heads, queries, keys, width, value_width;
} shape;
static const shape shapes[] = {
    {2, 3, 5, 7, 4, 3},      {1, 1, 1, 1, 1, 1},     {1, 2, 64, 64, 32, 32}, {2, 1, 65, 130, 16, 40},
    {1, 1, 130, 67, 48, 16}, {1, 2, 200, 200, 8, 8}, {1, 1, 3, 0, 4, 4},     {1, 1, 0, 3, 4, 4},
    {3, 4, 17, 31, 64, 64},  {1, 1, 70, 600, 5, 33},
};
#define SHAPES (int)(sizeof shapes / sizeof *shapes)

/* y, dq, dk, dv in f64; to be kept. */
typedef struct answers {
    sp_tensor *of[4];
} answers;
static const char *const answer_names[] = {"y", "dq", "dk", "dv"};

/* (N, H, rows, columns), whose heads lie inside of places: the layout that a Linear's result has. */
static sp_tensor *operand_of(int64_t batch, int64_t heads, int64_t rows, int64_t columns, sp_dtype dtype, bool inside)
{
    sp_tensor *x = sp_randn(SP_DIMS(batch, inside ? rows : heads, inside ? heads : rows, columns));
    if (inside) x = sp_transpose(x, 1, 2);
    return sp_requires_grad(sp_detach(sp_cast(x, dtype)));
}

/* Some keys hidden, and from the first query all. */
static sp_tensor *mask_of(mask_kind kind, shape s)
{
    const int64_t queries = kind == FOR_KEYS ? 1 : s.queries;
    sp_tensor *x = sp_randn(SP_DIMS(s.batch, 1, queries, s.keys));
    if (kind != SEEN && kind != ADDED && kind != FOR_KEYS) return NULL;
    if (s.queries > 1 && kind != FOR_KEYS) sp_fill_(sp_select(x, 2, 0), -9);
    sp_tensor *seen = sp_gt_scalar(x, kind == FOR_KEYS ? -1 : 0);
    return kind == ADDED ? sp_masked_fill(x, sp_logical_not(seen), -(double)INFINITY) : seen;
}

static sp_tensor *attend(sp_tensor *const *x, mask_kind kind, sp_tensor *mask, double dropout)
{
    return sp_scaled_dot_product_attention(x[0], x[1], x[2], .attn_mask = mask, .is_causal = kind == CAUSAL,
                                           .dropout_p = dropout);
}

/* From the same seed each time. */
static answers answers_of(shape s, sp_dtype dtype, mask_kind kind, double dropout, bool inside)
{
    answers a = {{0}};
    SP_SCOPE {
        sp_manual_seed(7);
        sp_tensor *x[3] = {operand_of(s.batch, s.heads, s.queries, s.width, dtype, inside),
                           operand_of(s.batch, s.heads, s.keys, s.width, dtype, inside),
                           operand_of(s.batch, s.heads, s.keys, s.value_width, dtype, inside)};
        sp_tensor *g = sp_cast(sp_randn(SP_DIMS(s.batch, s.heads, s.queries, s.value_width)), dtype);
        sp_tensor *y = attend(x, kind, mask_of(kind, s), dropout);
        sp_backward(sp_sum(sp_mul(y, g)));
        assert_int_equal(sp_error_status(), SP_OK);
        for (int i = 0; i < 4; i++)
            a.of[i] = sp_keep(sp_contiguous(sp_cast(i ? sp_grad(x[i - 1]) : sp_detach(y), SP_F64)));
    }
    return a;
}

static void drop(answers *a)
{
    for (int i = 0; i < 4; i++) sp_release(a->of[i]);
}

/* How far the farthest of one is from the other's, over what its largest are. */
static double distance(sp_tensor *a, sp_tensor *b)
{
    const double *x = sp_const_data(a), *y = sp_const_data(b);
    double most = 0, largest = 1e-3;
    for (int64_t i = 0; i < sp_numel(a); i++) {
        const double apart = fabs(x[i] - y[i]);
        if (!(apart <= most)) most = apart; /* NaN too */
        largest = fmax(largest, fabs(y[i]));
    }
    return most / largest;
}

static void check_close(const answers *got, const answers *want, double allowed, const char *what, shape s)
{
    for (int i = 0; i < 4; i++) {
        const double apart = distance(got->of[i], want->of[i]);
        EXPECT(apart <= allowed, "%s: %s of %s, q (%lld, %lld, %lld, %lld), v (%lld, %lld): %g apart", sp_isa(),
               answer_names[i], what, (long long)s.batch, (long long)s.heads, (long long)s.queries, (long long)s.width,
               (long long)s.keys, (long long)s.value_width, apart);
    }
}

/* Each level beside the reference, whose sums are f64. */
static void test_levels_against_the_reference(void **state)
{
    (void)state;
    int compared = 0;
    for (int n = 0; n < SHAPES * MASKS * 2; n++) {
        const shape s = shapes[n / 2 / MASKS];
        const mask_kind kind = (mask_kind)(n / 2 % MASKS);
        const sp_dtype dtype = n % 2 ? SP_BF16 : SP_F32;
        const double dropout = n % 3 == 2 ? 0.3 : 0;
        sp__cpu_set_level("reference");
        answers want = answers_of(s, dtype, kind, dropout, n % 5 < 3);
        FOR_EACH_LEVEL(level)
        {
            answers got = answers_of(s, dtype, kind, dropout, n % 5 < 3);
            check_close(&got, &want, dtype == SP_BF16 ? 1.0 / 64 : 1e-5, dtype_names[dtype], s);
            compared++;
            drop(&got);
        }
        drop(&want);
    }
    sp__cpu_set_level(NULL);
    assert_true(compared >= 2 * SHAPES * MASKS * 2);
}

static bool same_bits(const answers *a, const answers *b)
{
    bool same = true;
    for (int i = 0; i < 4; i++) {
        const size_t bytes = (size_t)sp_numel(a->of[i]) * sizeof(double);
        same = same && (!bytes || !memcmp(sp_const_data(a->of[i]), sp_const_data(b->of[i]), bytes));
    }
    return same;
}

/* Whatever the number of threads, and at each level whose multiply-adds round once. */
static void test_bits(void **state)
{
    (void)state;
    for (int n = 0; n < SHAPES * MASKS; n++) {
        const shape s = shapes[n / MASKS];
        const mask_kind kind = (mask_kind)(n % MASKS);
        bool any = false;
        answers want;
        FOR_EACH_LEVEL(level)
        {
            if (!strcmp(level_names[level], "reference") || !strcmp(level_names[level], "generic")) continue;
            for (int threads = 1; threads < 6; threads += 2) {
                assert_int_equal(sp_set_num_threads(threads), SP_OK);
                answers got = answers_of(s, SP_F32, kind, n % 3 ? 0 : 0.2, n % 2);
                EXPECT(!any || same_bits(&got, &want), "%s with %d threads: other bits in case %d", sp_isa(), threads,
                       n);
                if (any)
                    drop(&got);
                else
                    want = got;
                any = true;
            }
        }
        if (any) drop(&want);
    }
    sp__cpu_set_level(NULL);
    assert_int_equal(sp_set_num_threads(2), SP_OK);
}

/* By plain operators, which a mask with a gradient asks for: the same weights are dropped. */
static void test_dropout_draws_what_plain_operators_draw(void **state)
{
    (void)state;
    const shape s = {2, 2, 70, 67, 8, 8};
    for (int causal = 0; causal < 2; causal++) {
        sp_tensor *gradients[2][4];
        for (int plain = 0; plain < 2; plain++) {
            sp_manual_seed(3);
            sp_tensor *x[3];
            for (int i = 0; i < 3; i++) x[i] = operand_of(2, 2, i ? s.keys : s.queries, 8, SP_F32, false);
            sp_tensor *zeros = sp_zeros(SP_DIMS(s.queries, s.keys));
            if (causal)
                for (int64_t i = 0; i + 1 < s.keys; i++)
                    sp_fill_(sp_slice(sp_select(zeros, 0, i), 0, i + 1, s.keys, 1), -(double)INFINITY);
            if (plain) sp_requires_grad(zeros);
            sp_tensor *y = attend(x, NO_MASK, zeros, 0.4);
            sp_backward(sp_sum(sp_square(y)));
            assert_int_equal(sp_error_status(), SP_OK);
            assert_true(!plain || sp_grad(zeros));
            gradients[plain][0] = sp_cast(sp_detach(y), SP_F64);
            for (int i = 1; i < 4; i++) gradients[plain][i] = sp_cast(sp_grad(x[i - 1]), SP_F64);
        }
        for (int i = 0; i < 4; i++)
            assert_true(distance(sp_contiguous(gradients[0][i]), sp_contiguous(gradients[1][i])) < 1e-5);
    }
}

/* A dropped weight is 0 about as often as asked, the others sum to about as much. */
static void test_dropout_keeps_the_mean(void **state)
{
    (void)state;
    sp_manual_seed(1);
    sp_tensor *zeros = sp_zeros(SP_DIMS(4, 200, 8)), *ones = sp_ones(SP_DIMS(4, 300, 1));
    sp_tensor *y = sp_scaled_dot_product_attention(zeros, sp_zeros(SP_DIMS(4, 300, 8)), ones, .dropout_p = 0.25);
    assert_true(fabs(sp_item(sp_mean(y)) - 1) < 0.01);
    assert_true(sp_item(sp_std(y)) > 0.01);
    sp_tensor *none = sp_scaled_dot_product_attention(zeros, sp_zeros(SP_DIMS(4, 300, 8)), ones, .dropout_p = 1);
    assert_true(sp_item(sp_sum(none)) == 0);
}

/* Its result's memory has the heads of a place side by side, so that joining them copies nothing. */
static void test_heads_are_joined_without_a_copy(void **state)
{
    (void)state;
    sp_tensor *x = sp_randn(SP_DIMS(2, 3, 5, 4));
    sp_tensor *places = sp_transpose(sp_scaled_dot_product_attention(x, x, x), 1, 2);
    assert_true(sp_is_contiguous(places));
}

static void expect_error(sp_tensor *y, sp_status status, const char *words)
{
    assert_null(y);
    assert_int_equal(sp_error_status(), status);
    EXPECT(strstr(sp_error_message(), words), "\"%s\" does not say \"%s\"", sp_error_message(), words);
    sp_error_clear();
}

static void test_errors(void **state)
{
    (void)state;
    sp_tensor *x = sp_randn(SP_DIMS(2, 3, 5, 4)), *mask = sp_ones(SP_DIMS(5, 5), .dtype = SP_BOOL);
    expect_error(sp_scaled_dot_product_attention(x, x, x, .is_causal = true, .attn_mask = mask), SP_ERROR_ARGUMENT,
                 "is_causal");
    expect_error(sp_scaled_dot_product_attention(x, x, x, .dropout_p = 1.5), SP_ERROR_ARGUMENT, "dropout_p");
    expect_error(sp_scaled_dot_product_attention(x, sp_cast(x, SP_F64), x), SP_ERROR_DTYPE, "float64");
    expect_error(sp_scaled_dot_product_attention(x, x, x, .attn_mask = sp_cast(mask, SP_I64)), SP_ERROR_DTYPE, "bool");
    expect_error(sp_scaled_dot_product_attention(x, x, x, .attn_mask = sp_ones(SP_DIMS(4, 5))), SP_ERROR_SHAPE,
                 "attn_mask");
    expect_error(sp_scaled_dot_product_attention(sp_select(sp_select(x, 0, 0), 0, 0), sp_randn(SP_DIMS(5, 4)),
                                                 sp_randn(SP_DIMS(5, 4)), .attn_mask = sp_ones(SP_DIMS(7, 5, 5))),
                 SP_ERROR_SHAPE, "batch");
    expect_error(sp_scaled_dot_product_attention(x, sp_randn(SP_DIMS(5, 3)), x), SP_ERROR_SHAPE, "(…, S, E)");
    expect_error(sp_scaled_dot_product_attention(x, sp_randn(SP_DIMS(4)), x), SP_ERROR_SHAPE, "two dimensions");
    expect_error(sp_scaled_dot_product_attention(x, sp_randn(SP_DIMS(2, 2, 5, 4)), x), SP_ERROR_SHAPE, "2, 2");
    expect_error(sp_scaled_dot_product_attention(x, sp_randn(SP_DIMS(2, 2, 5, 4)), x, .enable_gqa = true),
                 SP_ERROR_SHAPE, "multiple");
    /* A mask that failed is not taken for none. */
    expect_error(sp_scaled_dot_product_attention(x, x, x, .attn_mask = sp_reshape(mask, 7)), SP_ERROR_SHAPE, "reshape");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_levels_against_the_reference),
        cmocka_unit_test(test_bits),
        cmocka_unit_test(test_dropout_draws_what_plain_operators_draw),
        cmocka_unit_test(test_dropout_keeps_the_mean),
        cmocka_unit_test(test_heads_are_joined_without_a_copy),
        cmocka_unit_test(test_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
