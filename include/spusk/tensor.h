/* Tensors: types, creation, questions, values in and out, copies, printing, lists. */
#ifndef SPUSK_TENSOR_H
#define SPUSK_TENSOR_H

#include <spusk/dtype.h>
#include <spusk/generator.h>
#include <spusk/scope.h>

SP_BEGIN

/* An n-dimensional strided array of one element type, 0 to SP_MAX_DIMS dimensions, sharing its memory with its views.
 */
typedef struct sp_tensor sp_tensor;

/* An ordered list of tensors; it holds them. */
typedef struct sp_list sp_list;

extern SP_API sp_tensor *const sp_none_;
extern SP_API sp_tensor *const sp_last_;
/* Says "no tensor" where one is optional. NULL never means that: a NULL is a call that failed. */
#define SP_NONE sp_none_
/* The end of a dimension in sp_slice. */
#define SP_END INT64_MAX

/* ---- creation ---- */

typedef struct sp_tensor_options {
    size_t size;
    sp_dtype dtype;          /* default f32 unless the function says otherwise */
    sp_device device;        /* default the CPU */
    bool requires_grad;      /* record gradients for it */
    sp_generator *generator; /* of random numbers; default the thread's */
    SP_OPTIONS_END;
} sp_tensor_options;

/* Copies prod(dims) elements of `.dtype` (f32 by default) in row-major order. */
SP_API sp_tensor *sp_from_data(const void *data, sp_dims dims, const sp_tensor_options *options SP_OR_NULL);
#define sp_from_data(...) SP__CALL2(sp_from_data, sp_tensor_options, __VA_ARGS__)

/* sp_vector(1, 2, 3): a 1-d f32 tensor. The function takes the numbers and their count. */
SP_API sp_tensor *sp_vector(const double *values, int64_t n);
#define sp_vector(...) (sp_vector)(SP__LIST(double, __VA_ARGS__), (int64_t)SP__LIST_SIZE(double, __VA_ARGS__))

/* sp_vector_i64(1, 2, 3): a 1-d i64 tensor. */
SP_API sp_tensor *sp_vector_i64(const int64_t *values, int64_t n);
#define sp_vector_i64(...) (sp_vector_i64)(SP__LIST(int64_t, __VA_ARGS__), (int64_t)SP__LIST_SIZE(int64_t, __VA_ARGS__))

/* sp_matrix(rows, columns, values …): a 2-d f32 tensor from rows*columns numbers in row-major order. */
SP_API sp_tensor *sp_matrix(int64_t rows, int64_t columns, const double *values, int64_t n);
#define sp_matrix(rows, columns, ...)                                                                                  \
    (sp_matrix)(rows, columns, SP__LIST(double, __VA_ARGS__), (int64_t)SP__LIST_SIZE(double, __VA_ARGS__))

/* A 0-d f32 tensor; a 0-d i64 tensor. */
SP_API sp_tensor *sp_scalar(double value);
SP_API sp_tensor *sp_scalar_i64(int64_t value);

/* Zeros, ones, memory as it is (its values are undefined), one value. torch.full's default dtype is that of its value;
 * sp_full's is f32, or i64 when the value is written as an integer. */
SP_API sp_tensor *sp_zeros(sp_dims dims, const sp_tensor_options *options SP_OR_NULL);
#define sp_zeros(...) SP__CALL1(sp_zeros, sp_tensor_options, __VA_ARGS__)
SP_API sp_tensor *sp_ones(sp_dims dims, const sp_tensor_options *options SP_OR_NULL);
#define sp_ones(...) SP__CALL1(sp_ones, sp_tensor_options, __VA_ARGS__)
SP_API sp_tensor *sp_empty(sp_dims dims, const sp_tensor_options *options SP_OR_NULL);
#define sp_empty(...) SP__CALL1(sp_empty, sp_tensor_options, __VA_ARGS__)
SP_API sp_tensor *sp_full(sp_dims dims, double value, const sp_tensor_options *options SP_OR_NULL);
SP_API sp_tensor *sp_full_i64(sp_dims dims, int64_t value, const sp_tensor_options *options SP_OR_NULL);
#define sp_full_i64(...) SP__CALL2(sp_full_i64, sp_tensor_options, __VA_ARGS__)

/* start, start+step, … up to but without end: ceil((end-start)/step) numbers. i64 when all three are written as
 * integers, else f32, as torch.arange. Fails when step is 0 or leads away from end. */
SP_API sp_tensor *sp_arange(double start, double end, double step, const sp_tensor_options *options SP_OR_NULL);
SP_API sp_tensor *sp_arange_i64(int64_t start, int64_t end, int64_t step, const sp_tensor_options *options SP_OR_NULL);
#define sp_arange_i64(...) SP__CALL3(sp_arange_i64, sp_tensor_options, __VA_ARGS__)

/* `steps` evenly spaced numbers from start to end, both included. Floating point. */
SP_API sp_tensor *sp_linspace(double start, double end, int64_t steps, const sp_tensor_options *options SP_OR_NULL);
#define sp_linspace(...) SP__CALL3(sp_linspace, sp_tensor_options, __VA_ARGS__)

/* rows × columns with ones on the diagonal. */
SP_API sp_tensor *sp_eye(int64_t rows, int64_t columns, const sp_tensor_options *options SP_OR_NULL);
#define sp_eye(...) SP__CALL2(sp_eye, sp_tensor_options, __VA_ARGS__)

