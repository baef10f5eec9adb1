/* Batches of products. Whoever includes it has a gemm_one. */

typedef struct batch_run {
    const sp__gemm *call;
    atomic_int status; /* of the first that failed */
} batch_run;

static void batch_task(void *context, int64_t batch)
{
    batch_run *b = context;
    int none = SP_OK;
    const int status = (int)gemm_one(b->call, batch);
    if (status != SP_OK) atomic_compare_exchange_strong(&b->status, &none, status);
}

/* Few large products are shared out each, many small ones as a whole. */
static sp_status multiply_batches(const sp__gemm *call)
{
    if (call->batches == 1) return gemm_one(call, 0);
    batch_run batches = {.call = call};
    const double work = (double)call->m * (double)call->n * (double)call->k;
    if (work < 4e6 && work * (double)call->batches >= 100000) {
        sp__flushed_tasks(call->batches, batch_task, &batches);
    } else {
        for (int64_t i = 0; i < call->batches; i++) batch_task(&batches, i);
    }
    return (sp_status)atomic_load(&batches.status);
}
