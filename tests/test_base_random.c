/* Random numbers: the published known answers, fixed values, moments. */
#include "base/base.h"
#include "support/support.h"
#include <math.h>
#include <pthread.h>
#include <string.h>

/* Random123's kat_vectors, philox4x32 with 10 rounds: counter, key, answer. */
static void test_known_answers(void **state)
{
    (void)state;
    static const uint32_t vectors[3][10] = {
        {0, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8},
        {~0u, ~0u, ~0u, ~0u, ~0u, ~0u, 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd},
        {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0, 0xd16cfe09, 0x94fdcceb, 0x5001e420,
         0x24126ea1},
    };
    for (int i = 0; i < 3; i++) {
        uint32_t out[4];
        sp_philox(out, vectors[i], vectors[i] + 4);
        assert_memory_equal(out, vectors[i] + 6, sizeof out);
    }
}

static void test_a_block_is_the_position_under_the_seed(void **state)
{
    (void)state;
    uint32_t a[4], b[4];
    sp__generator_block(0x299f31d0a4093822u, 0x85a308d3243f6a88u, a);
    sp_philox(b, (const uint32_t[4]){0x243f6a88, 0x85a308d3, 0, 0}, (const uint32_t[2]){0xa4093822, 0x299f31d0});
    assert_memory_equal(a, b, sizeof a);
    sp_generator *g = sp_generator_new(7);
    assert_int_equal(sp_generator_set_position(g, 41), SP_OK);
    uint32_t word = sp_generator_u32(g);
    sp__generator_block(7, 41, a);
    assert_int_equal(word, a[0]);
    assert_int_equal(sp_generator_position(g), 42);
    assert_int_equal(sp__generator_take(g, 10), 42);
    assert_int_equal(sp_generator_position(g), 52);
    assert_int_equal(sp_generator_initial_seed(g), 7);
}

static void test_seed_and_position_are_the_whole_state(void **state)
{
    (void)state;
    sp_generator *a = sp_generator_new(3), *b = sp_generator_new(0);
    sp_generator_u32(a);
    sp_generator_normal(a);
    sp_generator_below(a, 10);
    sp_generator_manual_seed(b, sp_generator_initial_seed(a));
    sp_generator_set_position(b, sp_generator_position(a));
    for (int i = 0; i < 100; i++) {
        assert_int_equal(sp_generator_u32(a), sp_generator_u32(b));
        assert_true(sp_generator_uniform(a) == sp_generator_uniform(b));
        assert_int_equal(sp_generator_below(a, 1000), sp_generator_below(b, 1000));
    }
    sp_generator_manual_seed(a, 3);
    assert_int_equal(sp_generator_position(a), 0);
}

static void test_uniform_numbers(void **state)
{
    (void)state;
    assert_true(sp__uniform_f64(0, 0) == 0);
    assert_true(sp__uniform_f64(~0u, ~0u) == 1 - 0x1p-53);
    assert_true(sp__uniform_f64(0x80000000u, 0) == 0.5);
    assert_true(sp__uniform_f64(0, 0x800) == 0x1p-53);
    assert_true(sp__uniform_f32(~0u) == 1 - 0x1p-24f);
    assert_true(sp__uniform_f32(0x100) == 0x1p-24f);
    sp_generator *g = sp_generator_new(1);
    double sum = 0, squares = 0;
    enum { N = 100000 };
    for (int i = 0; i < N; i++) {
        double u = sp_generator_uniform(g);
        assert_true(u >= 0 && u < 1);
        sum += u;
        squares += u * u;
    }
    assert_close(sum / N, 0.5, 0.004);
    assert_close(squares / N, 1.0 / 3, 0.004);
}

