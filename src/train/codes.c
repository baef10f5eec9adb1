/* The space of codes: paths through it, grids over it, planes in it. */
#include <math.h>
#include <spusk/extend.h>
#include <spusk/indexing.h>
#include <spusk/linalg.h>
#include <spusk/pointwise.h>
#include <spusk/train.h>
#include <spusk/views.h>

/* ---- morphs ---- */

/* |a| as a column, 1 where it is 0. */
static sp_tensor *lengths(sp_tensor *a)
{
    sp_tensor *n = sp_norm_dim(a, 1, .keepdim = true);
    return sp_add(n, sp_cast(sp_eq_scalar(n, 0), sp_dtype_of(a)));
}

/* The way from a to b by the angle between them, while the length changes evenly. It is a straight line where they
 * point the same way or to opposite sides, since no arc is shorter than the others there. */
static sp_tensor *slerp(sp_tensor *a, sp_tensor *b, double t)
{
    sp_tensor *na = lengths(a), *nb = lengths(b), *ua = sp_div(a, na), *ub = sp_div(b, nb);
    sp_tensor *cosine = sp_sum_dim(sp_mul(ua, ub), 1, .keepdim = true);
    const int64_t n = sp_size(a, 0);
    sp_tensor *cosines = cosine ? sp_contiguous(sp_cast(cosine, SP_F64)) : NULL;
    sp_tensor *wa = sp_empty(SP_DIMS(n, 1), .dtype = SP_F64), *wb = sp_empty(SP_DIMS(n, 1), .dtype = SP_F64);
    const double *c = cosines ? sp_const_data(cosines) : NULL;
    double *x = sp_data(wa), *y = sp_data(wb);
    for (int64_t i = 0; c && x && y && i < n; i++) {
        const double angle = acos(fmin(1, fmax(-1, c[i]))), sine = sin(angle);
        x[i] = sine > 1e-6 ? sin((1 - t) * angle) / sine : 1 - t;
        y[i] = sine > 1e-6 ? sin(t * angle) / sine : t;
    }
    const sp_dtype dtype = sp_dtype_of(a);
    sp_tensor *direction = sp_add(sp_mul(ua, sp_cast(wa, dtype)), sp_mul(ub, sp_cast(wb, dtype)));
    return sp_mul(direction, sp_lerp(na, nb, t));
}

/* Step k of all legs at once: (n, code). */
static sp_tensor *step_of(sp_tensor *from, sp_tensor *to, double t, bool spherical)
{
    return spherical ? slerp(from, to, t) : sp_lerp(from, to, t);
}

/* The memory of the whole path is asked for first, so that too many steps fail before any is made. */
static sp_tensor *closed_path(sp_tensor *codes, int64_t steps, bool spherical)
{
    const int64_t n = sp_size(codes, 0), code = sp_size(codes, 1);
    sp_tensor *next = sp_cat(SP_LIST(sp_narrow(codes, 0, 1, n - 1), sp_narrow(codes, 0, 0, 1)), 0);
    sp_tensor *path = sp_empty(SP_DIMS(n, steps, code), .dtype = sp_dtype_of(codes));
    for (int64_t k = 0; path && k < steps; k++)
        SP_SCOPE {
            sp_tensor *step = step_of(codes, next, (double)k / (double)steps, spherical);
            if (!sp_copy_(sp_select(path, 1, k), step)) path = NULL;
        }
    return path ? sp_reshape(path, n * steps, code) : NULL;
}

sp_tensor *(sp_morph)(sp_tensor *codes, int64_t steps, const sp_morph_options *given)
{
    sp_morph_options options;
    sp_options_copy(&options, sizeof options, given);
    if (!codes) return sp_raise_null("sp_morph", "codes"), NULL;
    if (sp_ndim(codes) != 2 || sp_size(codes, 0) < 2 || sp_size(codes, 1) < 1)
        return sp_raise(SP_ERROR_SHAPE, "sp_morph: a morph needs at least two codes, (n, code), of a number or more"),
               NULL;
    if (steps < 1) return sp_raise(SP_ERROR_ARGUMENT, "sp_morph: %lld steps; it needs 1", (long long)steps), NULL;
    if (!sp_dtype_is_floating_point(sp_dtype_of(codes)))
        return sp_raise(SP_ERROR_DTYPE, "sp_morph: codes are %s; cast them to float",
                        sp_dtype_name(sp_dtype_of(codes))),
               NULL;
    sp_tensor *path = NULL;
    SP_NO_GRAD {
        path = sp_escape(closed_path(codes, steps, options.spherical));
    }
    return path;
}

