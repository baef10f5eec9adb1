/* Principal components: x less its mean ≈ U·diag(S)·Vᵀ, the singular values S descending.
 *
 * V's columns are eigenvectors of AᵀA, for A tall: x, or its transpose. A square halves the digits, so that only values
 * near the largest are good: those are taken off, A' = (1 - UUᵀ)·A·(1 - VVᵀ), and what is left is decomposed again. All
 * is worked out in f64. What a rank leaves open is filled with directions orthogonal to the rest, and S is 0 there.
 *
 * Source: PyTorch, torch.pca_lowrank; Löwdin, "On the non-orthogonality problem", Adv. Quantum Chem. 5, 1970. */
#include "ops/elementwise.h"
#include <float.h>
#include <math.h>
#include <spusk/random.h>

/* What was found so far of a tall A; NULL before anything was. */
typedef struct factors {
    sp_tensor *U, *S, *V;
} factors;

/* a less its part along the columns of `basis`: twice, which makes up for rounding. */
static sp_tensor *without(sp_tensor *a, sp_tensor *basis)
{
    for (int i = 0; i < 2 && basis; i++) a = sp_sub(a, sp_matmul(basis, sp_matmul(sp_t(basis), a)));
    return a;
}

/* The orthonormal columns that are nearest to a's, which are independent: a·(aᵀa)^-½. The gradient takes that factor,
 * nearly 1, for a constant. */
static sp_tensor *orthonormal(sp_tensor *a)
{
    sp_tensor *factor = NULL;
    SP_NO_GRAD {
        const sp_eigen e = sp_linalg_eigh(sp_matmul(sp_t(a), a));
        factor = sp_matmul(sp_mul(e.eigenvectors, sp_rsqrt(e.eigenvalues)), sp_t(e.eigenvectors));
        sp_escape(factor);
    }
    return sp_matmul(a, factor);
}

static sp_tensor *beside(sp_tensor *a, sp_tensor *b, int dim)
{
    return a ? sp_cat(SP_LIST(a, b), dim) : b;
}

/* `basis` and the columns of a, turned orthogonal to it and to each other. */
static sp_tensor *extended(sp_tensor *basis, sp_tensor *a)
{
    return beside(basis, orthonormal(without(a, basis)), 1);
}

/* n orthonormal columns of `rows` numbers, orthogonal to `basis`: random ones, turned. */
static sp_tensor *completed(sp_tensor *basis, int64_t rows, int64_t n)
{
    sp_generator *generator = sp_generator_new(0);
    sp_tensor *a = sp_randn(SP_DIMS(rows, n), .dtype = SP_F64, .generator = generator);
    sp_release(generator);
    for (int i = 0; i < 2; i++) a = orthonormal(without(a, basis));
    return extended(basis, a);
}

/* The eigenvectors of a's square, those of the n largest eigenvalues, the largest first. */
static sp_tensor *directions(sp_tensor *a, int64_t n)
{
    const sp_eigen e = sp_linalg_eigh(sp_matmul(sp_t(a), a));
    sp_tensor *last = sp_narrow(e.eigenvectors, 1, sp_size(a, 1) - n, n);
    return sp_index_select(last, 1, sp_arange(n - 1, (int64_t)-1, (int64_t)-1, .device = sp_device_of(a)));
}

/* Where the numbers of s stand in descending order: they do, but for the rounding of equal ones. */
static sp_tensor *descending(sp_tensor *s)
{
    const int64_t n = sp_size(s, 0);
    sp_tensor *order = sp_arange((int64_t)0, n, (int64_t)1, .device = sp_device_of(s));
    const double *values = sp_const_data(s);
    int64_t *place = values ? sp_data(order) : NULL;
    for (int64_t i = 1; i < n && place; i++) {
        int64_t at = i;
        for (; at > 0 && values[place[at - 1]] < values[i]; at--) place[at] = place[at - 1];
        place[at] = i;
    }
    return place ? order : NULL;
}

/* Adds to f the components of a, at most n, that its square shows well; returns how many, -1 after an error. 0: only
 * rounding is left of what was `largest`. */
