/* Tensors of constants, of data, of sequences. */
#include "tensor/create.h"
#include <math.h>
#include <string.h>

sp_tensor *sp__finished(sp_tensor *x, const sp_tensor_options *o)
{
    if (!x || !o->requires_grad) return x;
    x->requires_grad = true;
    if (!sp__check_differentiable(x)) return x;
    sp_release(x);
    return NULL;
}

static sp_status check_request(const char *function, sp_dims dims, sp_dtype dtype)
{
    if (sp__check_shape(function, "dims", dims)) return sp_error_status();
    if (!sp_dtype_size(dtype)) return sp_raise(SP_ERROR_DTYPE, "%s: %d is no dtype", function, (int)dtype);
    return SP_OK;
}

sp_tensor *sp__new_of(const char *function, sp_dims dims, const sp_tensor_options *o, sp_dtype fallback)
{
    sp_dtype dtype = o->dtype ? o->dtype : fallback;
    if (check_request(function, dims, dtype)) return NULL;
    return sp__tensor_empty(dtype, o->device, dims.n, dims.data);
}

sp_tensor *sp__filled(sp_tensor *x, sp__fill fill, const sp_tensor_options *o)
{
    if (!x) return NULL;
    fill.out = sp__operand_of(x);
    fill.n = sp__product(x->ndim, x->sizes);
    if (!fill.n || !sp__backend_for(x)->fill(&fill)) return sp__finished(x, o);
    sp_release(x);
    return NULL;
}

sp_status sp__check_holds(const char *function, sp_dtype dtype, double value)
{
    static const double low[SP_DTYPE_COUNT] = {[SP_I64] = -9223372036854775808.0, [SP_I32] = -2147483648.0};
    static const double high[SP_DTYPE_COUNT] = {
        [SP_I64] = 9223372036854774784.0, [SP_I32] = 2147483647.0, [SP_U8] = 255};
    if (sp_dtype_is_floating_point(dtype) || dtype == SP_BOOL) return SP_OK;
    if (value > low[dtype] - 1 && trunc(value) >= low[dtype] && trunc(value) <= high[dtype]) return SP_OK;
    return sp_raise(SP_ERROR_ARGUMENT, "%s: %g does not fit into %s", function, value, sp_dtype_name(dtype));
}

static sp_tensor *constant(const char *function, sp_dims dims, double value, int64_t exact, const sp_tensor_options *o,
                           sp_dtype fallback)
{
    sp_tensor *x = sp__new_of(function, dims, o, fallback);
    if (x && sp__check_holds(function, x->dtype, value)) {
        sp_release(x);
        return NULL;
    }
    return sp__filled(x, (sp__fill){.kind = SP__FILL_VALUE, .a = value, .value_i64 = exact}, o);
}

sp_tensor *(sp_zeros)(sp_dims dims, const sp_tensor_options *options)
{
    sp_tensor_options o = sp__tensor_options(options);
    return constant("sp_zeros", dims, 0, 0, &o, SP_F32);
}

sp_tensor *(sp_ones)(sp_dims dims, const sp_tensor_options *options)
{
    sp_tensor_options o = sp__tensor_options(options);
    return constant("sp_ones", dims, 1, 1, &o, SP_F32);
}

sp_tensor *(sp_full)(sp_dims dims, double value, const sp_tensor_options *options)
{
    sp_tensor_options o = sp__tensor_options(options);
    int64_t exact = o.dtype == SP_BOOL ? value != 0 : sp_size_of_number(value);
    return constant("sp_full", dims, value, exact, &o, SP_F32);
}

sp_tensor *(sp_full_i64)(sp_dims dims, int64_t value, const sp_tensor_options *options)
{
    sp_tensor_options o = sp__tensor_options(options);
    int64_t exact = o.dtype == SP_BOOL ? value != 0 : value;
    /* the check compares doubles: i64's largest values would round out of its range */
    double number = o.dtype && o.dtype != SP_I64 ? (double)value : 0;
    if (sp_dtype_is_floating_point(o.dtype)) number = (double)value;
    return constant("sp_full", dims, number, exact, &o, SP_I64);
}

sp_tensor *(sp_empty)(sp_dims dims, const sp_tensor_options *options)
{
    sp_tensor_options o = sp__tensor_options(options);
    return sp__finished(sp__new_of("sp_empty", dims, &o, SP_F32), &o);
}

/* ---- from data ---- */