/* The same with the shape, dtype and device of x, where options do not say otherwise. */
SP_API sp_tensor *sp_zeros_like(const sp_tensor *x, const sp_tensor_options *options SP_OR_NULL);
#define sp_zeros_like(...) SP__CALL1(sp_zeros_like, sp_tensor_options, __VA_ARGS__)
SP_API sp_tensor *sp_ones_like(const sp_tensor *x, const sp_tensor_options *options SP_OR_NULL);
#define sp_ones_like(...) SP__CALL1(sp_ones_like, sp_tensor_options, __VA_ARGS__)
SP_API sp_tensor *sp_empty_like(const sp_tensor *x, const sp_tensor_options *options SP_OR_NULL);
#define sp_empty_like(...) SP__CALL1(sp_empty_like, sp_tensor_options, __VA_ARGS__)
SP_API sp_tensor *sp_full_like(const sp_tensor *x, double value, const sp_tensor_options *options SP_OR_NULL);
#define sp_full_like(...) SP__CALL2(sp_full_like, sp_tensor_options, __VA_ARGS__)

#ifndef __cplusplus
/* Python's int or float decides the type: an argument written as an integer picks the i64 function. */
#define SP__BY_NUMBER(x, floating, integral)                                                                           \
    _Generic((x), float : (floating), double : (floating), default : (integral))
#define sp_full(...) SP__CALL2(SP__BY_NUMBER(SP__A2(__VA_ARGS__), sp_full, sp_full_i64), sp_tensor_options, __VA_ARGS__)
#define sp_arange(...)                                                                                                 \
    SP__CALL3(                                                                                                         \
        SP__BY_NUMBER(SP__A1(__VA_ARGS__) + SP__A2(__VA_ARGS__) + SP__A3(__VA_ARGS__), sp_arange, sp_arange_i64),      \
        sp_tensor_options, __VA_ARGS__)
#endif

/* ---- questions ---- */

/* Number of dimensions; of elements; the size and the stride (in elements) of dimension dim, which may count from the
 * end (-1); all 0 for NULL or a dim out of range (which is an error). */
SP_API int sp_ndim(const sp_tensor *x);
SP_API int64_t sp_numel(const sp_tensor *x);
SP_API int64_t sp_size(const sp_tensor *x, int dim);
SP_API int64_t sp_stride(const sp_tensor *x, int dim);
/* All sizes, sp_ndim(x) of them, borrowed from x. NULL has 0 dimensions. */
SP_API sp_dims sp_sizes(const sp_tensor *x);
SP_API sp_dtype sp_dtype_of(const sp_tensor *x);
SP_API sp_device sp_device_of(const sp_tensor *x);
SP_API bool sp_is_contiguous(const sp_tensor *x);

/* ---- values in and out ---- */

/* The value of a tensor with one element; NaN and an error for any other. sp_item_i64 reads an integer exactly. */
SP_API double sp_item(const sp_tensor *x);
SP_API int64_t sp_item_i64(const sp_tensor *x);

/* The memory of a contiguous tensor, borrowed while x lives; NULL and an error when x is not contiguous. Since it can
 * be written to unseen, operators on x compute at once from now on, where otherwise several may be fused; sp_data_end
 * says that the pointer will not be written through any more. */
SP_API void *sp_data(sp_tensor *x);
SP_API void sp_data_end(sp_tensor *x);
SP_API const void *sp_const_data(const sp_tensor *x);

/* Copies x's elements in logical row-major order to or from `bytes` bytes, which must be exactly their size. */
SP_API sp_status sp_copy_out(void *to, const sp_tensor *x, size_t bytes);
SP_API sp_status sp_copy_in(sp_tensor *x, const void *from, size_t bytes);

/* PyTorch's text of x, as print(x) writes it. sp_to_string writes at most size bytes with the ending zero and returns
 * the length of the whole text, as snprintf; sp_print writes a line to standard output. */
SP_API size_t sp_to_string(const sp_tensor *x, char *buffer, size_t size);
SP_API sp_status sp_print(const sp_tensor *x);

/* ---- copies ---- */

/* x itself when it is contiguous already, else a contiguous copy. */
SP_API sp_tensor *sp_contiguous(sp_tensor *x);
/* A copy with its own memory, laid out as x is where x is dense, else contiguous. */
SP_API sp_tensor *sp_clone(sp_tensor *x);
/* x in another element type; x itself when it has it already. A float becomes an integer by truncation. */
SP_API sp_tensor *sp_cast(sp_tensor *x, sp_dtype dtype);

/* ---- lists ---- */

/* SP_LIST(a, b, c): a list that holds the tensors. A NULL among them fails the whole. */
SP_API sp_list *sp_list_new(sp_tensor *const *tensors, int64_t n);
SP_API sp_list *sp_list_until(sp_tensor *const *tensors);
#define SP_LIST(...) sp_list_until(SP__LIST(sp_tensor *, __VA_ARGS__, sp_last_))
/* Number of tensors; 0 for NULL. */
SP_API int64_t sp_list_length(const sp_list *list);
/* Tensor i, held by the list; negative i counts from the end. */
SP_API sp_tensor *sp_list_get(const sp_list *list, int64_t i);
/* Appends a tensor. */
SP_API sp_status sp_list_append(sp_list *list, sp_tensor *x);

SP_END_DECLS

#ifdef __cplusplus
/* An integer picks the i64 function. */
inline sp_tensor *sp_full(sp_dims dims, int64_t value, const sp_tensor_options *options = nullptr)
{
    return sp_full_i64(dims, value, options);
}
inline sp_tensor *sp_full(sp_dims dims, int value, const sp_tensor_options *options = nullptr)
{
    return sp_full_i64(dims, value, options);
}
inline sp_tensor *sp_arange(int64_t start, int64_t end, int64_t step, const sp_tensor_options *options = nullptr)
{
    return sp_arange_i64(start, end, step, options);
}
inline sp_tensor *sp_arange(int start, int end, int step, const sp_tensor_options *options = nullptr)
{
    return sp_arange_i64(start, end, step, options);
}
#endif

#endif
