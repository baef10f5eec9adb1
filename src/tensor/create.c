/* Tensors from nothing: from data, constants, sequences, random numbers. */
#include "tensor/tensor.h"
#include <math.h>
#include <spusk/random.h>
#include <string.h>

/* Marks what the options ask for; gives x up when that fails. */
static sp_tensor *finish(sp_tensor *x, const sp_tensor_options *o)
{
    if (!x || !o->requires_grad || sp_requires_grad(x)) return x;
    sp_release(x);
    return NULL;
}

static sp_status check_request(const char *function, sp_dims dims, sp_dtype dtype)
{
    if (sp__check_shape(function, "dims", dims)) return sp_error_status();
    if (!sp_dtype_size(dtype)) return sp_raise(SP_ERROR_DTYPE, "%s: %d is no dtype", function, (int)dtype);
    return SP_OK;
}

/* A contiguous tensor of o's dtype (`fallback` by default). */
static sp_tensor *make(const char *function, sp_dims dims, const sp_tensor_options *o, sp_dtype fallback)
{
    sp_dtype dtype = o->dtype ? o->dtype : fallback;
    if (check_request(function, dims, dtype)) return NULL;
    return sp__tensor_empty(dtype, o->device, dims.n, dims.data);
}

/* Runs a fill over a fresh tensor and finishes it. */
static sp_tensor *filled(sp_tensor *x, sp__fill fill, const sp_tensor_options *o)
{
    if (!x) return NULL;
    fill.out = sp__operand_of(x);
    fill.n = sp__product(x->ndim, x->sizes);
    if (!fill.n || !sp__backend_for(x)->fill(&fill)) return finish(x, o);
    sp_release(x);
    return NULL;
}

/* A number that an integer type cannot hold is refused, as in PyTorch. */
static sp_status check_fits(const char *function, sp_dtype dtype, double value)
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
    sp_tensor *x = make(function, dims, o, fallback);
    if (x && check_fits(function, x->dtype, value)) {
        sp_release(x);
        return NULL;
    }
    return filled(x, (sp__fill){.kind = SP__FILL_VALUE, .a = value, .value_i64 = exact}, o);
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
    return finish(make("sp_empty", dims, &o, SP_F32), &o);
}

/* ---- from data ---- */

static sp_tensor *from_host(const char *function, const void *data, sp_dims dims, const sp_tensor_options *o)
{
    sp_tensor *x = make(function, dims, o, SP_F32);
    if (!x) return NULL;
    size_t bytes = (size_t)sp__product(x->ndim, x->sizes) * sp_dtype_size(x->dtype);
    if (bytes && !data)
        sp_raise_null(function, "data");
    else if (!sp_copy_in(x, data, bytes))
        return finish(x, o);
    sp_release(x);
    return NULL;
}

sp_tensor *(sp_from_data)(const void *data, sp_dims dims, const sp_tensor_options *options)
{
    sp_tensor_options o = sp__tensor_options(options);
    return from_host("sp_from_data", data, dims, &o);
}

/* Doubles, cast to f32. */
static sp_tensor *from_doubles(const char *function, const double *values, sp_dims dims)
{
    sp_tensor *x = make(function, dims, &(sp_tensor_options){0}, SP_F32);
    if (!x) return NULL;
    sp_tensor *exact = from_host(function, values, dims, &(sp_tensor_options){.dtype = SP_F64});
    sp_status status = exact ? sp__copy_values(x, exact) : sp_error_status();
    if (exact) sp_release(exact);
    if (!status) return x;
    sp_release(x);
    return NULL;
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
    return filled(make("sp_arange", SP_DIMS((int64_t)count), o, fallback), fill, o);
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
    sp_dtype dtype = o.dtype ? o.dtype : SP_F32;
    if (steps < 0 || steps > INT64_MAX / 16) {
        sp_raise(SP_ERROR_ARGUMENT, "sp_linspace: the number of steps must not be negative (it is %lld)",
                 (long long)steps);
        return NULL;
    }
    sp_tensor *x = make("sp_linspace", SP_DIMS(steps), &o, SP_F32);
    double *values = x ? sp_alloc((size_t)steps * sizeof *values) : NULL;
    sp_tensor *exact = NULL;
    if (values) {
        write_linspace(start, end, steps, dtype, values);
        exact = from_host("sp_linspace", values, SP_DIMS(steps), &(sp_tensor_options){.dtype = SP_F64});
        sp_free(values, (size_t)steps * sizeof *values);
    }
    sp_status status = exact ? sp__copy_values(x, exact) : sp_error_status();
    if (exact) sp_release(exact);
    if (!status || !x) return finish(x, &o);
    sp_release(x);
    return NULL;
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
    if (!x || !write_diagonal(x, rows, columns)) return finish(x, &o);
    sp_release(x);
    return NULL;
}

