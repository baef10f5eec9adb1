#include "backends/cpu/cpu.h"
#include "fuzz/fuzz.h"
#include "support/support.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- levels ---- */

enum { N_LEVELS = 7 };
static const struct {
    const char *name;
    bool multiplies_and_adds; /* in one rounding: f32 and f64 are the same on all of these */
} levels[N_LEVELS] = {{"reference", false}, {"generic", false},  {"avx2", true}, {"avx512", true},
                      {"avx512bf16", true}, {"avx512amx", true}, {"neon", true}};

static bool has_level(int i)
{
    const bool has = sp__cpu_set_level(levels[i].name);
    sp__cpu_set_level(NULL);
    return has;
}

/* The level that a case tries other things at: the `wish`-th of those that this machine has. */
static int chosen_level(int wish)
{
    int found[N_LEVELS] = {0}, n = 0;
    for (int i = 0; i < N_LEVELS; i++)
        if (has_level(i)) found[n++] = i;
    return found[wish % n];
}

/* ---- one case ---- */

typedef struct trial {
    const fuzz_case *c;
    sp_tensor *plain[FUZZ_INPUTS], *laid_out[FUZZ_INPUTS];
    fuzz_outcome of[N_LEVELS]; /* one thread, contiguous, fused */
    double terms;
    char *why;
} trial;

static bool blame(const trial *t, const char *run, const char *than)
{
    char what[FUZZ_WHY];
    snprintf(what, sizeof what, "%s", t->why);
    snprintf(t->why, FUZZ_WHY, "%s, beside %s: %.300s", run, than, what);
    return false;
}

/* The largest finite magnitude of an input. */
static double largest_of(const sp_tensor *x)
{
    double largest = 0;
    for (int64_t i = 0; i < sp_numel(x); i++) {
        const int64_t at = i * (int64_t)sp_dtype_size(sp_dtype_of(x));
        const double y = fabs(sp__load_f64(sp_dtype_of(x), (const char *)sp_const_data(x) + at));
        if (isfinite(y)) largest = fmax(largest, y);
    }
    return largest;
}

/* What a single product of the inputs may be. Where few are added up, the sum may be far smaller than they are. */
static double product_of(const trial *t)
{
    double product = 1;
    for (int i = 0; i < t->c->n; i++) product *= fmax(1, largest_of(t->plain[i]));
    return product;
}

/* The largest number of the inputs and results, or product of the inputs; 0 where each result is compared by itself. */
static double scale_of(const trial *t, const fuzz_outcome *outcome)
{
    double scale = 0;
    if (t->c->subject->flags & FUZZ_PRODUCTS) return product_of(t);
    if (!(t->c->subject->flags & FUZZ_CANCELS)) return 0;
    for (int i = 0; i < t->c->n; i++) {
        const fuzz_input *in = &t->c->in[i];
        scale = fmax(scale, in->special ? 0x1p20 : fmax(fabs(in->low), fabs(in->high)));
    }
    for (int i = 0; i < outcome->n; i++) scale = fmax(scale, fuzz_scale(&outcome->arrays[i]));
    return scale;
}

/* Within rounding, as the subject's flags say. */
static bool agree(const trial *t, const fuzz_outcome *right, const fuzz_outcome *x, bool gradients)
{
    const unsigned flags = t->c->subject->flags;
    const double terms = flags & FUZZ_LONG ? 1e4 * t->terms : t->terms;
    if (flags & FUZZ_EXACT && !fuzz_same_bits(right, x, true, t->why)) return false;
    fuzz_outcome seen = *right;
    if (!gradients && seen.n > 1) seen.n = 1;
    return fuzz_close(&seen, x, terms, scale_of(t, right), t->why);
}

static fuzz_outcome run(const trial *t, sp_tensor *const *in, int level, int threads, bool fused)
{
    return fuzz_run(t->c, in, (fuzz_how){levels[level].name, threads, fused});
}

static bool is_wide(const fuzz_outcome *outcome)
{
    for (int i = 0; i < outcome->n; i++)
        if (outcome->arrays[i].dtype == SP_BF16) return false;
    return true;
}

static bool has_bf16(const fuzz_case *c)
{
    for (int i = 0; i < c->n; i++)
        if (c->in[i].dtype == SP_BF16) return true;
    return false;
}

