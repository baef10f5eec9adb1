/* Random programs against PyTorch: views, changes in place, gradients and gradients of gradients through what may come
 * together in a user's program. tools/fixtures_programs.py writes them and says how they are to be read. */
#include "support/support.h"
#include <math.h>
#include <spusk/spusk.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 64, LINE = 1 << 14 };

typedef struct program {
    int number;
    sp_tensor *x[MOST]; /* leaves and results, in their order */
    int n, leaves;
    sp_tensor *loss;
    sp_list *grads, *second;
    int seen_grads, seen_second; /* lines so far */
} program;

typedef sp_tensor *operation(sp_tensor *const *x, const int64_t *k, int n);

/* ---- the operators, by the names that the fixture has ---- */

#define UNARY(NAME)                                                                                                    \
    static sp_tensor *do_##NAME(sp_tensor *const *x, const int64_t *k, int n)                                          \
    {                                                                                                                  \
        (void)k, (void)n;                                                                                              \
        return sp_##NAME(x[0]);                                                                                        \
    }
#define BINARY(NAME)                                                                                                   \
    static sp_tensor *do_##NAME(sp_tensor *const *x, const int64_t *k, int n)                                          \
    {                                                                                                                  \
        (void)k, (void)n;                                                                                              \
        return sp_##NAME(x[0], x[1]);                                                                                  \
    }
#define OTHER(NAME, CALL)                                                                                              \
    static sp_tensor *do_##NAME(sp_tensor *const *x, const int64_t *k, int n)                                          \
    {                                                                                                                  \
        (void)x, (void)k, (void)n;                                                                                     \
        return CALL;                                                                                                   \
    }
#define REDUCTION(NAME) OTHER(NAME, sp_##NAME##_dim(x[0], (int)k[0], .keepdim = k[1] != 0))

UNARY(sin)
UNARY(exp)
UNARY(tanh)
UNARY(sigmoid)
UNARY(square)
UNARY(neg)
UNARY(cos)
UNARY(relu)
UNARY(silu)
UNARY(abs)
UNARY(clone)
UNARY(squeeze)
UNARY(exp_)
UNARY(neg_)
UNARY(zero_)
UNARY(tanh_)
UNARY(sigmoid_)
UNARY(relu_)
BINARY(add)
BINARY(sub)
BINARY(mul)
BINARY(maximum)
BINARY(minimum)
BINARY(matmul)
BINARY(mul_)
BINARY(add_)
BINARY(copy_)
REDUCTION(sum)
REDUCTION(mean)
REDUCTION(amax)
REDUCTION(logsumexp)
REDUCTION(prod)
REDUCTION(var)
REDUCTION(norm)
OTHER(softplus, sp_softplus(x[0]))
OTHER(gelu, sp_gelu(x[0]))
OTHER(mul_scalar_, sp_mul_scalar_(x[0], 1.25))
OTHER(select, sp_select(x[0], (int)k[0], k[1]))
OTHER(slice, sp_slice(x[0], (int)k[0], k[1], k[2], k[3]))
OTHER(unsqueeze, sp_unsqueeze(x[0], (int)k[0]))
OTHER(reshape, sp_reshape(x[0], k[0]))
OTHER(expand, (sp_expand)(x[0], (sp_dims){k, n}))
OTHER(permute, (sp_permute)(x[0], (sp_dims){k, n}))
OTHER(transpose, sp_transpose(x[0], (int)k[0], (int)k[1]))
OTHER(narrow, sp_narrow(x[0], (int)k[0], k[1], k[2]))
OTHER(flatten, sp_flatten(x[0]))
OTHER(cumsum, sp_cumsum(x[0], (int)k[0]))
OTHER(softmax, sp_softmax(x[0], (int)k[0]))
OTHER(log_softmax, sp_log_softmax(x[0], (int)k[0]))
OTHER(linear, sp_linear(x[0], x[1], SP_NONE))
OTHER(cat, sp_cat(SP_LIST(x[0], x[1]), (int)k[0]))
OTHER(stack, sp_stack(SP_LIST(x[0], x[1]), (int)k[0]))
OTHER(conv2d, sp_conv2d(x[0], x[1], SP_NONE, .padding = 1))
OTHER(max_pool2d, sp_max_pool2d(x[0], k[0]))
OTHER(avg_pool2d, sp_avg_pool2d(x[0], k[0]))

#define ROW(NAME)                                                                                                      \
    {                                                                                                                  \
#NAME, do_##NAME                                                                                               \
    }