/* Quantiles from the words that stand for them; values to 17 digits by mpmath. */
static void test_normal_quantiles(void **state)
{
    (void)state;
    static const struct {
        uint32_t high, low;
        double z;
    } rows[] = {
        {0x80000000u, 0x00000000u, 2.78291642467176692e-16}, {0x828f5c28u, 0xf5c29000u, 0.0250689082587113364},
        {0xb3333333u, 0x33333000u, 0.524400512708040976},    {0xec8b4395u, 0x81062000u, 1.43250272082581191},
        {0xed0e5604u, 0x18937000u, 1.44663206715897881},     {0xf3333333u, 0x33333000u, 1.64485362695147336},
        {0xf9999999u, 0x99999000u, 1.95996398454005386},     {0xfd70a3d7u, 0x0a3d7000u, 2.32634787404084493},
        {0xffbe76c8u, 0xb4395000u, 3.09023230616781328},     {0xffffef39u, 0x085f4000u, 4.75342430881708777},
        {0xfffffffbu, 0xb47d0000u, 5.99780701960163743},     {0xffffffffu, 0x920c8000u, 6.36134106019708146},
        {0xffffffffu, 0xea028000u, 6.60407840062862523},     {0xffffffffu, 0xfee68000u, 7.03448691004783521},
        {0xffffffffu, 0xfffd3000u, 7.65216742795218779},     {0xffffffffu, 0xfffff000u, 8.20953615160138686},
        {0xffffffffu, 0xffffd000u, 8.01401594877554565},     {0x00000000u, 0x00000000u, -8.20953615160138686},
        {0x00000000u, 0x00001000u, -8.07657100413012465},    {0x7fffffffu, 0xfffff000u, -2.78291642467176692e-16},
        {0x00b3a73cu, 0xe2ff2000u, -2.77722134891278501},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double z = sp__normal(rows[i].high, rows[i].low);
        assert_close(z, rows[i].z, 1e-15 * fabs(rows[i].z));
        assert_true(sp__normal(~rows[i].high, ~rows[i].low) == -z);
    }
}

static void test_normal_numbers_never_change(void **state)
{
    (void)state;
    sp_manual_seed(2024);
    static const double first[] = {0x1.0d382d653acdcp-2, -0x1.94dc61d029749p-2, 0x1.84b7f7b1befp-3,
                                   0x1.b23279f282879p-2, -0x1.0a6ec17c99106p+1, 0x1.10680c424bda9p-4,
                                   0x1.a728a7675a37cp+1, -0x1.15610bf4f69a9p-1};
    for (size_t i = 0; i < sizeof first / sizeof *first; i++) {
        double z = sp_generator_normal(sp_default_generator());
        if (z != first[i]) fail_msg("normal number %d is %a, not %a", (int)i, z, first[i]);
    }
    uint64_t digest = 0; /* of the bits of a hundred thousand */
    for (int i = 0; i < 100000; i++) {
        double z = sp_generator_normal(sp_default_generator());
        uint64_t bits;
        memcpy(&bits, &z, sizeof bits);
        digest = (digest ^ bits) * 0x9E3779B97F4A7C15u;
    }
    if (digest != 0x9ca495d79142dcc6u) fail_msg("the digest is %#llx", (unsigned long long)digest);
}

static void test_normal_moments(void **state)
{
    (void)state;
    sp_generator *g = sp_generator_new(5);
    enum { N = 200000 };
    double m[5] = {0};
    int beyond_3 = 0;
    for (int i = 0; i < N; i++) {
        double z = sp_generator_normal(g), power = 1;
        for (int k = 1; k < 5; k++) m[k] += (power *= z) / N;
        beyond_3 += fabs(z) > 3;
    }
    assert_close(m[1], 0, 0.01);
    assert_close(m[2], 1, 0.015);
    assert_close(m[3], 0, 0.04);
    assert_close(m[4], 3, 0.12);
    assert_in_range(beyond_3, 440, 640); /* 540 expected */
}