/* ---- grids ---- */

sp_tensor *sp_code_grid(int64_t rows, int64_t columns, double left, double right, double bottom, double top)
{
    if (rows < 1 || columns < 1)
        return sp_raise(SP_ERROR_ARGUMENT, "sp_code_grid: %lld by %lld is no grid", (long long)rows,
                        (long long)columns),
               NULL;
    if (sp_size_mul(rows, columns) > INT64_MAX / 16)
        return sp_raise(SP_ERROR_MEMORY, "sp_code_grid: a grid of %lld by %lld does not fit into memory",
                        (long long)rows, (long long)columns),
               NULL;
    sp_tensor *grid = NULL;
    SP_NO_GRAD {
        sp_tensor *x = sp_linspace(left, right, columns), *y = sp_linspace(top, bottom, rows);
        sp_tensor *across = sp_expand(sp_unsqueeze(x, 0), rows, columns);
        sp_tensor *down = sp_expand(sp_unsqueeze(y, 1), rows, columns);
        grid = sp_escape(sp_reshape(sp_stack(SP_LIST(across, down), 2), rows * columns, 2));
    }
    return grid;
}

/* ---- planes ---- */

/* An orthonormal basis of the columns' span: x·(xᵀx)^(-1/2), twice, since the first is exact to half the digits. */
static sp_tensor *orthonormal(sp_tensor *x)
{
    for (int i = 0; i < 2; i++) {
        const sp_eigen e = sp_linalg_eigh(sp_matmul(sp_t(x), x));
        const double low = sp_item(sp_amin(e.eigenvalues)), high = sp_item(sp_amax(e.eigenvalues));
        if (low <= 1e-14 * high)
            return sp_raise(SP_ERROR_ARGUMENT, "sp_subspace_angle: the columns depend on each other"), NULL;
        x = sp_matmul(sp_mul(sp_matmul(x, e.eigenvectors), sp_rsqrt(e.eigenvalues)), sp_t(e.eigenvectors));
    }
    return x;
}

/* The largest or the smallest singular value of x; NaN after an error. */
static double extreme(sp_tensor *x, bool largest)
{
    const sp_eigen e = sp_linalg_eigh(sp_matmul(sp_t(x), x));
    const double square = sp_item(largest ? sp_amax(e.eigenvalues) : sp_amin(e.eigenvalues));
    return square < 0 ? 0 : sqrt(square); /* rounding may go below 0 */
}

/* The sine is the largest stretch of the part of b outside a, the cosine the smallest of the part inside. The sine is
 * exact for small angles, the cosine for large ones. */
static double largest_angle(sp_tensor *a, sp_tensor *b)
{
    sp_tensor *inside = sp_matmul(sp_t(a), b), *outside = sp_sub(b, sp_matmul(a, inside));
    const double sine = extreme(outside, true), cosine = extreme(inside, false);
    return atan2(sine, cosine) * 180 / acos(-1);
}

double sp_subspace_angle(sp_tensor *a, sp_tensor *b)
{
    double angle = (double)NAN;
    if (!a || !b) return sp_raise_null("sp_subspace_angle", a ? "b" : "a"), angle;
    if (sp_ndim(a) != 2 || sp_ndim(b) != 2 || sp_size(a, 0) != sp_size(b, 0) || sp_numel(a) == 0 || sp_numel(b) == 0)
        return sp_raise(SP_ERROR_SHAPE, "sp_subspace_angle: two matrices (n, p) and (n, q) are compared"), angle;
    SP_NO_GRAD {
        const bool swap = sp_size(a, 1) < sp_size(b, 1);
        sp_tensor *larger = orthonormal(sp_cast(swap ? b : a, SP_F64));
        sp_tensor *smaller = orthonormal(sp_cast(swap ? a : b, SP_F64));
        if (larger && smaller) angle = largest_angle(larger, smaller);
    }
    return angle;
}
