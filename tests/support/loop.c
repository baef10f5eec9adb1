#include "support/loop.h"
#include "backends/cpu/cpu.h"
#include <stdlib.h>
#include <string.h>

/* ---- where we differ from PyTorch on purpose ---- */

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
    {"binary_cross_entropy_with_logits", ACCEPTS, CASE_MIXED, SP_DTYPE_DEFAULT, "dtypes are promoted, as everywhere"},
    {"binary_cross_entropy_with_logits", DIFFERS, CASE_MIXED, SP_DTYPE_DEFAULT, "dtypes are promoted, as everywhere"},
    {"elu", GRADIENT, CASE_SPECIAL, SP_DTYPE_DEFAULT, "PyTorch's vector and scalar loops differ at NaN"},
    {"gather", REFUSES, CASE_SHAPE, SP_DTYPE_DEFAULT, "PyTorch does not look at the shape of an empty index"},
    {"log_softmax_backward", REFUSES, CASE_SHAPE, SP_DTYPE_DEFAULT, "PyTorch reads past the end of what is too small"},
    {"mse_loss", REFUSES, CASE_MIXED, SP_BOOL, "bool tensors have no difference"},
    {"smooth_l1_loss", REFUSES, CASE_MIXED, SP_BOOL, "bool tensors have no difference"},
    {"where", REFUSES, CASE_MIXED, SP_U8, "PyTorch takes a u8 mask still, with a warning"},
    {"gelu", DIFFERS, CASE_SPECIAL, SP_F32, "PyTorch's vector loop gives NaN for infinity; its f64 is right"},
    {"linear", REFUSES, CASE_SHAPE, SP_F32, "a bias has a number for each output; PyTorch repeats one number"},
    {"prod", GRADIENT, CASE_SPECIAL, SP_DTYPE_DEFAULT, "with two zeros PyTorch does not look at an infinity's share"},
    {"nll_loss2d", ACCEPTS, CASE_MIXED, SP_U8, "PyTorch takes u8 labels for (N, C) alone"},
    {"scatter_add", REFUSES, CASE_SHAPE, SP_DTYPE_DEFAULT, "PyTorch does not look at the shape of an empty index"},
    {"xlogy", GRADIENT, CASE_SPECIAL, SP_DTYPE_DEFAULT, "PyTorch gives NaN where both are 0: kl_div's target of 0"},
    {"relu_backward", REFUSES, -1, SP_I64, "gradients are floating point"},
    {"relu_backward", REFUSES, -1, SP_I32, "gradients are floating point"},
    {"relu_backward", REFUSES, -1, SP_U8, "gradients are floating point"},
    {"adaptive_avg_pool2d", REFUSES, CASE_SHAPE, SP_F32, "five dimensions are not images"},
    {"adaptive_avg_pool2d_backward", REFUSES, CASE_SHAPE, SP_F32, "PyTorch does not look at the gradient's shape"},
    {"avg_pool2d", REFUSES, -1, SP_I64, "images are floating point"},
    {"avg_pool2d_backward", REFUSES, -1, SP_I64, "images are floating point"},
    {"max_pool2d", REFUSES, -1, SP_I64, "images are floating point"},
    {"max_pool2d", REFUSES, -1, SP_I32, "images are floating point"},
    {"max_pool2d", REFUSES, -1, SP_U8, "images are floating point"},
    {"max_pool2d_gather", REFUSES, CASE_SHAPE, SP_F32, "a place in a window goes with one size of image"},
    {"reflection_pad2d", REFUSES, -1, SP_I64, "images are floating point"},
    {"reflection_pad2d", REFUSES, -1, SP_I32, "images are floating point"},
    {"reflection_pad2d", REFUSES, -1, SP_U8, "images are floating point"},
    {"reflection_pad2d", REFUSES, -1, SP_BOOL, "images are floating point"},
    {"replication_pad2d", REFUSES, -1, SP_I64, "images are floating point"},
    {"replication_pad2d", REFUSES, -1, SP_I32, "images are floating point"},
    {"replication_pad2d", REFUSES, -1, SP_U8, "images are floating point"},
    {"replication_pad2d", REFUSES, -1, SP_BOOL, "images are floating point"},
    {"batch_norm_backward", REFUSES, CASE_MIXED, SP_DTYPE_DEFAULT, "PyTorch's engine casts a gradient first"},
    {"layer_norm_backward", REFUSES, CASE_MIXED, SP_DTYPE_DEFAULT, "PyTorch's engine casts a gradient first"},
    {"upsample_nearest2d", REFUSES, CASE_SHAPE, SP_F32, "(N, C, L) and (N, C, D, H, W) are not images"},
    {"upsample_nearest2d", REFUSES, -1, SP_U8, "images are floating point"},
    {"upsample_bilinear2d", REFUSES, -1, SP_U8, "images are floating point"},
    {"conv2d", REFUSES, -1, SP_I64, "images are floating point"},
    {"conv2d", REFUSES, -1, SP_I32, "images are floating point"},
    {"conv2d", REFUSES, -1, SP_U8, "images are floating point"},
    {"conv_transpose2d", REFUSES, -1, SP_I64, "images are floating point"},
    {"conv2d_weight", REFUSES, -1, SP_I64, "images are floating point"},
    {"conv2d", DIFFERS, CASE_SPECIAL, SP_DTYPE_DEFAULT, "infinity times padding: PyTorch's loops differ, too"},
    {"conv_transpose2d", DIFFERS, CASE_SPECIAL, SP_DTYPE_DEFAULT, "infinity times padding"},
    {"conv2d_weight", DIFFERS, CASE_SPECIAL, SP_DTYPE_DEFAULT, "infinity times padding"},
    {"scaled_dot_product_attention", DIFFERS, CASE_SPECIAL, SP_DTYPE_DEFAULT,
     "PyTorch hides NaN, and multiplies other infinities by weights of 0"},
    {"scaled_dot_product_attention_backward", DIFFERS, CASE_SPECIAL, SP_DTYPE_DEFAULT, "the same"},
    {"scaled_dot_product_attention_backward", REFUSES, CASE_MIXED, SP_DTYPE_DEFAULT,
     "PyTorch's engine casts a gradient first"},
    {"scaled_dot_product_attention_backward", REFUSES, CASE_SHAPE, SP_DTYPE_DEFAULT, "broadcasts before"},
    {"var", GRADIENT, CASE_SPECIAL, SP_DTYPE_DEFAULT, "one element's variance is NaN, and so is its gradient"},
};

