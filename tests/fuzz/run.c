#include "autograd/deferred.h"
#include "backends/cpu/cpu.h"
#include "fuzz/fuzz.h"
#include "support/support.h"
#include <stdlib.h>
#include <string.h>

void fuzz_outcome_free(fuzz_outcome *outcome)
{
    for (int i = 0; i < outcome->n; i++) free(outcome->arrays[i].data);
    *outcome = (fuzz_outcome){0};
}

static void keep_array(fuzz_outcome *outcome, sp_tensor *x)
{
    if (outcome->n == FUZZ_RESULTS) fail_msg("there is no room for so many results");
    fuzz_array *a = &outcome->arrays[outcome->n++];
    *a = (fuzz_array){.n = 0};
    if (x == SP_NONE) return;
    const sp_dims sizes = sp_sizes(x);
    a->dtype = sp_dtype_of(x);
    a->ndim = sizes.n;
    memcpy(a->sizes, sizes.data, (size_t)sizes.n * sizeof *sizes.data);
    a->n = sp_numel(x);
    const size_t bytes = (size_t)a->n * sp_dtype_size(a->dtype);
    a->data = malloc(bytes ? bytes : 1);
    if (!a->data || sp_copy_out(a->data, x, bytes)) fail_msg("no result: %s", sp_error_message());
}

/* Weights between 1/2 and 3/2, without a pattern, that every floating dtype holds exactly. */
static sp_tensor *weights_like(sp_tensor *y)
{
    sp_tensor *w = sp_empty(sp_sizes(y), .dtype = SP_F32);
    float *data = sp_data(w);
    fuzz_random r = {1};
    for (int64_t i = 0; i < sp_numel(w); i++) data[i] = 0.5F + (float)(fuzz_word(&r) % 64) / 64;
    sp_data_end(w);
    return sp_cast(w, sp_dtype_of(y));
}

static void keep_gradients(fuzz_outcome *outcome, sp_tensor *y, const sp_list *leaves)
{
    sp_list *grads = sp_autograd_grad_with(SP_LIST(y), leaves, SP_LIST(weights_like(y)), .allow_unused = true);
    if (!grads) fail_msg("no gradients: %s", sp_error_message());
    for (int64_t i = 0; i < sp_list_length(grads); i++) keep_array(outcome, sp_list_get(grads, i));
}

static void call(const fuzz_case *c, sp_tensor *const *in, fuzz_outcome *outcome)
{
    sp_tensor *mine[FUZZ_INPUTS];
    sp_list *leaves = sp_list_new(NULL, 0);
    for (int i = 0; i < c->n; i++) {
        mine[i] = sp_detach(in[i]);
        const bool differentiable = !c->in[i].constant && sp_dtype_is_floating_point(c->in[i].dtype);
        if (differentiable) sp_list_append(leaves, sp_requires_grad(mine[i]));
    }
    sp_manual_seed(c->seed);
    sp_tensor *y = c->subject->call(c, mine, leaves);
    if (!y && getenv("SPUSK_FUZZ_CASE")) print_message("refused: %s\n", sp_error_message());
    if (!y) return;
    keep_array(outcome, y);
    if (sp_needs_grad(y)) keep_gradients(outcome, y, leaves);
}

fuzz_outcome fuzz_run(const fuzz_case *c, sp_tensor *const *in, fuzz_how how)
{
    fuzz_outcome outcome = {0};
    const bool fuses = sp__deferral();
    if (!sp__cpu_set_level(how.level) || sp_set_num_threads(how.threads)) fail_msg("no level %s", how.level);
    sp__set_deferral(how.fused);
    if (c->no_grad || c->subject->flags & FUZZ_NO_GRADIENT) {
        SP_NO_GRAD {
            call(c, in, &outcome);
        }
    } else {
        SP_SCOPE {
            call(c, in, &outcome);
        }
    }
    sp__set_deferral(fuses);
    sp__cpu_set_level(NULL);
    sp_error_clear();
    return outcome;
}
