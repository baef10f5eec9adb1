/* A product of one type: c = act(alpha·a×b + beta·c + bias), row by row, a piece of a row at a time.
 * T: in memory. C: computed with. LOAD, STORE, SCALE(x) of alpha and beta, NEGATIVE(x) of a sum; sums wrap where C is
 * unsigned. */

static void FN(row)(const sp__gemm *call, int64_t batch, int64_t i)
{
    enum { PIECE = 256 };
    const sp__matrix *a = &call->a, *b = &call->b, *c = &call->c;
    const T *ai = (const T *)a->buffer + a->offset + batch * a->batch + i * a->row;
    const C alpha = SCALE(call->alpha), beta = SCALE(call->beta);
    const sp__operand *bias = call->bias;
    C sums[PIECE];
    for (int64_t j0 = 0; j0 < call->n; j0 += PIECE) {
        const int64_t width = call->n - j0 < PIECE ? call->n - j0 : PIECE;
        memset(sums, 0, sizeof sums);
        for (int64_t k = 0; k < call->k; k++) {
            const T *bk = (const T *)b->buffer + b->offset + batch * b->batch + k * b->row + j0 * b->column;
            const C x = LOAD(ai + k * a->column);
            for (int64_t j = 0; j < width; j++) sums[j] += x * LOAD(bk + j * b->column);
        }
        T *ci = (T *)c->buffer + c->offset + batch * c->batch + i * c->row + j0 * c->column;
        for (int64_t j = 0; j < width; j++) {
            C sum = alpha * sums[j];
            if (call->beta != 0) sum += beta * LOAD(ci + j * c->column);
            if (bias) sum += LOAD((const T *)bias->buffer + bias->offset + (j0 + j) * bias->strides[0]);
            if (call->relu && NEGATIVE(sum)) sum = 0;
            STORE(ci + j * c->column, sum);
        }
    }
}

static void FN(task)(void *context, int64_t task)
{
    const sp__gemm *call = context;
    FN(row)(call, task / call->m, task % call->m);
}

sp_status FN(sp__gemm)(const sp__gemm *call)
{
    sp__flushed_tasks(call->batches * call->m, FN(task), (void *)(uintptr_t)call);
    return SP_OK;
}

#undef T
#undef C
#undef LOAD
#undef STORE
#undef SCALE
#undef NEGATIVE
#undef FN
