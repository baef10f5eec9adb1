/* A hook may replace a gradient, by one of the same shape and dtype only. Every operator's samples, with hooks on a
 * leaf, on what the operator reads and on what it makes: whatever else a hook returns is an error, and nothing is read
 * beyond its end (the address sanitizer looks). */
#include "support/loop.h"
#include <stdlib.h>

static int total;

/* ---- what a hook should not return ---- */

typedef enum wrong {
    ONE_ELEMENT,
    LONGER,
    ONE_DIMENSION_MORE,
    OTHER_FLOAT,
    WHOLE_NUMBERS,
    NOTHING,
    WRONG_COUNT,
} wrong;

static sp_tensor *longer(sp_tensor *grad)
{
    int64_t sizes[SP_MAX_DIMS] = {2};
    const int n = sp_ndim(grad);
    for (int d = 0; d < n; d++) sizes[d] = sp_size(grad, d);
    if (n) sizes[n - 1]++;
    return sp_ones(((sp_dims){sizes, n ? n : 1}), .dtype = sp_dtype_of(grad));
}

static sp_tensor *returns(sp_tensor *grad, void *user)
{
    switch (*(const wrong *)user) {
    case ONE_ELEMENT: return sp_numel(grad) == 1 ? sp_ones(SP_DIMS(2)) : sp_ones(SP_DIMS());
    case LONGER: return longer(grad);
    case ONE_DIMENSION_MORE: return sp_unsqueeze(grad, 0);
    case OTHER_FLOAT: return sp_cast(grad, sp_dtype_of(grad) == SP_F64 ? SP_F32 : SP_F64);
    case WHOLE_NUMBERS: return sp_cast(grad, SP_I64);
    default: return NULL;
    }
}

/* ---- where it is ---- */

typedef enum place { LEAF, READ, MADE, PLACE_COUNT } place;

/* The sample's result, made of leaves' copies, with the hook in one place; NULL where there is nothing to hook. */
static sp_tensor *hooked(const test_case *c, place where, wrong *what)
{
    sp_tensor *in[CASE_MAX_INPUTS], *target = NULL;
    make_inputs(c, LAYOUT_CONTIGUOUS, in);
    for (int i = 0; i < c->n; i++) {
        if (!c->inputs[i].grad) continue;
        sp_tensor *leaf = sp_requires_grad(in[i]);
        in[i] = sp_mul_scalar(leaf, 1);
        if (!target) target = where == LEAF ? leaf : in[i];
    }
    sp_tensor *y = case_sample(c)->call(in);
    if (where == MADE) target = y;
    return target && y && sp_needs_grad(y) && sp_register_hook(target, returns, what) ? y : NULL;
}

static void try_hook(tally *t, const test_case *c, place where, wrong what)
{
    sp_tensor *y = hooked(c, where, &what);
    if (!y) return;
    t->run++;
    sp_status status = sp_backward_with(y, sp_ones_like(y));
    if (status != SP_ERROR_SHAPE && status != SP_ERROR_DTYPE && status != SP_ERROR_NULL)
        complain(t, c, "hook %d in place %d: %s", what, where, sp_status_name(status));
    sp_error_clear();
}

static void test_hooks(void **state)
{
    int n;
    tally t = {0};
    test_case *cases = cases_of(*state, &n);
    for (int i = 0; i < n; i++)
        for (int k = 0; k < WRONG_COUNT * PLACE_COUNT && cases[i].kind == CASE_PLAIN; k++)
            if (has_dtype(&cases[i], SP_F32)) {
                SP_SCOPE {
                    try_hook(&t, &cases[i], (place)(k / WRONG_COUNT), (wrong)(k % WRONG_COUNT));
                }
            }
    sp_error_clear();
    free(cases);
    total += t.run;
    if (t.failed) fail_msg("%d of %d hooks were not refused", t.failed, t.run);
}

static void test_all(void **state)
{
    (void)state;
    printf("# %d hooks on %d operators\n", total, sp__n_ops);
    assert_true(total > 10 * sp__n_ops);
}

int main(int argc, char **argv)
{
    static const aspect aspects[] = {{.name = "hooks", .function = test_hooks, .gradients = true}};
    return run_loop(argc, argv, aspects, 1, test_all);
}