static sp_tensor *from_host(const char *function, const void *data, sp_dims dims, const sp_tensor_options *o)
{
    sp_tensor *x = sp__new_of(function, dims, o, SP_F32);
    if (!x) return NULL;
    size_t bytes = (size_t)sp__product(x->ndim, x->sizes) * sp_dtype_size(x->dtype);
    if (bytes && !data)
        sp_raise_null(function, "data");
    else if (!sp_copy_in(x, data, bytes))
        return sp__finished(x, o);
    sp_release(x);
    return NULL;
}

sp_tensor *(sp_from_data)(const void *data, sp_dims dims, const sp_tensor_options *options)
{
    sp_tensor_options o = sp__tensor_options(options);
    return from_host("sp_from_data", data, dims, &o);
}

/* Casts doubles into fresh memory of x, of any dtype; gives x up when that fails. */
static sp_tensor *with_doubles(const char *function, sp_tensor *x, const double *values)
{
    if (!x) return NULL;
    sp_tensor *exact = from_host(function, values, sp_sizes(x), &(sp_tensor_options){.dtype = SP_F64});
    sp_status status = exact ? sp__copy_values(x, exact) : sp_error_status();
    if (exact) sp_release(exact);
    if (!status) return x;
    sp_release(x);
    return NULL;
}

static sp_tensor *from_doubles(const char *function, const double *values, sp_dims dims)
{
    return with_doubles(function, sp__new_of(function, dims, &(sp_tensor_options){0}, SP_F32), values);
}

static sp_status check_count(const char *function, int64_t n)
{
    return n >= 0 ? SP_OK : sp_raise(SP_ERROR_ARGUMENT, "%s: %lld values", function, (long long)n);
}

sp_tensor *(sp_vector)(const double *values, int64_t n)
{
    if (check_count("sp_vector", n)) return NULL;
    return from_doubles("sp_vector", values, SP_DIMS(n));
}

sp_tensor *(sp_vector_i64)(const int64_t *values, int64_t n)
{
    if (check_count("sp_vector_i64", n)) return NULL;
    return from_host("sp_vector_i64", values, SP_DIMS(n), &(sp_tensor_options){.dtype = SP_I64});
}

sp_tensor *(sp_matrix)(int64_t rows, int64_t columns, const double *values, int64_t n)
{
    if (rows < 0 || columns < 0 || n < 0 || sp_size_mul(rows, columns) != n) {
        sp_raise(SP_ERROR_ARGUMENT, "sp_matrix: %lld values for %lld rows and %lld columns", (long long)n,
                 (long long)rows, (long long)columns);
        return NULL;
    }
    return from_doubles("sp_matrix", values, SP_DIMS(rows, columns));
}

sp_tensor *sp_scalar(double value)
{
    return (sp_full)(SP_DIMS(), value, NULL);
}

sp_tensor *sp_scalar_i64(int64_t value)
{
    return sp_full_i64(SP_DIMS(), value);
}

/* ---- sequences ---- */

static sp_tensor *sequence(double count, sp__fill fill, const sp_tensor_options *o, sp_dtype fallback)
{
    if (!(count >= 0) || count > 1e15) {
        sp_raise(SP_ERROR_ARGUMENT, "sp_arange: step is 0, or leads away from end, or the range is too long");
        return NULL;
    }
    return sp__filled(sp__new_of("sp_arange", SP_DIMS((int64_t)count), o, fallback), fill, o);
}

sp_tensor *(sp_arange_i64)(int64_t start, int64_t end, int64_t step, const sp_tensor_options *options)
{
    sp_tensor_options o = sp__tensor_options(options);
    sp__fill fill = {
        .kind = SP__FILL_ARANGE, .a = (double)start, .b = (double)step, .value_i64 = start, .step_i64 = step};
    /* Integers, which differ by less than 2^64, count exactly. */
    const bool up = step > 0;
    const uint64_t way = up ? (uint64_t)end - (uint64_t)start : (uint64_t)start - (uint64_t)end;
    const uint64_t each = up ? (uint64_t)step : 0 - (uint64_t)step;
    const bool leads = step != 0 && (up ? start <= end : start >= end);
    const uint64_t count = leads ? way / each + (way % each != 0) : 0;
    return sequence(leads ? (double)count : NAN, fill, &o, SP_I64);
}

sp_tensor *(sp_arange)(double start, double end, double step, const sp_tensor_options *options)
{
    sp_tensor_options o = sp__tensor_options(options);
    sp__fill fill = {.kind = SP__FILL_ARANGE,
                     .a = start,
                     .b = step,
                     .value_i64 = sp_size_of_number(start),
                     .step_i64 = sp_size_of_number(step)};
    const double steps = step == 0 ? NAN : (end - start) / step;
    return sequence(steps < 0 ? NAN : ceil(steps), fill, &o, SP_F32);
}

