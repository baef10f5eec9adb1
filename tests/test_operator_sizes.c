/* Sizes, dimensions and numbers that nobody means, into every public function that takes such: a tensor whose elements
 * are as many as its sizes say, or an error with a message; no other memory than a tensor of a sane size takes, and no
 * arithmetic that overflows, which the sanitizers watch. The calls are written by tools/size_calls.py from the headers.
 *
 * SPUSK_SIZE_ROUNDS is how often each function is tried, 200 by default; the draws are the same each time. A call that
 * does not come back within 20 seconds ends the program, and is named. */
#include "support/support.h"
#include <math.h>
#include <signal.h>
#include <spusk/extend.h>
#include <spusk/spusk.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- the draws ---- */

typedef struct draw {
    const char *function;
    uint64_t state;
    int one_in; /* of so many numbers one is hostile, and one option of so many is given */
    int failures, successes;
} draw;

typedef struct one_call {
    const char *function;
    void (*run)(draw *d);
} one_call;

static uint64_t word(draw *d)
{
    d->state += 0x9E3779B97F4A7C15u; /* splitmix64 */
    uint64_t z = d->state;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

static int below(draw *d, int n)
{
    return (int)(word(d) % (uint64_t)n);
}

static bool a_bool(draw *d)
{
    return below(d, 2) == 1;
}

static bool sometimes(draw *d)
{
    return below(d, d->one_in) == 0;
}

static int64_t an_int64(draw *d)
{
    static const int64_t hostile[] = {INT64_MIN,
                                      INT64_MIN + 1,
                                      INT64_MAX,
                                      INT64_MAX - 1,
                                      INT64_MAX / 2,
                                      INT64_MAX / 3,
                                      INT64_C(1) << 62,
                                      (INT64_C(1) << 53) + 1,
                                      INT64_C(1) << 40,
                                      -(INT64_C(1) << 40),
                                      (INT64_C(1) << 32) + 1,
                                      INT64_C(1) << 32,
                                      (INT64_C(1) << 32) - 1,
                                      INT64_C(1) << 31,
                                      INT32_MAX,
                                      INT32_MIN,
                                      INT64_C(1) << 12};
    if (sometimes(d)) return hostile[below(d, sizeof hostile / sizeof *hostile)];
    return below(d, 8) ? 1 + below(d, 4) : -below(d, 3);
}

static int an_int(draw *d)
{
    static const int hostile[] = {INT_MIN, INT_MIN + 1, INT_MAX, INT_MAX - 1, 1 << 20, -100};
    if (sometimes(d)) return hostile[below(d, sizeof hostile / sizeof *hostile)];
    return below(d, 8) ? below(d, 3) : -1 - below(d, 3);
}

static int an_enum(draw *d)
{
    return sometimes(d) ? below(d, 120) - 10 : below(d, 3);
}

static double a_double(draw *d)
{
    static const double numbers[] = {0.3,    -1,      2,        0.5,           0.1,     1e-300, 1e300,
                                     -1e300, NAN,     INFINITY, 1e10,          -0x1p31, 0x1p31, 0x1p53,
                                     0x1p63, -0x1p63, 0x1.8p64, -0x1p63 - 1e4, 1e-9,    3,      -INFINITY};
    return numbers[below(d, sometimes(d) ? sizeof numbers / sizeof *numbers : 5)];
}

/* At times more sizes than a tensor has, fewer than none, or none where some are promised. */
static sp_dims some_dims(draw *d)
{
    static int64_t sizes[32];
    for (int i = 0; i < 32; i++) sizes[i] = an_int64(d);
    if (below(d, 40) == 0) return (sp_dims){NULL, below(d, 3)};
    return (sp_dims){sizes, below(d, 20) ? below(d, 5) : below(d, 34) - 1};
}

static sp_dtype a_dtype(draw *d)
{
    static const sp_dtype dtypes[] = {SP_F32, SP_F32, SP_F32, SP_F64, SP_BF16, SP_I64, SP_I32, SP_U8, SP_BOOL};
    return dtypes[below(d, sizeof dtypes / sizeof *dtypes)];
}

static sp_tensor *hostile_values(draw *d)
{
    double values[6];
    for (int i = 0; i < 6; i++) values[i] = a_double(d);
    return (sp_matrix)(2, 3, values, 6);
}

static sp_tensor *indices(draw *d)
{
    int64_t values[3];
    for (int i = 0; i < 3; i++) values[i] = sometimes(d) ? an_int64(d) : below(d, 3);
    return (sp_vector_i64)(values, 3);
}

/* Small; often images that go with themselves as weights, and three numbers for their channels. */
static sp_tensor *of_shape(draw *d)
{
    switch (below(d, 16)) {
    case 0: return sp_ones(SP_DIMS(), .dtype = a_dtype(d));
    case 1: return sp_ones(SP_DIMS(0), .dtype = a_dtype(d));
    case 2: return sp_ones(SP_DIMS(2, 3), .dtype = a_dtype(d));
    case 3: return sp_t(sp_ones(SP_DIMS(3, 3), .dtype = a_dtype(d)));
    case 4: return sp_ones(SP_DIMS(0, 3, 5, 5), .dtype = a_dtype(d));
    case 5: return sp_ones(SP_DIMS(3, 5, 7), .dtype = a_dtype(d));
    case 6: return sp_slice(sp_ones(SP_DIMS(5, 3, 0), .dtype = a_dtype(d)), 0, 1, SP_END, 2);
    case 7: return hostile_values(d);
    case 8: return sp_ones(SP_DIMS(1, 1, 1, 1, 1, 1, 1, 2), .dtype = a_dtype(d));
    case 9: return sp_ones(SP_DIMS(2, 0), .dtype = a_dtype(d));
    case 10: return sp_t(sp_ones(SP_DIMS(2, 0), .dtype = a_dtype(d)));
    default: return sp_ones(SP_DIMS(3, 3, 3, 3), .dtype = SP_F32);
    }
}

/* names: each between spaces. */
static bool is_named(const char *name, const char *names)
{
    const char *at = strstr(names, name);
    return at && at > names && at[-1] == ' ' && at[strlen(name)] == ' ';
}

static sp_tensor *a_tensor(draw *d, const char *name)
{
    sp_tensor *x = NULL;
    if (is_named(name, " bias running_mean running_var ") && below(d, 8))
        return below(d, 2) ? sp_ones(SP_DIMS(3)) : SP_NONE;
    if (is_named(name, " index target labels "))
        x = indices(d);
    else if (is_named(name, " mask condition "))
        x = sp_ones(SP_DIMS(3), .dtype = SP_BOOL);
    if (x && below(d, 6)) return x;
    x = of_shape(d);
    const bool floating = sp_dtype_is_floating_point(sp_dtype_of(x));
    return floating && a_bool(d) ? sp_requires_grad(sp_detach(x)) ? sp_detach(x) : x : x;
}

static sp_list *a_list(draw *d, const char *name)
{
    if (is_named(name, " parameters ")) return SP_LIST(sp_ones(SP_DIMS(2), .requires_grad = true));
    sp_tensor *x = a_tensor(d, "x");
    return a_bool(d) ? SP_LIST(x, x, x) : SP_LIST(x, a_tensor(d, "x"));
}

static sp_module *a_module(draw *d, const char *name)
{
    (void)name;
    return a_bool(d) ? sp_nn_linear(3, 2) : sp_nn_conv2d(3, 2, 3, .padding = 1);
}

static sp_optimizer *an_optimizer(draw *d, const char *name)
{
    (void)name;
    return sp_optim_sgd(a_list(d, "parameters"));
}

static sp_scheduler *a_scheduler(draw *d, const char *name)
{
    return sp_lr_scheduler_step_lr(an_optimizer(d, name), 1);
}

static sp_dataset *a_dataset(draw *d, const char *name)
{
    (void)d, (void)name;
    return sp_data_tensors(sp_ones(SP_DIMS(3, 1, 4, 4)), sp_vector_i64(0, 1, 2));
}

static sp_loader *a_loader(draw *d, const char *name)
{
    return sp_data_loader(a_dataset(d, name));
}

static sp_surface *a_surface(draw *d, const char *name)
{
    (void)d, (void)name;
    return sp_surface_by_name("beale");
}

static sp_series *a_series(draw *d, const char *name)
{
    (void)d, (void)name;
    return sp_series_new("a series");
}

static sp_generator *a_generator(draw *d, const char *name)
{
    (void)name;
    return sp_generator_new(word(d));
}

/* ---- what comes back ---- */

static void complain(draw *d, const char *what)
{
    d->failures++;
    printf("# %s: %s (%s)\n", d->function, what, sp_error_message());
}

/* An object without an error, or none with one. */
static bool is_consistent(draw *d, const void *object)
{
    const bool pending = sp_error_status() != SP_OK;
    if (object && pending) complain(d, "an object, and an error");
    if (!object && !pending) complain(d, "neither an object nor an error");
    if (pending && !*sp_error_message()) complain(d, "an error without a message");
    if (pending) sp_error_clear();
    d->successes += object && !pending;
    return object && !pending;
}

static void got_status(draw *d, sp_status status)
{
    static const char some[] = "";
    is_consistent(d, status ? NULL : some);
}

static void got_nothing(draw *d, int nothing)
{
    (void)d, (void)nothing;
    sp_error_clear();
}

static bool is_counted(const sp_tensor *x)
{
    const sp_dims sizes = sp_sizes(x);
    __extension__ typedef __int128 wide;
    wide product = 1;
    for (int i = 0; i < sizes.n; i++) {
        if (sizes.data[i] < 0) return false;
        product *= sizes.data[i]; /* within 2^59 of the last, or else found out below */
        if (product > INT64_MAX) return false;
    }
    return product == sp_numel(x);
}

/* Whatever can go wrong on the way back is an error; the result is small, or a view of something small. */
static void go_back(sp_tensor *y)
{
    if (sp_numel(y) > 1 << 20) return;
    sp_tensor *sum = sp_sum(sp_cast(y, SP_F64));
    if (sum && sp_needs_grad(sum)) sp_backward(sum);
    sp_error_clear();
}

static void got_tensor(draw *d, sp_tensor *y)
{
    if (!is_consistent(d, y) || y == SP_NONE) return;
    if (!is_counted(y)) complain(d, "the number of elements is not the product of the sizes");
    if (sp_dtype_is_floating_point(sp_dtype_of(y))) go_back(y);
}

static void got_pair(draw *d, sp_values_indices pair)
{
    got_tensor(d, pair.values);
    if (pair.values) got_tensor(d, pair.indices);
}

static void got_list(draw *d, sp_list *list)
{
    if (!is_consistent(d, list)) return;
    for (int64_t i = 0; i < sp_list_length(list) && i < 8; i++) got_tensor(d, sp_list_get(list, i));
}

static void got_module(draw *d, sp_module *module)
{
    if (!is_consistent(d, module)) return;
    char text[512];
    sp_module_to_string(module, text, sizeof text);
    for (int i = 0; i < 3; i++) got_tensor(d, sp_forward(module, i ? of_shape(d) : sp_ones(SP_DIMS(3, 3, 3, 3))));
}

static void got_scheduler(draw *d, sp_scheduler *scheduler)
{
    if (!is_consistent(d, scheduler)) return;
    for (int i = 0; i < 5; i++)
        got_status(d, a_bool(d) ? sp_scheduler_step(scheduler) : sp_scheduler_step_metric(scheduler, 1));
}

static void got_dataset(draw *d, sp_dataset *dataset)
{
    if (!is_consistent(d, dataset)) return;
    const sp_example example = sp_data_get(dataset, 0);
    is_consistent(d, example.x);
}

static void got_loader(draw *d, sp_loader *loader)
{
    if (!is_consistent(d, loader)) return;
    sp_foreach_batch (batch, loader) {
        got_tensor(d, batch.x);
    }
    sp_error_clear();
}

static void got_transform(draw *d, sp_transform *transform)
{
    if (!is_consistent(d, transform)) return;
    got_tensor(d, sp_transform_apply(transform, sp_ones(SP_DIMS(1, 5, 5)), NULL));
}

static void got_object(draw *d, const void *object)
{
    is_consistent(d, object);
}

#include "size_calls.inc.h"

/* ---- memory: no more than a sane tensor, whatever is asked for ---- */

enum { MOST_BYTES = 64 << 20 };

static void *limited_alloc(size_t size, void *user)
{
    (void)user;
    void *block = NULL;
    return size <= MOST_BYTES && posix_memalign(&block, 64, size) == 0 ? block : NULL;
}

static void limited_free(void *block, size_t size, void *user)
{
    (void)size, (void)user;
    free(block);
}

/* ---- the test ---- */

static const char *running = "";

static void on_alarm(int signal)
{
    (void)signal;
    static const char words[] = " does not come back\n";
    (void)!write(STDERR_FILENO, running, strlen(running));
    (void)!write(STDERR_FILENO, words, sizeof words - 1);
    _exit(1);
}

static int try_function(const one_call *call, uint64_t seed)
{
    draw d = {.function = call->function, .state = seed, .one_in = 3 + (int)(seed % 4) * 5};
    running = call->function;
    alarm(20);
    SP_SCOPE {
        call->run(&d);
    }
    alarm(0);
    if (getenv("SPUSK_SIZE_SHOW")) printf("# %s: %d successes\n", call->function, d.successes);
    return d.failures;
}

static void test_hostile_sizes(void **state)
{
    (void)state;
    const char *wanted = getenv("SPUSK_SIZE_ROUNDS"), *only = getenv("SPUSK_SIZE_ONLY");
    const int rounds = wanted ? atoi(wanted) : 200;
    const sp_allocator limited = {limited_alloc, limited_free, NULL};
    int failures = 0;
    sp_finish();
    assert_int_equal(sp_set_allocator(&limited), SP_OK);
    signal(SIGALRM, on_alarm);
    for (size_t i = 0; i < sizeof all_calls / sizeof *all_calls; i++)
        for (int round = 0; round < rounds; round++)
            if (!only || strcmp(only, all_calls[i].function) == 0)
                failures += try_function(&all_calls[i], i * 1000003 + (uint64_t)round);
    sp_finish();
    assert_int_equal(sp_set_allocator(NULL), SP_OK);
    assert_int_equal(failures, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {sp_test(test_hostile_sizes)};
    return sp_test_main(tests);
}
