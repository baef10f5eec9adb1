/* Transforms of inputs. */
#include "data_private.h"
#include <spusk/pointwise.h>
#include <spusk/views.h>

typedef enum transform_rule { TO_TENSOR, NORMALIZE, DISTORT, FUNCTION, COMPOSE } transform_rule;

struct sp_transform {
    transform_rule rule;
    double mean, std;
    sp__distortion distortion;
    sp_transform_function *function;
    void *user;
    sp_transform **parts;
    int n_parts;
};

static void transform_destroy(void *object)
{
    sp_transform *transform = object;
    for (int i = 0; i < transform->n_parts; i++) sp_drop(transform->parts[i]);
    if (transform->parts) sp_free(transform->parts, (size_t)transform->n_parts * sizeof(sp_transform *));
}

static const sp_kind transform_kind = {"transform", transform_destroy};

static sp_transform last_transform;
sp_transform *const sp_last_transform_ = &last_transform;

static sp_transform *make(transform_rule rule)
{
    sp_transform *transform = sp_object_new(&transform_kind, sizeof *transform);
    if (transform) transform->rule = rule;
    return transform;
}

sp_status sp__transform_check(const sp_transform *transform, const char *function)
{
    /* The sentinel of lists is no object, so it has no kind to ask for. */
    if (transform == sp_last_transform_)
        return sp_raise(SP_ERROR_ARGUMENT, "%s: the end of a list is no transform", function);
    return sp__data_argument(transform, &transform_kind, function, "transform", transform_kind.name);
}

/* ---- making ---- */

sp_transform *sp_transform_to_tensor(void)
{
    return make(TO_TENSOR);
}

sp_transform *sp_transform_normalize(double mean, double std)
{
    if (!(std > 0)) {
        sp_raise(SP_ERROR_ARGUMENT, "sp_transform_normalize: std must be positive, got %g", std);
        return NULL;
    }
    sp_transform *transform = make(NORMALIZE);
    if (!transform) return NULL;
    transform->mean = mean;
    transform->std = std;
    return transform;
}

static sp_transform *new_distortion(const char *function, sp__distortion_rule rule, double amount, double sigma)
{
    if (!(amount >= 0 && amount < 1e6) || !(sigma > 0 && 3 * sigma <= SP__BLUR_REACH)) {
        sp_raise(SP_ERROR_ARGUMENT, "%s: the amount must be 0 or more, and sigma in (0, %d], got %g, %g", function,
                 SP__BLUR_REACH / 3, amount, sigma);
        return NULL;
    }
    sp_transform *transform = make(DISTORT);
    if (transform) sp__distortion_init(&transform->distortion, rule, amount, sigma);
    return transform;
}

sp_transform *sp_transform_shift(double pixels)
{
    return new_distortion("sp_transform_shift", SP__SHIFT, pixels, 1);
}

sp_transform *sp_transform_rotate(double degrees)
{
    if (!(degrees <= 180)) {
        sp_raise(SP_ERROR_ARGUMENT, "sp_transform_rotate: at most 180 degrees each way, got %g", degrees);
        return NULL;
    }
    return new_distortion("sp_transform_rotate", SP__ROTATE, degrees, 1);
}

sp_transform *sp_transform_elastic(double alpha, double sigma)
{
    return new_distortion("sp_transform_elastic", SP__ELASTIC, alpha, sigma);
}

sp_transform *sp_transform_new(sp_transform_function *function, void *user)
{
    if (!function) {
        sp_raise_null("sp_transform_new", "function");
        return NULL;
    }
    sp_transform *transform = make(FUNCTION);
    if (!transform) return NULL;
    transform->function = function;
    transform->user = user;
    return transform;
}

/* How many transforms a list has; -1 and an error when one of them is none. */
static int count(sp_transform *const *transforms)
{
    int n = 0;
    for (; transforms[n] != sp_last_transform_; n++) {
        if (sp__transform_check(transforms[n], "sp_transform_compose")) return -1;
    }
    return n;
}

sp_transform *sp_transform_compose_until(sp_transform *const *transforms)
{
    if (!transforms) {
        sp_raise_null("sp_transform_compose", "transforms");
        return NULL;
    }
    int n = count(transforms);
    if (n < 0) return NULL;
    sp_transform *composed = make(COMPOSE);
    if (!composed || !n) return composed;
    composed->parts = sp_alloc((size_t)n * sizeof(sp_transform *));
    if (!composed->parts) {
        sp_release(composed);
        return NULL;
    }
    for (int i = 0; i < n; i++) composed->parts[i] = sp_retain(transforms[i]);
    composed->n_parts = n;
    return composed;
}

bool sp__transform_is_elementwise(const sp_transform *transform)
{
    for (int i = 0; i < transform->n_parts; i++) {
        if (!sp__transform_is_elementwise(transform->parts[i])) return false;
    }
    return transform->rule != FUNCTION && transform->rule != DISTORT;
}

/* ---- applying ---- */

/* Division by 255 in f32, as torchvision's. */
static sp_tensor *bytes_to_floats(sp_tensor *x)
{
    sp_tensor *floats = sp_cast(x, SP_F32);
    float *values = floats ? sp_data(floats) : NULL;
    if (!values) return NULL;
    for (int64_t i = 0, n = sp_numel(floats); i < n; i++) values[i] /= 255.0F;
    return floats;
}

static sp_tensor *to_tensor(sp_tensor *x)
{
    sp_dtype dtype = sp_dtype_of(x);
    if (dtype != SP_U8 && !sp_dtype_is_floating_point(dtype)) {
        sp_raise(SP_ERROR_DTYPE, "sp_transform_to_tensor: the input is %s, and must be uint8 or floating point",
                 sp_dtype_name(dtype));
        return NULL;
    }
    sp_tensor *result = dtype == SP_U8 ? bytes_to_floats(sp_contiguous(x)) : x;
    return result && sp_ndim(result) == 2 ? sp_unsqueeze(result, 0) : result;
}

static sp_tensor *normalize(const sp_transform *transform, sp_tensor *x)
{
    if (!sp_dtype_is_floating_point(sp_dtype_of(x))) {
        sp_raise(SP_ERROR_DTYPE, "sp_transform_normalize: the input is %s: put sp_transform_to_tensor() before it",
                 sp_dtype_name(sp_dtype_of(x)));
        return NULL;
    }
    return sp_div_scalar(sp_sub_scalar(x, transform->mean), transform->std);
}

static sp_tensor *call(const sp_transform *transform, sp_tensor *x, sp_generator *generator)
{
    sp_tensor *result = transform->function(x, generator, transform->user);
    if (!result) sp_raise(SP_ERROR_NULL, "a transform returned NULL, though no error is pending");
    return result;
}

static sp_tensor *apply(const sp_transform *transform, sp_tensor *x, sp_generator *generator)
{
    switch (transform->rule) {
    case TO_TENSOR: return to_tensor(x);
    case NORMALIZE: return normalize(transform, x);
    case DISTORT: return sp__distort(x, &transform->distortion, generator);
    case FUNCTION: return call(transform, x, generator);
    case COMPOSE: break;
    }
    for (int i = 0; x && i < transform->n_parts; i++) x = apply(transform->parts[i], x, generator);
    return x;
}

sp_tensor *sp_transform_apply(sp_transform *transform, sp_tensor *x, sp_generator *generator)
{
    if (sp__transform_check(transform, "sp_transform_apply")) return NULL;
    if (!sp__is_tensor(x) || !generator) {
        sp_raise_null("sp_transform_apply", generator ? "x" : "generator");
        return NULL;
    }
    return apply(transform, x, generator);
}
