/* Operators drawn at random, the same way each time, compared between ISA levels, numbers of threads, layouts, and with
 * and without fusion. tests/fuzz/fuzz.h tells how. `./dev fuzz` runs it for long.
 *
 *     SPUSK_FUZZ_CASES=500    how many cases of each subject (default: a few)
 *     SPUSK_FUZZ_SEED=7       other cases
 *     SPUSK_FUZZ_CASE=exp:12  one case alone, as a failure names it
 *
 * It also proves of itself that it can fail: deliberately wrong subjects must be noticed. */
#include "autograd/deferred.h"
#include "fuzz/fuzz.h"
#include "support/support.h"
#include <stdlib.h>
#include <string.h>

#if defined(SP_DEBUG) || !defined(__OPTIMIZE__)
enum { FEW = 3 }; /* sanitizers take ten times as long */
#else
enum { FEW = 10 };
#endif
enum { MOST_SUBJECTS = 400, ATTEMPTS = 4, SHOWN = 5 };

static fuzz_subject subjects[MOST_SUBJECTS];
static int n_subjects, n_cases;

/* ---- what is drawn ---- */

static const fuzz_subject *const tables[] = {fuzz_pointwise,    fuzz_reductions, fuzz_products,
                                             fuzz_indexing,     fuzz_losses,     fuzz_images,
                                             fuzz_convolutions, fuzz_updates,    fuzz_chains};

static void add_subject(fuzz_subject subject)
{
    if (n_subjects == MOST_SUBJECTS) abort();
    if (subject.op) subject.flags |= fuzz_flags_of(subject.op);
    subjects[n_subjects++] = subject;
}

static void collect_subjects(void)
{
    for (int i = 0; i < sp__n_ops; i++) add_subject(fuzz_samples_of(sp__all_ops[i]));
    for (size_t t = 0; t < sizeof tables / sizeof *tables; t++)
        for (const fuzz_subject *s = tables[t]; s->name; s++) add_subject(*s);
}

static uint64_t number_from(const char *variable, uint64_t otherwise)
{
    const char *text = getenv(variable);
    return text && *text ? strtoull(text, NULL, 10) : otherwise;
}

static uint64_t the_seed(void)
{
    return number_from("SPUSK_FUZZ_SEED", 1);
}

/* The round that SPUSK_FUZZ_CASE names for this subject; -1: another subject's, -2: all rounds. */
static int64_t wanted_round(const char *subject)
{
    const char *wish = getenv("SPUSK_FUZZ_CASE");
    const char *colon = wish ? strrchr(wish, ':') : NULL;
    if (!colon) return -2;
    const size_t length = (size_t)(colon - wish);
    return strncmp(wish, subject, length) == 0 && !subject[length] ? atoll(colon + 1) : -1;
}

/* ---- one subject ---- */

/* Draws until the operator takes what was drawn. */
static fuzz_verdict try_round(const fuzz_subject *subject, int64_t round, fuzz_case *c, char why[FUZZ_WHY])
{
    fuzz_verdict verdict = FUZZ_REFUSED;
    for (int attempt = 0; attempt < ATTEMPTS && verdict == FUZZ_REFUSED; attempt++) {
        *c = fuzz_draw(subject, the_seed(), round, attempt);
        verdict = fuzz_check(c, why);
    }
    return verdict;
}

static void show(const fuzz_case *c, int64_t round, const char *why)
{
    print_error("%s\nSPUSK_FUZZ_SEED=%llu SPUSK_FUZZ_CASE='%s:%lld' build/tests/test_fuzz_operators\n%s\n", why,
                (unsigned long long)the_seed(), c->subject->name, (long long)round, fuzz_text(c));
}

static void test_subject(void **state)
{
    const fuzz_subject *subject = *state;
    const int64_t wanted = wanted_round(subject->name), cases = (int64_t)number_from("SPUSK_FUZZ_CASES", FEW);
    const int64_t first = wanted < 0 ? 0 : wanted, end = wanted < 0 ? cases : wanted + 1;
    int passed = 0, failed = 0;
    if (wanted == -1) skip_because("another case is wanted");
    for (int64_t round = first; round < end; round++) {
        char why[FUZZ_WHY];
        fuzz_case c;
        const fuzz_verdict verdict = try_round(subject, round, &c, why);
        passed += verdict == FUZZ_PASSED;
        failed += verdict == FUZZ_FAILED;
        if (verdict == FUZZ_FAILED && failed <= SHOWN) show(&c, round, why);
    }
    n_cases += passed + failed;
    if (failed) fail_msg("%d of %d cases failed", failed, (int)(end - first));
    if (!passed && wanted < 0) fail_msg("nothing of it ran");
}

/* ---- wrong on purpose ---- */

/* Adds a little to one element where a condition holds. */
static sp_tensor *spoil(sp_tensor *y, bool wrong, double amount)
{
    if (wrong) sp_add_scalar_(sp_select(y, 0, sp_size(y, 0) / 2), amount);
    return y;
}

