/* Tensors: types, creation, questions, values in and out, copies, printing, lists. */
#ifndef SPUSK_TENSOR_H
#define SPUSK_TENSOR_H

#include <spusk/dtype.h>
#include <spusk/generator.h>
#include <spusk/scope.h>

SP_BEGIN

/* An n-dimensional strided array of one element type, 0 to SP_MAX_DIMS dimensions, sharing its memory with its
 * views. */
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

/* A tensor of the sizes dims with a copy of data, its elements in row-major order, of type `.dtype` (default f32). data
 * may be NULL when there are no elements. torch.from_numpy, but for the copy. */
SP_API sp_tensor *sp_from_data(const void *data, sp_dims dims, const sp_tensor_options *options SP_OR_NULL);
#define sp_from_data(...) SP__CALL2(sp_from_data, sp_tensor_options, __VA_ARGS__)

/* sp_vector(1, 2, 3): the f32 tensor (n) of these numbers. The function takes an array and its length. */
SP_API sp_tensor *sp_vector(const double *values, int64_t n);
#define sp_vector(...) (sp_vector)(SP__LIST(double, __VA_ARGS__), (int64_t)SP__LIST_SIZE(double, __VA_ARGS__))

/* sp_vector_i64(1, 2, 3): the i64 tensor (n) of these integers. */
SP_API sp_tensor *sp_vector_i64(const int64_t *values, int64_t n);
#define sp_vector_i64(...) (sp_vector_i64)(SP__LIST(int64_t, __VA_ARGS__), (int64_t)SP__LIST_SIZE(int64_t, __VA_ARGS__))

/* sp_matrix(2, 2, 1, 2, 3, 4): the f32 tensor (rows, columns) of these numbers, row by row. Fails unless there are
 * rows·columns of them. */
SP_API sp_tensor *sp_matrix(int64_t rows, int64_t columns, const double *values, int64_t n);
#define sp_matrix(rows, columns, ...)                                                                                  \
    (sp_matrix)(rows, columns, SP__LIST(double, __VA_ARGS__), (int64_t)SP__LIST_SIZE(double, __VA_ARGS__))

/* A 0-d f32 tensor of one number. */
SP_API sp_tensor *sp_scalar(double value);

/* A 0-d i64 tensor of one integer. */
SP_API sp_tensor *sp_scalar_i64(int64_t value);

/* Zeros of the sizes dims: sp_zeros(SP_DIMS(2, 3)). f32 by default. */
SP_API sp_tensor *sp_zeros(sp_dims dims, const sp_tensor_options *options SP_OR_NULL);
#define sp_zeros(...) SP__CALL1(sp_zeros, sp_tensor_options, __VA_ARGS__)

/* Ones of the sizes dims. f32 by default. */
SP_API sp_tensor *sp_ones(sp_dims dims, const sp_tensor_options *options SP_OR_NULL);
#define sp_ones(...) SP__CALL1(sp_ones, sp_tensor_options, __VA_ARGS__)

/* A tensor of the sizes dims whose values are undefined until they are written. f32 by default. */
SP_API sp_tensor *sp_empty(sp_dims dims, const sp_tensor_options *options SP_OR_NULL);
#define sp_empty(...) SP__CALL1(sp_empty, sp_tensor_options, __VA_ARGS__)

/* Every element is value. The dtype is by default f32, or i64 where value is written as an integer, as in torch.full.
 * Fails when `.dtype` is an integer type that cannot hold value. */
SP_API sp_tensor *sp_full(sp_dims dims, double value, const sp_tensor_options *options SP_OR_NULL);

/* sp_full of an integer, exact beyond 2^53. i64 by default. */
SP_API sp_tensor *sp_full_i64(sp_dims dims, int64_t value, const sp_tensor_options *options SP_OR_NULL);
#define sp_full_i64(...) SP__CALL2(sp_full_i64, sp_tensor_options, __VA_ARGS__)

/* start, start + step, … without end: ⌈(end - start)/step⌉ numbers in one dimension. The dtype is by default i64 where
 * all three are written as integers, else f32, as in torch.arange. Fails when step is 0 or leads away from end. */
SP_API sp_tensor *sp_arange(double start, double end, double step, const sp_tensor_options *options SP_OR_NULL);

/* sp_arange of integers, counted exactly beyond 2^53. i64 by default. */
SP_API sp_tensor *sp_arange_i64(int64_t start, int64_t end, int64_t step, const sp_tensor_options *options SP_OR_NULL);
#define sp_arange_i64(...) SP__CALL3(sp_arange_i64, sp_tensor_options, __VA_ARGS__)

/* `steps` numbers in one dimension, evenly spaced from start to end, both included. f32 by default. Fails when steps is
 * negative. */
SP_API sp_tensor *sp_linspace(double start, double end, int64_t steps, const sp_tensor_options *options SP_OR_NULL);
#define sp_linspace(...) SP__CALL3(sp_linspace, sp_tensor_options, __VA_ARGS__)

/* The matrix (rows, columns) with ones on its diagonal and zeros elsewhere. f32 by default. */
SP_API sp_tensor *sp_eye(int64_t rows, int64_t columns, const sp_tensor_options *options SP_OR_NULL);
#define sp_eye(...) SP__CALL2(sp_eye, sp_tensor_options, __VA_ARGS__)

/* Zeros in the shape, on the device and, unless options say otherwise, in the dtype of x. Laid out as x where x is
 * dense. */