static const struct {
    const char *name;
    operation *run;
} operations[] = {
    ROW(sin),     ROW(exp),         ROW(tanh),      ROW(sigmoid), ROW(square),     ROW(neg),        ROW(cos),
    ROW(relu),    ROW(silu),        ROW(abs),       ROW(clone),   ROW(squeeze),    ROW(exp_),       ROW(neg_),
    ROW(zero_),   ROW(tanh_),       ROW(sigmoid_),  ROW(relu_),   ROW(add),        ROW(sub),        ROW(mul),
    ROW(maximum), ROW(minimum),     ROW(matmul),    ROW(mul_),    ROW(add_),       ROW(copy_),      ROW(sum),
    ROW(mean),    ROW(amax),        ROW(logsumexp), ROW(prod),    ROW(var),        ROW(norm),       ROW(softplus),
    ROW(gelu),    ROW(mul_scalar_), ROW(select),    ROW(slice),   ROW(unsqueeze),  ROW(reshape),    ROW(expand),
    ROW(permute), ROW(transpose),   ROW(narrow),    ROW(flatten), ROW(cumsum),     ROW(softmax),    ROW(log_softmax),
    ROW(linear),  ROW(cat),         ROW(stack),     ROW(conv2d),  ROW(max_pool2d), ROW(avg_pool2d),
};

/* ---- reading and running ---- */

/* The integers at *at, up to what is none; returns their number. */
static int integers(char **at, int64_t *out)
{
    int n = 0;
    for (char *end; n < SP_MAX_DIMS; *at = end) {
        long long value = strtoll(*at, &end, 10);
        if (end == *at) break;
        out[n++] = value;
    }
    return n;
}

static void add_leaf(program *p, char *words)
{
    int64_t sizes[SP_MAX_DIMS];
    const sp_dims dims = {sizes, integers(&words, sizes)};
    int64_t n = 1;
    for (int d = 0; d < dims.n; d++) n *= sizes[d];
    sp_tensor *values = sp_div_scalar(sp_arange(1, n + 1, 1, .dtype = SP_F64), 7);
    p->x[p->n++] = sp_requires_grad(sp_add_scalar((sp_reshape)(values, dims), 0.3 * p->leaves++));
}

static void run_line(program *p, const char *name, char *words)
{
    int64_t operands[SP_MAX_DIMS], k[SP_MAX_DIMS];
    sp_tensor *x[SP_MAX_DIMS] = {NULL};
    int n = integers(&words, operands);
    for (int i = 0; i < n; i++) x[i] = p->x[operands[i]];
    words = strchr(words, ':') + 1;
    int n_integers = integers(&words, k);
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++) {
        if (strcmp(operations[i].name, name) != 0) continue;
        sp_tensor *y = operations[i].run(x, k, n_integers);
        if (!y) fail_msg("program %d: %s", p->number, sp_error_message());
        if (name[strlen(name) - 1] != '_') p->x[p->n++] = y;
        return;
    }
    fail_msg("no operator named %s", name);
}

/* The sum of the sines of all that needs a gradient. */
static void differentiate(program *p)
{
    sp_list *leaves = sp_list_new(p->x, p->leaves);
    for (int i = 0; i < p->n; i++) {
        if (!sp_needs_grad(p->x[i])) continue;
        sp_tensor *part = sp_sum(sp_sin(p->x[i]));
        p->loss = p->loss ? sp_add(p->loss, part) : part;
    }
    p->grads = sp_autograd_grad(SP_LIST(p->loss), leaves, .create_graph = true, .allow_unused = true);
    sp_tensor *size = NULL;
    for (int64_t i = 0; p->grads && i < sp_list_length(p->grads); i++) {
        sp_tensor *grad = sp_list_get(p->grads, i);
        if (grad == SP_NONE || !sp_needs_grad(grad)) continue;
        sp_tensor *part = sp_sum(sp_square(grad));
        size = size ? sp_add(size, part) : part;
    }
    if (size) p->second = sp_autograd_grad(SP_LIST(size), leaves, .allow_unused = true);
}

/* The numbers of a line; returns how many there are. */
static int64_t numbers(char *words, double *out)
{
    int64_t n = 0;
    for (char *end; n < LINE / 2; words = end) {
        double value = strtod(words, &end);
        if (end == words) break;
        out[n++] = value;
    }
    return n;
}

/* A gradient that is not there counts as zeros: which of the two it is depends on how an operator was written. What is
 * small beside others of its line was rounded with them. */
static void compare(const program *p, const char *what, const sp_tensor *x, char *words)
{
    static double got[LINE / 2], wanted[LINE / 2];
    int64_t n = numbers(words, wanted);
    double scale = 1;
    for (int64_t i = 0; i < n; i++) scale = fmax(scale, fabs(wanted[i]));
    memset(got, 0, sizeof got);
    if (x && x != SP_NONE) {
        if (n > 0) assert_int_equal(sp_numel(x), n);
        assert_int_equal(sp_copy_out(got, x, (size_t)sp_numel(x) * sizeof *got), SP_OK);
    }
    for (int64_t i = 0; i < n; i++)
        if (!(isnan(wanted[i]) && isnan(got[i])) && !(fabs(got[i] - wanted[i]) <= 1e-9 * scale))
            fail_msg("program %d, %s, element %lld: %.13g, PyTorch %.13g", p->number, what, (long long)i, got[i],
                     wanted[i]);
}