static int64_t add_clear(factors *f, sp_tensor *a, int64_t n, double *largest)
{
    const double clear = 1e-3;
    sp_tensor *v = directions(a, n), *scores = sp_matmul(a, v), *s = sp_norm_dim(scores, 0), *order = descending(s);
    v = sp_index_select(v, 1, order);
    scores = sp_index_select(scores, 1, order);
    s = sp_index_select(s, 0, order);
    const double first = s ? sp_item(sp_select(s, 0, 0)) : NAN;
    if (isnan(first)) return -1;
    if (!f->S) *largest = first;
    if (!(first > *largest * DBL_EPSILON * (double)sp_size(a, 1))) return 0;
    const int64_t count = sp_item_i64(sp_sum(sp_ge_scalar(s, first * clear)));
    if (count < 1) return -1;
    s = sp_narrow(s, 0, 0, count);
    f->U = extended(f->U, sp_div(sp_narrow(scores, 1, 0, count), s));
    f->V = extended(f->V, sp_narrow(v, 1, 0, count));
    f->S = beside(f->S, s, 0);
    return f->U && f->V && f->S ? count : -1;
}

/* The q largest components of a tall a. */
static factors decompose(sp_tensor *a, int64_t q)
{
    factors f = {NULL, NULL, NULL};
    double largest = 0;
    int64_t more, left = q;
    while ((more = add_clear(&f, a, left, &largest)) > 0 && (left -= more) > 0)
        a = sp_t(without(sp_t(without(a, f.U)), f.V));
    if (more < 0) return (factors){NULL, NULL, NULL};
    if (left == 0) return f;
    f.U = completed(f.U, sp_size(a, 0), left);
    f.V = completed(f.V, sp_size(a, 1), left);
    f.S = beside(f.S, sp_zeros(SP_DIMS(left), .dtype = SP_F64), 0);
    return f;
}

/* The power of two that brings x's numbers near 1 where their squares might not fit into a double; else 1. NaN where
 * one of them is, or after an error. */
static double scale_of(sp_tensor *x)
{
    double largest = 1;
    int exponent = 0;
    SP_NO_GRAD {
        if (sp_dtype_of(x) == SP_F64) largest = sp_item(sp_amax(sp_abs(x)));
    }
    if (isnan(largest)) return largest;
    if (largest == 0 || isinf(largest) || (largest > 1e-100 && largest < 1e100)) return 1;
    frexp(largest, &exponent);
    return ldexp(1, exponent < -1000 ? 1000 : -exponent);
}

static sp_pca principal(sp_tensor *x, int64_t q, bool centred)
{
    const bool tall = sp_size(x, 0) >= sp_size(x, 1);
    sp_tensor *a = sp_cast(x, SP_F64);
    const double scale = scale_of(x);
    if (scale != 1) a = sp_mul_scalar(a, scale);
    if (centred) a = sp_sub(a, sp_mean_dim(a, 0, .keepdim = true));
    const factors f = decompose(tall ? a : sp_t(a), q);
    sp_tensor *s = scale != 1 ? sp_div_scalar(f.S, scale) : f.S;
    const sp_dtype dtype = sp_dtype_of(x);
    return (sp_pca){sp_cast(tall ? f.U : f.V, dtype), sp_cast(s, dtype), sp_cast(tall ? f.V : f.U, dtype)};
}

static sp_status check(sp_tensor *x, int64_t q)
{
    const char *function = "sp_pca_lowrank";
    if (sp__check_tensor(x, function, "x")) return sp_error_status();
    if (x->ndim != 2)
        return sp_raise(SP_ERROR_SHAPE, "%s: x must be (m, n), one example a row, not %s", function, sp__shape_of(x));
    if (x->dtype != SP_F32 && x->dtype != SP_F64)
        return sp_raise(SP_ERROR_DTYPE, "%s: x is %s; it must be float32 or float64: cast it", function,
                        sp_dtype_name(x->dtype));
    const int64_t most = x->sizes[0] < x->sizes[1] ? x->sizes[0] : x->sizes[1];
    if (q >= 1 && q <= most) return SP_OK;
    return sp_raise(SP_ERROR_ARGUMENT, "%s: q is %lld; a %s has 1 to %lld components", function, (long long)q,
                    sp__shape_of(x), (long long)most);
}

sp_pca(sp_pca_lowrank)(sp_tensor *x, int64_t q, const sp_pca_options *given)
{
    sp_pca_options options;
    sp_options_copy(&options, sizeof options, given);
    const sp_pca none = {NULL, NULL, NULL};
    if (check(x, q)) return none;
    sp_scope scope = sp_scope_open();
    const sp_pca p = principal(x, q, !options.no_center);
    const bool whole = p.U && p.S && p.V;
    if (whole) sp_escape(p.U), sp_escape(p.S), sp_escape(p.V);
    sp_scope_close(&scope);
    return whole ? p : none;
}