SP_API sp_tensor *sp_zeros_like(const sp_tensor *x, const sp_tensor_options *options SP_OR_NULL);
#define sp_zeros_like(...) SP__CALL1(sp_zeros_like, sp_tensor_options, __VA_ARGS__)

/* Ones, like x as in sp_zeros_like. */
SP_API sp_tensor *sp_ones_like(const sp_tensor *x, const sp_tensor_options *options SP_OR_NULL);
#define sp_ones_like(...) SP__CALL1(sp_ones_like, sp_tensor_options, __VA_ARGS__)

/* Undefined values, like x as in sp_zeros_like. */
SP_API sp_tensor *sp_empty_like(const sp_tensor *x, const sp_tensor_options *options SP_OR_NULL);
#define sp_empty_like(...) SP__CALL1(sp_empty_like, sp_tensor_options, __VA_ARGS__)

/* Every element is value, like x as in sp_zeros_like. Fails when an integer dtype cannot hold value. */
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

/* The number of dimensions, x.ndim. 0 for NULL. */
SP_API int sp_ndim(const sp_tensor *x);

/* The number of elements, the product of all sizes. 0 for NULL. */
SP_API int64_t sp_numel(const sp_tensor *x);

/* The size of dimension dim; -1 is the last one. 0 for NULL, and 0 and an error for a dim out of range. */
SP_API int64_t sp_size(const sp_tensor *x, int dim);

/* How many elements lie in memory between neighbours along dimension dim; -1 is the last one. 0 for NULL, and 0 and an
 * error for a dim out of range. */
SP_API int64_t sp_stride(const sp_tensor *x, int dim);

/* All sizes, sp_ndim(x) of them, borrowed from x: x.shape. NULL has 0 dimensions. */
SP_API sp_dims sp_sizes(const sp_tensor *x);

/* The element type, x.dtype. SP_DTYPE_DEFAULT for NULL. */
SP_API sp_dtype sp_dtype_of(const sp_tensor *x);

/* The device that holds the memory, x.device. The CPU for NULL. */
SP_API sp_device sp_device_of(const sp_tensor *x);

/* Whether the elements lie in memory one after another in row-major order. */
SP_API bool sp_is_contiguous(const sp_tensor *x);

/* ---- values in and out ---- */

/* The value of a tensor with one element, x.item(); NaN and an error for any other. */
SP_API double sp_item(const sp_tensor *x);

/* The same as an integer, exact beyond 2^53; 0 and an error for a tensor without exactly one element. */
SP_API int64_t sp_item_i64(const sp_tensor *x);

/* The memory of a contiguous tensor, to read and to write, borrowed while x lives; NULL and an error when x is not
 * contiguous. The library cannot see what is written through the pointer. Operators on x therefore compute at once from
 * now on, where otherwise several may be fused, until sp_data_end. */
SP_API void *sp_data(sp_tensor *x);

/* Says that nothing more is written through the pointer of sp_data. */
SP_API void sp_data_end(sp_tensor *x);

/* The memory of a contiguous tensor, to read only, borrowed while x lives. Fails when x is not contiguous. */
SP_API const void *sp_const_data(const sp_tensor *x);

/* Copies x's elements, in row-major order whatever x's strides, to `to`. Fails unless `bytes` is exactly their size. */
SP_API sp_status sp_copy_out(void *to, const sp_tensor *x, size_t bytes);

/* Copies elements in row-major order from `from` into x. Fails unless `bytes` is exactly x's size, and where elements
 * of x share memory. */
SP_API sp_status sp_copy_in(sp_tensor *x, const void *from, size_t bytes);

/* PyTorch's text of x, as print(x) writes it. Writes at most size bytes, the ending zero among them, and returns the
 * length of the whole text, as snprintf does. */
SP_API size_t sp_to_string(const sp_tensor *x, char *buffer, size_t size);

/* Writes PyTorch's text of x and a new line to standard output. */
SP_API sp_status sp_print(const sp_tensor *x);

/* ---- copies ---- */

/* x itself when it is contiguous already, else a contiguous copy. Follows gradients. */
SP_API sp_tensor *sp_contiguous(sp_tensor *x);

/* A copy with memory of its own, laid out as x where x is dense, else contiguous. Follows gradients. */
SP_API sp_tensor *sp_clone(sp_tensor *x);

/* x in another element type, x.to(dtype); x itself when it has that type already. A float becomes an integer by
 * truncation. Follows gradients between floating types. */
SP_API sp_tensor *sp_cast(sp_tensor *x, sp_dtype dtype);

/* ---- lists ---- */

/* A list of n tensors, which it holds. A NULL among them fails the whole; SP_NONE may stand in it. */
SP_API sp_list *sp_list_new(sp_tensor *const *tensors, int64_t n);

/* SP_LIST(a, b, c): a list of these tensors. The function behind the macro takes an array that ends with sp_last_. */
SP_API sp_list *sp_list_until(sp_tensor *const *tensors);
#define SP_LIST(...) sp_list_until(SP__LIST(sp_tensor *, __VA_ARGS__, sp_last_))

/* The number of tensors; 0 for NULL. */
SP_API int64_t sp_list_length(const sp_list *list);

/* Tensor i, which the list holds; a negative i counts from the end. Fails when i is out of range. */
SP_API sp_tensor *sp_list_get(const sp_list *list, int64_t i);

/* Appends a tensor, which the list then holds. */
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
