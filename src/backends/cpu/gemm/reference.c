/* Matrix products of every dtype but bool, row by row, a piece of a row at a time. Those of f32 are summed in f64, for
 * the fast kernels are measured against them; those of integers wrap. */
#include "backends/cpu/reference.h"
#include "backends/cpu/common/element.h"

#if !defined(SP_ELEMENT_BOOL8)
#if defined(SP_ELEMENT_F32) || defined(SP_ELEMENT_F64)
typedef double wide;
#elif defined(SP_ELEMENT_BF16)
typedef float wide;
#else
typedef uint64_t wide;
#endif

static wide factor_of(double x)
{
#if defined(SP_ELEMENT_F32) || defined(SP_ELEMENT_F64) || defined(SP_ELEMENT_BF16)
    return (wide)x;
#else
    return (wide)sp__to_i64(x);
#endif
}

static bool is_negative(wide sum)
{
#if defined(SP_ELEMENT_F32) || defined(SP_ELEMENT_F64) || defined(SP_ELEMENT_BF16)
    return sum < 0;
#else
    return (int64_t)sum < 0;
#endif
}

static void multiply_row(const sp__gemm *call, int64_t batch, int64_t i)
{
    enum { PIECE = 256 };
    const sp__matrix *a = &call->a, *b = &call->b, *c = &call->c;
    const element *ai = (const element *)a->buffer + a->offset + batch * a->batch + i * a->row;
    const wide alpha = factor_of(call->alpha), beta = factor_of(call->beta);
    const sp__operand *bias = call->bias;
    wide sums[PIECE];
    for (int64_t j0 = 0; j0 < call->n; j0 += PIECE) {
        const int64_t width = call->n - j0 < PIECE ? call->n - j0 : PIECE;
        memset(sums, 0, sizeof sums);
        for (int64_t k = 0; k < call->k; k++) {
            const element *bk = (const element *)b->buffer + b->offset + batch * b->batch + k * b->row + j0 * b->column;
            const wide x = (wide)load(ai + k * a->column);
            for (int64_t j = 0; j < width; j++) sums[j] += x * (wide)load(bk + j * b->column);
        }
        element *ci = (element *)c->buffer + c->offset + batch * c->batch + i * c->row + j0 * c->column;
        for (int64_t j = 0; j < width; j++) {
            wide sum = alpha * sums[j];
            if (call->beta != 0) sum += beta * (wide)load(ci + j * c->column);
            if (bias) sum += (wide)load((const element *)bias->buffer + bias->offset + (j0 + j) * bias->strides[0]);
            if (call->relu && is_negative(sum)) sum = 0;
            store(ci + j * c->column, (number)sum);
        }
    }
}

static void row_task(void *context, int64_t task)
{
    const sp__gemm *call = context;
    multiply_row(call, task / call->m, task % call->m);
}

sp_status SP__OF(sp__gemm)(const sp__gemm *call)
{
    sp__flushed_tasks(call->batches * call->m, row_task, (void *)(uintptr_t)call);
    return SP_OK;
}
#endif
