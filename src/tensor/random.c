/* Random tensors. */
#include "tensor/create.h"
#include <spusk/random.h>

/* Fills x, drawing the blocks that it needs from the options' generator. */
static sp_tensor *random_fill(sp_tensor *x, sp__fill fill, const sp_tensor_options *o)
{
    if (!x) return NULL;
    sp_generator *generator = o->generator ? o->generator : sp_default_generator();
    fill.seed = generator ? generator->seed : 0;
    if (generator)
        fill.position = sp__generator_take(generator,
                                           sp__fill_blocks(fill.kind, x->dtype, sp__product(x->ndim, x->sizes)));
    return sp__filled(x, fill, o);
}

static sp_tensor *random_float(const char *function, sp_dims dims, sp__fill fill, const sp_tensor_options *o)
{
    sp_dtype dtype = o->dtype ? o->dtype : SP_F32;
    if (sp_dtype_size(dtype) && !sp_dtype_is_floating_point(dtype)) {
        sp_raise(SP_ERROR_DTYPE, "%s: needs a floating point dtype, not %s", function, sp_dtype_name(dtype));
        return NULL;
    }
    return random_fill(sp__new_of(function, dims, o, SP_F32), fill, o);
}

sp_tensor *(sp_rand)(sp_dims dims, const sp_tensor_options *options)
{
    sp_tensor_options o = sp__tensor_options(options);
    return random_float("sp_rand", dims, (sp__fill){.kind = SP__FILL_UNIFORM, .a = 0, .b = 1}, &o);
}

sp_tensor *(sp_randn)(sp_dims dims, const sp_tensor_options *options)
{
    sp_tensor_options o = sp__tensor_options(options);
    return random_float("sp_randn", dims, (sp__fill){.kind = SP__FILL_NORMAL, .a = 0, .b = 1}, &o);
}

sp_tensor *(sp_randint)(int64_t low, int64_t high, sp_dims dims, const sp_tensor_options *options)
{
    sp_tensor_options o = sp__tensor_options(options);
    sp_dtype dtype = o.dtype ? o.dtype : SP_I64;
    if (low >= high) {
        sp_raise(SP_ERROR_ARGUMENT, "sp_randint: low (%lld) must be less than high (%lld)", (long long)low,
                 (long long)high);
        return NULL;
    }
    if (sp_dtype_size(dtype) && dtype != SP_I64 &&
        (sp__check_holds("sp_randint", dtype, (double)low) || sp__check_holds("sp_randint", dtype, (double)(high - 1))))
        return NULL;
    return random_fill(
        sp__new_of("sp_randint", dims, &o, SP_I64),
        (sp__fill){.kind = SP__FILL_INTEGER, .value_i64 = low, .step_i64 = (int64_t)((uint64_t)high - (uint64_t)low)},
        &o);
}

/* Fisher and Yates, from the end. */
static void shuffle(int64_t *values, int64_t n, sp_generator *generator)
{
    for (int64_t i = 0; i < n; i++) values[i] = i;
    for (int64_t i = n - 1; i > 0; i--) {
        int64_t j = sp_generator_below(generator, i + 1), value = values[i];
        values[i] = values[j];
        values[j] = value;
    }
}

sp_tensor *(sp_randperm)(int64_t n, const sp_tensor_options *options)
{
    sp_tensor_options o = sp__tensor_options(options);
    sp_generator *generator = o.generator ? o.generator : sp_default_generator();
    if (n < 0 || (o.dtype && o.dtype != SP_I64)) {
        if (n < 0)
            sp_raise(SP_ERROR_ARGUMENT, "sp_randperm: n must not be negative (it is %lld)", (long long)n);
        else
            sp_raise(SP_ERROR_DTYPE, "sp_randperm: a permutation is int64, not %s", sp_dtype_name(o.dtype));
        return NULL;
    }
    sp_tensor *x = generator ? sp__new_of("sp_randperm", SP_DIMS(n), &o, SP_I64) : NULL;
    int64_t *values = x ? sp_data(x) : NULL;
    if (values && n) shuffle(values, n, generator);
    return x;
}

/* ---- in the shape of another ---- */

/* Values are drawn in the order of the shape. Where x lies in another order, they are copied into that. */
static sp_tensor *rearranged(sp_tensor *fresh, const sp_tensor *x, const sp_tensor_options *o)
{
    if (!fresh || sp__same_strides(fresh, x) || !sp_is_dense(x)) return sp__finished(fresh, o);
    sp_tensor *y = sp_empty_as(x, fresh->dtype);
    if (y && sp__copy_values(y, fresh)) {
        sp_release(y);
        y = NULL;
    }
    sp_release(fresh);
    return sp__finished(y, o);
}

sp_tensor *(sp_rand_like)(const sp_tensor *x, const sp_tensor_options *options)
{
    sp_tensor_options o;
    if (sp__like_options("sp_rand_like", x, options, &o)) return NULL;
    sp_tensor_options plain = o;
    plain.requires_grad = false;
    return rearranged((sp_rand)(sp_sizes(x), &plain), x, &o);
}

sp_tensor *(sp_randn_like)(const sp_tensor *x, const sp_tensor_options *options)
{
    sp_tensor_options o;
    if (sp__like_options("sp_randn_like", x, options, &o)) return NULL;
    sp_tensor_options plain = o;
    plain.requires_grad = false;
    return rearranged((sp_randn)(sp_sizes(x), &plain), x, &o);
}