static sp_tensor *wrong_level(const fuzz_case *c, sp_tensor *const *in, sp_list *leaves)
{
    (void)c, (void)leaves;
    return spoil(sp_neg(in[0]), strcmp(sp_isa(), "generic") == 0, 1e-3);
}

static sp_tensor *wrong_last_bit(const fuzz_case *c, sp_tensor *const *in, sp_list *leaves)
{
    (void)c, (void)leaves;
    return spoil(sp_neg(in[0]), strcmp(sp_isa(), "generic") != 0 && strcmp(sp_isa(), "reference") != 0, 3e-7);
}

static sp_tensor *wrong_threads(const fuzz_case *c, sp_tensor *const *in, sp_list *leaves)
{
    (void)c, (void)leaves;
    return spoil(sp_neg(in[0]), sp_num_threads() > 1, 3e-7);
}

static sp_tensor *wrong_layout(const fuzz_case *c, sp_tensor *const *in, sp_list *leaves)
{
    (void)c, (void)leaves;
    return spoil(sp_neg(in[0]), !sp_is_contiguous(in[0]), 3e-7);
}

static sp_tensor *wrong_fusion(const fuzz_case *c, sp_tensor *const *in, sp_list *leaves)
{
    (void)c, (void)leaves;
    return spoil(sp_neg(in[0]), sp__deferral(), 3e-7);
}

static sp_tensor *wrong_gradient(const fuzz_case *c, sp_tensor *const *in, sp_list *leaves)
{
    (void)c, (void)leaves;
    return strcmp(sp_isa(), "generic") == 0 ? sp_add(in[0], sp_mul_scalar(sp_detach(in[0]), 2))
                                            : sp_mul_scalar(in[0], 3);
}

static sp_tensor *wrong_refusal(const fuzz_case *c, sp_tensor *const *in, sp_list *leaves)
{
    (void)c, (void)leaves;
    return strcmp(sp_isa(), "generic") == 0 ? NULL : sp_neg(in[0]);
}

static sp_tensor *wrong_input(const fuzz_case *c, sp_tensor *const *in, sp_list *leaves)
{
    (void)c, (void)leaves;
    return sp_mul_scalar(sp_add_scalar_(sp_detach(in[0]), 1), 0);
}

static sp_tensor *right(const fuzz_case *c, sp_tensor *const *in, sp_list *leaves)
{
    (void)c, (void)leaves;
    return sp_neg(in[0]);
}

static void test_wrong_values_are_noticed(void **state)
{
    (void)state;
    static const struct {
        sp_tensor *(*call)(const fuzz_case *c, sp_tensor *const *in, sp_list *leaves);
        unsigned flags;
        const char *words; /* of the complaint; NULL: there is none */
    } rows[] = {
        {right, FUZZ_EXACT, NULL},
        {wrong_level, 0, "generic, beside reference: the value: element 50"},
        {wrong_last_bit, FUZZ_EXACT, "beside reference"},
        {wrong_threads, 0, "several threads"},
        {wrong_layout, 0, "other layouts"},
        {wrong_layout, FUZZ_LAYOUT_ROUNDS, NULL},
        {wrong_fusion, 0, "fused"},
        {wrong_gradient, 0, "generic, beside reference: gradient 1"},
        {wrong_refusal, 0, "generic, beside reference: 0 results"},
        {wrong_input, 0, "input 1 was changed"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const fuzz_subject subject = {.name = "wrong", .call = rows[i].call, .flags = rows[i].flags};
        const fuzz_case c = {.subject = &subject,
                             .level = 1,
                             .threads = 2,
                             .n = 1,
                             .in = {{.dtype = SP_F32, .ndim = 1, .sizes = {101}, .low = 1, .high = 2, .layout = 5}}};
        char why[FUZZ_WHY] = "";
        const bool failed = fuzz_check(&c, why) == FUZZ_FAILED;
        const bool expected = rows[i].words ? failed && strstr(why, rows[i].words) : !failed;
        if (!expected) fail_msg("row %d, for \"%s\": %s", (int)i, rows[i].words ? rows[i].words : "", why);
    }
}

/* ---- all ---- */

static void test_summary(void **state)
{
    (void)state;
    printf("# %d subjects, %d cases\n", n_subjects, n_cases);
}

int main(void)
{
    static struct CMUnitTest tests[MOST_SUBJECTS + 2];
    size_t n = 0;
    collect_subjects();
    tests[n++] = (struct CMUnitTest)sp_test(test_wrong_values_are_noticed);
    for (int i = 0; i < n_subjects; i++)
        tests[n++] = (struct CMUnitTest){subjects[i].name, test_subject, support_setup, support_teardown, &subjects[i]};
    tests[n++] = (struct CMUnitTest)sp_test(test_summary);
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return _cmocka_run_group_tests("fuzz_operators", tests, n, NULL, NULL);
}
