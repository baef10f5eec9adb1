/* Dropout: y = x·m, m = 0 with probability p, else 1/(1 - p). The mask is drawn at the call and is an operand of a
 * plain product, which saves it and gives dx = dy·m. Srivastava et al., JMLR 15 (2014). */
#include "ops/ops.h"

/* A number for each element of x, or, with `kept`, for each index of its first dimensions. */
static sp_tensor *draw_mask(const sp_tensor *x, int kept, double p)
{
    sp_generator *generator = sp_default_generator();
    int64_t sizes[SP_MAX_DIMS];
    for (int d = 0; d < x->ndim; d++) sizes[d] = d < kept ? x->sizes[d] : 1;
    sp_tensor *mask = !generator        ? NULL
                      : kept == x->ndim ? sp_empty_as(x, x->dtype) /* drawn in the order in which x lies */
                                        : sp__tensor_empty(x->dtype, x->device, x->ndim, sizes);
    if (!mask) return NULL;
    sp__fill fill = {.kind = SP__FILL_BERNOULLI_SCALE,
                     .out = sp__operand_of(mask),
                     .n = sp__product(x->ndim, sizes),
                     .a = 1 - p,
                     .b = p < 1 ? 1 / (1 - p) : 0,
                     .seed = generator->seed};
    fill.position = sp__generator_take(generator, sp__fill_blocks(fill.kind, x->dtype, fill.n));
    if (!fill.n || !sp__backend_for(mask)->fill(&fill)) return mask;
    sp_release(mask);
    return NULL;
}

static sp_tensor *dropout(const char *function, sp_tensor *x, int kept, double p, bool training)
{
    if (!(p >= 0 && p <= 1)) {
        sp_raise(SP_ERROR_ARGUMENT, "%s: the probability must be between 0 and 1, not %g", function, p);
        return NULL;
    }
    if (!sp_dtype_is_floating_point(x->dtype)) {
        sp_raise(SP_ERROR_DTYPE, "%s: needs a floating point tensor, not %s", function, sp_dtype_name(x->dtype));
        return NULL;
    }
    if (!training || p == 0) return x;
    sp_scope scope = sp_scope_open();
    sp_tensor *mask = draw_mask(x, kept, p);
    sp_tensor *y = sp_escape(mask ? sp_mul(x, mask) : NULL);
    sp_scope_close(&scope);
    return y;
}

sp_tensor *sp_dropout(sp_tensor *x, double p, bool training)
{
    if (sp__check_tensor(x, "sp_dropout", "x")) return NULL;
    return dropout("sp_dropout", x, x->ndim, p, training);
}

sp_tensor *sp_dropout2d(sp_tensor *x, double p, bool training)
{
    if (sp__check_tensor(x, "sp_dropout2d", "x")) return NULL;
    if (x->ndim == 3 || x->ndim == 4) return dropout("sp_dropout2d", x, x->ndim - 2, p, training);
    sp_raise(SP_ERROR_SHAPE, "sp_dropout2d: needs images (N, C, H, W) or one (C, H, W), not shape %s", sp__shape_of(x));
    return NULL;
}