bool has_dtype(const test_case *c, sp_dtype dtype)
{
    for (int i = 0; i < c->n; i++)
        if (c->inputs[i].dtype == dtype) return true;
    return dtype == SP_DTYPE_DEFAULT;
}

enum { N_EXCEPTIONS = sizeof exceptions / sizeof *exceptions };
static bool used[N_EXCEPTIONS];

bool is_exception(const test_case *c, difference what)
{
    bool found = false;
    for (int k = 0; k < N_EXCEPTIONS; k++) {
        bool fits = !strcmp(exceptions[k].op, c->op->name) && exceptions[k].what == what &&
                    (exceptions[k].kind < 0 || exceptions[k].kind == (int)c->kind) && has_dtype(c, exceptions[k].dtype);
        used[k] |= fits;
        found |= fits;
    }
    return found;
}

const char *unused_exception(void)
{
    static char text[200];
    for (int k = 0; k < N_EXCEPTIONS; k++)
        if (!used[k]) return snprintf(text, sizeof text, "%s: %s", exceptions[k].op, exceptions[k].why), text;
    return NULL;
}

bool is_impossible_view(const test_case *c, layout how)
{
    return how != LAYOUT_CONTIGUOUS && !c->op->forward && strstr(sp_error_message(), "without a copy");
}

/* ---- counting ---- */

void complain(tally *t, const test_case *c, const char *format, ...)
{
    char text[600];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (t->failed++ < 8) print_error("%s: %s\n", case_text(c), text);
}

void conclude(const tally *t, int *total)
{
    sp_error_clear();
    *total += t->run;
    if (t->failed) fail_msg("%d of %d cases failed", t->failed, t->run);
    if (!t->run) fail_msg("there was nothing to run");
}

/* ---- cases ---- */

void make_inputs(const test_case *c, layout how, sp_tensor **out)
{
    if (!case_inputs(c, how, out)) fail_msg("no inputs: %s", sp_error_message());
}

sp_list *leaves(const test_case *c, sp_tensor *const *in)
{
    sp_list *list = sp_list_new(NULL, 0);
    for (int i = 0; i < c->n; i++)
        if (c->inputs[i].grad) sp_list_append(list, sp_requires_grad(in[i]));
    return list;
}

void for_cases(const sp_op *op, tally *t, unsigned kinds, case_function *function)
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

void for_levels(const sp_op *op, tally *t, unsigned kinds, case_function *function)
{
    static const char *const levels[] = {"reference", "generic", "avx2", "avx512", "avx512bf16", "avx512amx", "neon"};
    int count = 0;
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        if (!sp__cpu_set_level(levels[i])) continue;
        for_cases(op, t, kinds, function);
        count++;
    }
    sp__cpu_set_level(NULL);
    assert_true(count >= 2);
}

/* ---- tests ---- */

static struct CMUnitTest test_of(const aspect *a, const sp_op *op)
{
    char name[128];
    int length = snprintf(name, sizeof name, "%s: %s", op->name, a->name);
    char *kept = malloc((size_t)length + 1);
    if (kept) memcpy(kept, name, (size_t)length + 1);
    return (struct CMUnitTest){kept, a->function, support_setup, support_teardown, (void *)(uintptr_t)op};
}

static bool is_chosen(const sp_op *op, int argc, char **argv)
{
    bool chosen = argc < 2;
    for (int k = 1; k < argc; k++) chosen |= !strcmp(argv[k], op->name);
    return chosen && op->samples;
}

int run_loop(int argc, char **argv, const aspect *aspects, int n, CMUnitTestFunction last)
{
    size_t used_tests = 0, room = (size_t)(n * sp__n_ops) + 1;
    struct CMUnitTest *tests = calloc(room, sizeof *tests);
    if (!tests) return 1;
    for (int i = 0; i < sp__n_ops; i++)
        for (int k = 0; k < n; k++)
            if (is_chosen(sp__all_ops[i], argc, argv) && (sp__all_ops[i]->backward || !aspects[k].gradients))
                tests[used_tests++] = test_of(&aspects[k], sp__all_ops[i]);
    size_t named = used_tests;
    if (argc < 2)
        tests[used_tests++] = (struct CMUnitTest){"all operators", last, support_setup, support_teardown, NULL};
    cmocka_set_message_output(CM_OUTPUT_TAP);
    int failed = _cmocka_run_group_tests("operators", tests, used_tests, NULL, NULL);
    for (size_t i = 0; i < named; i++) free((void *)(uintptr_t)tests[i].name);
    free(tests);
    return failed;
}