/* Symmetric: the second half counts from the end, so that both ends are exact. */
static void write_linspace(double start, double end, int64_t n, sp_dtype dtype, double *out)
{
    double step = n > 1 ? (end - start) / (double)(n - 1) : 0;
    if (dtype == SP_F32) step = (double)(((float)end - (float)start) / (float)(n > 1 ? n - 1 : 1));
    for (int64_t i = 0; i < n; i++)
        out[i] = i < n / 2 || n == 1 ? start + step * (double)i : end - step * (double)(n - 1 - i);
}

sp_tensor *(sp_linspace)(double start, double end, int64_t steps, const sp_tensor_options *options)
{
    sp_tensor_options o = sp__tensor_options(options);
    if (steps < 0) {
        sp_raise(SP_ERROR_ARGUMENT, "sp_linspace: the number of steps must not be negative (it is %lld)",
                 (long long)steps);
        return NULL;
    }
    sp_tensor *x = sp__new_of("sp_linspace", SP_DIMS(steps), &o, SP_F32);
    double *values = x ? sp_alloc((size_t)steps * sizeof *values) : NULL;
    if (values) write_linspace(start, end, steps, x->dtype, values);
    x = with_doubles("sp_linspace", x, values); /* without values the pending error passes on */
    sp_free(values, (size_t)steps * sizeof *values);
    return sp__finished(x, &o);
}

/* Ones along the diagonal: a copy of one number through strides (columns + 1). */
static sp_status write_diagonal(sp_tensor *x, int64_t rows, int64_t columns)
{
    sp_tensor *one = sp_scalar(1);
    if (!one) return sp_error_status();
    sp__map call = {.kind = SP__COPY, .ndim = 1, .n_operands = 2, .sizes = {rows < columns ? rows : columns}};
    call.operands[0] = sp__operand_of(x);
    call.operands[0].strides[0] = columns + 1;
    call.operands[1] = sp__operand_of(one);
    call.operands[1].strides[0] = 0;
    sp_status status = sp__backend_for(x)->map(&call);
    sp_release(one);
    return status;
}

sp_tensor *(sp_eye)(int64_t rows, int64_t columns, const sp_tensor_options *options)
{
    sp_tensor_options o = sp__tensor_options(options), plain = o;
    plain.requires_grad = false;
    sp_tensor *x = (sp_zeros)(SP_DIMS(rows, columns), &plain);
    if (!x || !write_diagonal(x, rows, columns)) return sp__finished(x, &o);
    sp_release(x);
    return NULL;
}

/* ---- in the shape of another ---- */

sp_status sp__like_options(const char *function, const sp_tensor *x, const sp_tensor_options *options,
                           sp_tensor_options *o)
{
    if (sp__check_tensor(x, function, "x")) return sp_error_status();
    *o = sp__tensor_options(options);
    if (!o->dtype) o->dtype = x->dtype;
    o->device = x->device;
    return SP_OK;
}

/* Fresh values that are all alike: the order in which they were written does not matter. */
static sp_tensor *laid_out(sp_tensor *fresh, const sp_tensor *x)
{
    if (fresh) sp__set_layout(fresh, x);
    return fresh;
}

sp_tensor *(sp_zeros_like)(const sp_tensor *x, const sp_tensor_options *options)
{
    sp_tensor_options o;
    return sp__like_options("sp_zeros_like", x, options, &o) ? NULL : laid_out((sp_zeros)(sp_sizes(x), &o), x);
}

sp_tensor *(sp_ones_like)(const sp_tensor *x, const sp_tensor_options *options)
{
    sp_tensor_options o;
    return sp__like_options("sp_ones_like", x, options, &o) ? NULL : laid_out((sp_ones)(sp_sizes(x), &o), x);
}

sp_tensor *(sp_empty_like)(const sp_tensor *x, const sp_tensor_options *options)
{
    sp_tensor_options o;
    return sp__like_options("sp_empty_like", x, options, &o) ? NULL : laid_out((sp_empty)(sp_sizes(x), &o), x);
}

sp_tensor *(sp_full_like)(const sp_tensor *x, double value, const sp_tensor_options *options)
{
    sp_tensor_options o;
    return sp__like_options("sp_full_like", x, options, &o) ? NULL : laid_out((sp_full)(sp_sizes(x), value, &o), x);
}
