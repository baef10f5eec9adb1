/* The convolution of one type and its gradients. T: in memory. C: computed with. LOAD, STORE. */

static const T *FN(at)(const sp__operand *x, int64_t a, int64_t b, int64_t c, int64_t d)
{
    return (const T *)x->buffer + offset_of(x, a, b, c, d);
}

static void FN(set)(const sp__operand *x, int64_t a, int64_t b, int64_t c, int64_t d, C value)
{
    STORE((T *)x->buffer + offset_of(x, a, b, c, d), value);
}

/* Σ a[k·a_step]·b[k·b_step] over n channels. */
static C FN(dot)(const T *a, int64_t a_step, const T *b, int64_t b_step, int64_t n)
{
    C sum = 0;
    for (int64_t k = 0; k < n; k++) sum += LOAD(a + k * a_step) * LOAD(b + k * b_step);
    return sum;
}

static C FN(bias)(const sp__conv *call, int64_t channel)
{
    const sp__operand *bias = call->bias;
    return bias ? LOAD((const T *)bias->buffer + bias->offset + channel * bias->strides[0]) : 0;
}

/* y[n,o,p,q] */
static C FN(forward_one)(const sp__conv *call, int64_t n, int64_t o, int64_t p, int64_t q)
{
    const int64_t inputs = call->in / call->groups, first = o / (call->out / call->groups) * inputs;
    C sum = FN(bias)(call, o);
    for (int64_t s = 0; s < call->kernel[0]; s++)
        for (int64_t t = 0; t < call->kernel[1]; t++) {
            const int64_t h = place_of_x(call, 0, p, s), w = place_of_x(call, 1, q, t);
            if (h < 0 || w < 0) continue;
            sum += FN(dot)(FN(at)(&call->x, n, first, h, w), call->x.strides[1], FN(at)(&call->w, o, 0, s, t),
                           call->w.strides[1], inputs);
        }
    return sum;
}

/* x[n,i,h,w] */
static C FN(data_one)(const sp__conv *call, int64_t n, int64_t i, int64_t h, int64_t w)
{
    const int64_t inputs = call->in / call->groups, outputs = call->out / call->groups;
    const int64_t first = i / inputs * outputs;
    C sum = FN(bias)(call, i);
    for (int64_t s = 0; s < call->kernel[0]; s++)
        for (int64_t t = 0; t < call->kernel[1]; t++) {
            const int64_t p = place_of_y(call, 0, h, s), q = place_of_y(call, 1, w, t);
            if (p < 0 || q < 0) continue;
            sum += FN(dot)(FN(at)(&call->y, n, first, p, q), call->y.strides[1],
                           FN(at)(&call->w, first, i % inputs, s, t), call->w.strides[0], outputs);
        }
    return sum;
}

/* w[o,i,s,t] */
static C FN(weight_one)(const sp__conv *call, int64_t o, int64_t i, int64_t s, int64_t t)
{
    const int64_t inputs = call->in / call->groups, channel = o / (call->out / call->groups) * inputs + i;
    C sum = 0;
    for (int64_t n = 0; n < call->batch; n++)
        for (int64_t p = 0; p < call->out_size[0]; p++)
            for (int64_t q = 0; q < call->out_size[1]; q++) {
                const int64_t h = place_of_x(call, 0, p, s), w = place_of_x(call, 1, q, t);
                if (h < 0 || w < 0) continue;
                sum += LOAD(FN(at)(&call->y, n, o, p, q)) * LOAD(FN(at)(&call->x, n, channel, h, w));
            }
    return sum;
}

/* The gradient of bias[o]. */
static void FN(bias_gradient)(const sp__conv *call, int64_t o)
{
    C sum = 0;
    for (int64_t n = 0; n < call->batch; n++)
        for (int64_t p = 0; p < call->out_size[0]; p++)
            for (int64_t q = 0; q < call->out_size[1]; q++) sum += LOAD(FN(at)(&call->y, n, o, p, q));
    const sp__operand *bias = call->bias;
    STORE((T *)bias->buffer + bias->offset + o * bias->strides[0], sum);
}

/* ---- a task is one channel of one image, or of the kernels ---- */

static void FN(forward_task)(void *context, int64_t task)
{
    const sp__conv *call = context;
    const int64_t n = task / call->out, o = task % call->out;
    for (int64_t p = 0; p < call->out_size[0]; p++)
        for (int64_t q = 0; q < call->out_size[1]; q++)
            FN(set)(&call->y, n, o, p, q, FN(forward_one)(call, n, o, p, q));
}

static void FN(data_task)(void *context, int64_t task)
{
    const sp__conv *call = context;
    const int64_t n = task / call->in, i = task % call->in;
    for (int64_t h = 0; h < call->size[0]; h++)
        for (int64_t w = 0; w < call->size[1]; w++) FN(set)(&call->x, n, i, h, w, FN(data_one)(call, n, i, h, w));
}

static void FN(weight_task)(void *context, int64_t o)
{
    const sp__conv *call = context;
    for (int64_t i = 0; i < call->in / call->groups; i++)
        for (int64_t s = 0; s < call->kernel[0]; s++)
            for (int64_t t = 0; t < call->kernel[1]; t++)
                FN(set)(&call->w, o, i, s, t, FN(weight_one)(call, o, i, s, t));
    if (call->bias) FN(bias_gradient)(call, o);
}

sp_status FN(sp__conv)(const sp__conv *call)
{
    void *context = (void *)(uintptr_t)call;
    switch (call->kind) {
    case SP__CONV_FORWARD: sp__flushed_tasks(call->batch * call->out, FN(forward_task), context); break;
    case SP__CONV_BACKWARD_DATA: sp__flushed_tasks(call->batch * call->in, FN(data_task), context); break;
    case SP__CONV_BACKWARD_WEIGHT: sp__flushed_tasks(call->out, FN(weight_task), context); break;
    }
    return SP_OK;
}

#undef T
#undef C
#undef LOAD
#undef STORE
#undef FN