static void result_line(program *p, const char *name, char *words)
{
    if (strcmp(name, "refused") == 0) {
        differentiate(p);
        if (p->grads) fail_msg("program %d: PyTorch refuses it", p->number);
        assert_error(SP_ERROR_STATE, "was changed in place");
    } else if (strcmp(name, "loss") == 0) {
        differentiate(p);
        if (!p->grads) fail_msg("program %d: %s", p->number, sp_error_message());
        compare(p, name, sp_detach(p->loss), words);
    } else if (strcmp(name, "grad") == 0) {
        compare(p, name, sp_list_get(p->grads, p->seen_grads++), words);
    } else {
        const int i = p->seen_second++;
        compare(p, name, p->second ? sp_list_get(p->second, i) : NULL, words);
    }
}

static bool is_result(const char *name)
{
    return strcmp(name, "refused") == 0 || strcmp(name, "loss") == 0 || strcmp(name, "grad") == 0 ||
           strcmp(name, "second") == 0;
}

/* Runs the program that starts at the file's next line; `line` holds its first already, and then that of the next. */
static bool run_program(FILE *file, char *line)
{
    program p = {.number = atoi(line + strlen("program "))};
    while (fgets(line, LINE, file)) {
        char *words = line + strcspn(line, " \n");
        if (*words) *words++ = 0;
        if (strcmp(line, "program") == 0) {
            memmove(words - 1, " ", 1);
            return true;
        }
        if (strcmp(line, "leaf") == 0)
            add_leaf(&p, words);
        else if (is_result(line))
            result_line(&p, line, words);
        else
            run_line(&p, line, words);
    }
    return false;
}

static void test_programs_are_pytorchs(void **state)
{
    (void)state;
    static char line[LINE];
    FILE *file = fopen(SP_TEST_DIR "/fixtures/programs.txt", "r");
    assert_non_null(file);
    int n = 0;
    bool more = fgets(line, LINE, file) != NULL;
    while (more)
        SP_SCOPE {
            more = run_program(file, line);
            n++;
        }
    fclose(file);
    assert_no_error();
    assert_true(n >= 150);
}

/* ---- what such programs have found ---- */

static void test_a_change_of_no_elements(void **state)
{
    (void)state;
    sp_tensor *x = sp_requires_grad(sp_vector(1, 2, 3)), *y = sp_expand(sp_abs(x), 1, 3);
    assert_non_null(sp_sigmoid_(sp_slice(y, 0, 1, SP_END, 1))); /* none of one row */
    assert_int_equal(sp_backward(sp_sum(sp_square(y))), SP_OK);
    assert_true(sp_equal(sp_grad(x), sp_vector(2, 4, 6)));
    sp_tensor *none = sp_expand(sp_empty(SP_DIMS(1, 0)), 4, 0);
    assert_ptr_equal(sp_exp_(none), none);
}

static void test_joining_nothing(void **state)
{
    (void)state;
    sp_tensor *x = sp_requires_grad(sp_matrix(1, 2, 1, 2)), *nothing = sp_empty(SP_DIMS(0));
    sp_tensor *y = sp_cat(SP_LIST(nothing, x, x), 0);
    assert_true(sp_equal(y, sp_matrix(2, 2, 1, 2, 1, 2)));
    assert_int_equal(sp_backward(sp_sum(y)), SP_OK);
    assert_true(sp_equal(sp_grad(x), sp_matrix(1, 2, 2, 2)));
    assert_int_equal(sp_dtype_of(sp_cat(SP_LIST(nothing, sp_arange(0, 3, 1)), -1)), SP_F32);
    assert_int_equal(sp_numel(sp_cat(SP_LIST(nothing, nothing), 0)), 0);
    assert_no_error();
    assert_null(sp_cat(SP_LIST(nothing, x), 2));
    assert_error(SP_ERROR_SHAPE, "sp_cat: dimension 2 is out of range");
    assert_null(sp_cat(SP_LIST(sp_empty(SP_DIMS(0, 3)), x), 0));
    assert_error(SP_ERROR_SHAPE, "shapes [0, 3] and [1, 2] differ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        sp_test(test_programs_are_pytorchs),
        sp_test(test_a_change_of_no_elements),
        sp_test(test_joining_nothing),
    };
    return sp_test_main(tests);
}
