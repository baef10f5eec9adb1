/* Any convolution of one type: which loops a call runs by. */

/* ---- dense, where lists do not pay ---- */

typedef struct FN(dense) {
    const sp__conv *call;
    T *y;
} FN(dense);

static void FN(expand_image)(void *context, int64_t image)
{
    const FN(dense) *d = context;
    const sp__conv *call = d->call;
    const int64_t channels = (call->out + FN(LANES) - 1) / FN(LANES) * FN(LANES), from[2] = {0, 0};
    FN(expand_places)
    (call, image, 0, call->out, from, call->out_size, channels,
     d->y + image * call->out_size[0] * call->out_size[1] * channels);
}

/* Backward-data by the gradient of y in memory. */
static sp_status FN(run_expanded)(const sp__conv *call)
{
    const int64_t channels = (call->out + FN(LANES) - 1) / FN(LANES) * FN(LANES);
    const int64_t row = call->out_size[1] * channels, image = call->out_size[0] * row;
    const size_t bytes = (size_t)(call->batch * image) * sizeof(T);
    FN(dense) d = {call, sp__scratch(bytes)};
    if (!d.y) return SP_ERROR_MEMORY;
    sp__flushed_tasks(call->batch, FN(expand_image), &d);
    sp__conv inner = *call;
    inner.tail = NULL;
    inner.y = (sp__operand){d.y, 0, call->dtype, {image, 1, row, channels}};
    const sp_status status = DENSE(&inner);
    sp_free(d.y, bytes);
    return status;
}

/* ---- any call ---- */

static sp_status FN(run_conv)(const sp__conv *call)
{
    if (call->kind == SP__CONV_FORWARD) return DENSE(call);
    const bool sparse = call->tail && IS_SPARSE(call);
    if (call->data && !(sparse && call->tail->pool[0] * call->tail->pool[1] > 1)) { /* no one pass: two */
        const sp__conv data = sp__conv_of_data(call);
        sp__conv weight = *call;
        weight.data = NULL;
        const sp_status status = FN(run_conv)(&data);
        return status ? status : FN(run_conv)(&weight);
    }
    if (sparse) return RUN_SPARSE(call);
    if (call->kind == SP__CONV_BACKWARD_WEIGHT) return sp__conv_with_x(call, DTYPE, FN(run_weights));
    return call->tail ? FN(run_expanded)(call) : DENSE(call);
}
