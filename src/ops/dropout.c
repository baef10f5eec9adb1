/* Dropout: y = x·m, m = 0 with probability p, else 1/(1 - p). The mask is drawn at the call and is an operand of a
 * plain product, which saves it and gives dx = dy·m. Srivastava et al., JMLR 15 (2014). */
#include "ops/ops.h"

static sp_tensor *draw_mask(const sp_tensor *x, double p)
{
    sp_generator *generator = sp_default_generator();
    sp_tensor *mask = generator ? sp_empty_as(x, x->dtype) : NULL; /* drawn in the order in which x lies */
    if (!mask) return NULL;
    sp__fill fill = {.kind = SP__FILL_BERNOULLI_SCALE,
                     .out = sp__operand_of(mask),
                     .n = sp__product(x->ndim, x->sizes),
                     .a = 1 - p,
                     .b = p < 1 ? 1 / (1 - p) : 0,
                     .seed = generator->seed};
    fill.position = sp__generator_take(generator, sp__fill_blocks(fill.kind, x->dtype, fill.n));
    if (!fill.n || !sp__backend_for(mask)->fill(&fill)) return mask;
    sp_release(mask);
    return NULL;
}

sp_tensor *sp_dropout(sp_tensor *x, double p, bool training)
{
    if (sp__check_tensor(x, "sp_dropout", "x")) return NULL;
    if (!(p >= 0 && p <= 1)) {
        sp_raise(SP_ERROR_ARGUMENT, "sp_dropout: the probability must be between 0 and 1, not %g", p);
        return NULL;
    }
    if (!sp_dtype_is_floating_point(x->dtype)) {
        sp_raise(SP_ERROR_DTYPE, "sp_dropout: needs a floating point tensor, not %s", sp_dtype_name(x->dtype));
        return NULL;
    }
    if (!training || p == 0) return x;
    sp_scope scope = sp_scope_open();
    sp_tensor *mask = draw_mask(x, p);
    sp_tensor *y = sp_escape(mask ? sp_mul(x, mask) : NULL);
    sp_scope_close(&scope);
    return y;
}