/* Every level against the reference; those with a fused multiply-add against the first of them. */
static bool levels_agree(trial *t)
{
    const unsigned flags = t->c->subject->flags;
    int first = -1;
    for (int i = 0; i < N_LEVELS; i++) {
        if (!has_level(i)) continue;
        t->of[i] = run(t, t->plain, i, 1, true);
        if (!agree(t, &t->of[0], &t->of[i], !(flags & FUZZ_JUMPS))) return blame(t, levels[i].name, "reference");
        if (!levels[i].multiplies_and_adds || has_bf16(t->c) || !is_wide(&t->of[i])) continue;
        if (first < 0) first = i;
        if (!fuzz_same_bits(&t->of[first], &t->of[i], false, t->why))
            return blame(t, levels[i].name, levels[first].name);
    }
    return true;
}

static bool threads_agree(const trial *t, int level)
{
    fuzz_outcome many = run(t, t->plain, level, t->c->threads, true);
    const bool same = fuzz_same_bits(&t->of[level], &many, false, t->why);
    fuzz_outcome_free(&many);
    return same || blame(t, "several threads", levels[level].name);
}

static bool layouts_agree(const trial *t, int level)
{
    fuzz_outcome other = run(t, t->laid_out, level, 1, true);
    const unsigned flags = t->c->subject->flags;
    const bool rounds = flags & (FUZZ_LAYOUT_ROUNDS | FUZZ_SUMS_ROUND), same_value = !(flags & FUZZ_LAYOUT_ROUNDS);
    /* Only a view refuses a layout. */
    const bool impossible = other.n == 0 && t->c->subject->op && !t->c->subject->op->forward;
    const bool same = impossible || ((!same_value || fuzz_same_bits(&t->of[level], &other, rounds, t->why)) &&
                                     (!rounds || agree(t, &t->of[level], &other, !(flags & FUZZ_JUMPS))));
    fuzz_outcome_free(&other);
    return same || blame(t, "other layouts", levels[level].name);
}

/* In bf16 several places of a window may round to one maximum. The fused pass takes the greatest before rounding, the
 * operators the first, so gradients behind it go to other places. */
static bool fusion_agrees(const trial *t, int level)
{
    fuzz_outcome plain = run(t, t->plain, level, 1, false);
    const bool ties = t->c->subject->flags & FUZZ_JUMPS && has_bf16(t->c);
    const bool same = fuzz_same_bits(&plain, &t->of[level], true, t->why) && agree(t, &plain, &t->of[level], !ties);
    fuzz_outcome_free(&plain);
    return same || blame(t, "fused", levels[level].name);
}

/* No run has changed what it was given. */
static bool inputs_are_untouched(const trial *t)
{
    for (int i = 0; i < t->c->n; i++) {
        const sp_tensor *again = fuzz_tensor(&t->c->in[i], true);
        const size_t bytes = (size_t)sp_numel(again) * sp_dtype_size(sp_dtype_of(again));
        if (memcmp(sp_const_data(again), sp_const_data(t->plain[i]), bytes) == 0) continue;
        snprintf(t->why, FUZZ_WHY, "input %d was changed", i + 1);
        return false;
    }
    return true;
}

static fuzz_verdict check(trial *t)
{
    const fuzz_case *c = t->c;
    const int level = chosen_level(c->level);
    for (int i = 0; i < c->n; i++) {
        t->plain[i] = fuzz_tensor(&c->in[i], true);
        t->laid_out[i] = fuzz_tensor(&c->in[i], false);
        if ((double)fuzz_numel(&c->in[i]) > t->terms) t->terms = (double)fuzz_numel(&c->in[i]);
    }
    if (!levels_agree(t)) return FUZZ_FAILED;
    if (t->of[0].n == 0) return FUZZ_REFUSED;
    const bool good = threads_agree(t, level) && layouts_agree(t, level) && fusion_agrees(t, level) &&
                      inputs_are_untouched(t);
    return good ? FUZZ_PASSED : FUZZ_FAILED;
}

fuzz_verdict fuzz_check(const fuzz_case *c, char why[FUZZ_WHY])
{
    trial t = {.c = c, .why = why, .terms = 1};
    fuzz_verdict verdict = FUZZ_FAILED;
    const int threads = sp_num_threads();
    why[0] = 0;
    SP_SCOPE {
        verdict = check(&t);
    }
    for (int i = 0; i < N_LEVELS; i++) fuzz_outcome_free(&t.of[i]);
    sp_set_num_threads(threads);
    return verdict;
}