static void test_integers_below(void **state)
{
    (void)state;
    sp_generator *g = sp_generator_new(9);
    int counts[6] = {0};
    for (int i = 0; i < 60000; i++) counts[sp_generator_below(g, 6)]++;
    for (int i = 0; i < 6; i++) assert_in_range(counts[i], 9600, 10400);
    for (int i = 0; i < 100; i++) assert_int_equal(sp_generator_below(g, 1), 0);
    int64_t big = INT64_C(3) << 61; /* a quarter of all draws would favour some numbers and is drawn again */
    uint64_t position = sp_generator_position(g);
    int upper = 0;
    for (int i = 0; i < 3000; i++) {
        int64_t x = sp_generator_below(g, big);
        assert_true(x >= 0 && x < big);
        upper += x >= big / 3 * 2;
    }
    assert_in_range(upper, 900, 1100);
    assert_in_range(sp_generator_position(g) - position, 3700, 4300);
    assert_int_equal(sp_generator_below(g, 0), 0);
    assert_error(SP_ERROR_ARGUMENT, "n is 0");
    assert_int_equal(sp_generator_below(g, -5), 0);
    assert_error(SP_ERROR_ARGUMENT, "n is -5");
}

static void test_null_generators(void **state)
{
    (void)state;
    assert_int_equal(sp_generator_u32(NULL), 0);
    assert_error(SP_ERROR_NULL, "sp_generator_u32");
    assert_true(sp_generator_uniform(NULL) == 0);
    assert_error(SP_ERROR_NULL, "sp_generator_uniform");
    assert_true(sp_generator_normal(NULL) == 0);
    assert_error(SP_ERROR_NULL, "sp_generator_normal");
    assert_int_equal(sp_generator_below(NULL, 3), 0);
    assert_error(SP_ERROR_NULL, "sp_generator_below");
    assert_int_equal(sp_generator_manual_seed(NULL, 1), SP_ERROR_NULL);
    assert_error(SP_ERROR_NULL, "sp_generator_manual_seed");
    assert_int_equal(sp_generator_set_position(NULL, 1), SP_ERROR_NULL);
    assert_error(SP_ERROR_NULL, "sp_generator_set_position");
    assert_int_equal(sp_generator_position(NULL), 0);
    assert_error(SP_ERROR_NULL, "sp_generator_position");
    assert_int_equal(sp_generator_initial_seed(NULL), 0);
    assert_error(SP_ERROR_NULL, "sp_generator_initial_seed");
    sp_manual_seed(4);
    assert_int_equal(sp__generator_take(NULL, 3), 0);
    assert_int_equal(sp_generator_position(sp_default_generator()), 3);
}

static void *draw_first(void *out)
{
    *(uint32_t *)out = sp_generator_u32(sp_default_generator());
    return NULL;
}

static void test_each_thread_starts_with_seed_0(void **state)
{
    (void)state;
    sp_manual_seed(99);
    uint32_t drawn = 0, block[4];
    pthread_t thread;
    pthread_create(&thread, NULL, draw_first, &drawn);
    pthread_join(thread, NULL);
    sp__generator_block(0, 0, block);
    assert_int_equal(drawn, block[0]);
    assert_int_equal(sp_generator_initial_seed(sp_default_generator()), 99);
}

static bool make_generator(void *context)
{
    (void)context;
    return sp_generator_new(1) != NULL;
}

static void test_making_one_may_fail(void **state)
{
    (void)state;
    assert_int_equal(support_fail_each_allocation(make_generator, NULL), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        sp_test(test_known_answers),
        sp_test(test_a_block_is_the_position_under_the_seed),
        sp_test(test_seed_and_position_are_the_whole_state),
        sp_test(test_uniform_numbers),
        sp_test(test_normal_quantiles),
        sp_test(test_normal_numbers_never_change),
        sp_test(test_normal_moments),
        sp_test(test_integers_below),
        sp_test(test_null_generators),
        sp_test(test_each_thread_starts_with_seed_0),
        sp_test(test_making_one_may_fail),
    };
    return sp_test_main(tests);
}