/* ---- random numbers ---- */

/* Takes the blocks that a fill of n elements needs from the options' generator. */
static sp_tensor *random_fill(sp_tensor *x, sp__fill fill, const sp_tensor_options *o)
{
    if (!x) return NULL;
    sp_generator *generator = o->generator ? o->generator : sp_default_generator();
    fill.seed = generator ? generator->seed : 0;
    if (generator)
        fill.position = sp__generator_take(generator,
                                           sp__fill_blocks(fill.kind, x->dtype, sp__product(x->ndim, x->sizes)));
    return filled(x, fill, o);
}

static sp_tensor *random_float(const char *function, sp_dims dims, sp__fill fill, const sp_tensor_options *o,
                               sp_dtype fallback)
{
    sp_dtype dtype = o->dtype ? o->dtype : fallback;
    if (sp_dtype_size(dtype) && !sp_dtype_is_floating_point(dtype)) {
        sp_raise(SP_ERROR_DTYPE, "%s: needs a floating point dtype, not %s", function, sp_dtype_name(dtype));
        return NULL;
    }
    return random_fill(make(function, dims, o, fallback), fill, o);
}

sp_tensor *(sp_rand)(sp_dims dims, const sp_tensor_options *options)
{
    sp_tensor_options o = sp__tensor_options(options);
    return random_float("sp_rand", dims, (sp__fill){.kind = SP__FILL_UNIFORM, .a = 0, .b = 1}, &o, SP_F32);
}

sp_tensor *(sp_randn)(sp_dims dims, const sp_tensor_options *options)
{
    sp_tensor_options o = sp__tensor_options(options);
    return random_float("sp_randn", dims, (sp__fill){.kind = SP__FILL_NORMAL, .a = 0, .b = 1}, &o, SP_F32);
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
        (check_fits("sp_randint", dtype, (double)low) || check_fits("sp_randint", dtype, (double)(high - 1))))
        return NULL;
    return random_fill(
        make("sp_randint", dims, &o, SP_I64),
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
    sp_tensor *x = generator ? make("sp_randperm", SP_DIMS(n), &o, SP_I64) : NULL;
    int64_t *values = x ? sp_data(x) : NULL;
    if (values && n) shuffle(values, n, generator);
    return x;
}

/* ---- in the shape of another ---- */

static sp_status like(const char *function, const sp_tensor *x, const sp_tensor_options *options, sp_tensor_options *o)
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

/* The values were drawn in the order of the shape, and are copied into x's layout where that is another. */
static sp_tensor *rearranged(sp_tensor *fresh, const sp_tensor *x, const sp_tensor_options *o)
{
    if (!fresh || sp__same_strides(fresh, x) || !sp_is_dense(x)) return finish(fresh, o);
    sp_tensor *y = sp_empty_as(x, fresh->dtype);
    if (y && sp__copy_values(y, fresh)) {
        sp_release(y);
        y = NULL;
    }
    sp_release(fresh);
    return finish(y, o);
}

sp_tensor *(sp_zeros_like)(const sp_tensor *x, const sp_tensor_options *options)
{
    sp_tensor_options o;
    return like("sp_zeros_like", x, options, &o) ? NULL : laid_out((sp_zeros)(sp_sizes(x), &o), x);
}

sp_tensor *(sp_ones_like)(const sp_tensor *x, const sp_tensor_options *options)
{
    sp_tensor_options o;
    return like("sp_ones_like", x, options, &o) ? NULL : laid_out((sp_ones)(sp_sizes(x), &o), x);
}

sp_tensor *(sp_empty_like)(const sp_tensor *x, const sp_tensor_options *options)
{
    sp_tensor_options o;
    return like("sp_empty_like", x, options, &o) ? NULL : laid_out((sp_empty)(sp_sizes(x), &o), x);
}

sp_tensor *(sp_full_like)(const sp_tensor *x, double value, const sp_tensor_options *options)
{
    sp_tensor_options o;
    return like("sp_full_like", x, options, &o) ? NULL : laid_out((sp_full)(sp_sizes(x), value, &o), x);
}

sp_tensor *(sp_rand_like)(const sp_tensor *x, const sp_tensor_options *options)
{
    sp_tensor_options o;
    if (like("sp_rand_like", x, options, &o)) return NULL;
    sp_tensor_options plain = o;
    plain.requires_grad = false;
    return rearranged((sp_rand)(sp_sizes(x), &plain), x, &o);
}

sp_tensor *(sp_randn_like)(const sp_tensor *x, const sp_tensor_options *options)
{
    sp_tensor_options o;
    if (like("sp_randn_like", x, options, &o)) return NULL;
    sp_tensor_options plain = o;
    plain.requires_grad = false;
    return rearranged((sp_randn)(sp_sizes(x), &plain), x, &o);
}
