/* Backward behind ReLU and max-pooling by lists, for one type: continues entries.inc.h. */

/* ---- images ---- */

/* Between x and its copy, whose padding stays as it is. */
static void FN(copy_in)(const FN(sparse) * s, int64_t image, T *copy)
{
    const sp__conv *call = s->call;
    const bool narrow = call->x.dtype == SP_BF16;
    for (int64_t h = 0; h < call->size[0] && h + call->padding[0] < s->rows; h++) {
        for (int64_t w = 0; w < call->size[1] && w + call->padding[1] < s->columns; w++) {
            const char *x = FN(window_of)(&call->x, image, h, w, 0);
            T *to = copy + ((h + call->padding[0]) * s->columns + w + call->padding[1]) * FN(LANES);
            for (int64_t c = 0; c < call->in; c += FN(LANES), to += s->rows * s->columns * FN(LANES))
                *(FN(vector) *)to = FN(load_either)(x, narrow, c, call->in - c);
        }
    }
}

static void FN(copy_out)(const FN(sparse) * s, int64_t image, const T *copy)
{
    const sp__conv *call = s->call;
    const bool narrow = s->dx.dtype == SP_BF16;
    for (int64_t h = 0; h < call->size[0]; h++) {
        for (int64_t w = 0; w < call->size[1]; w++) {
            const int64_t at = s->dx.offset + image * s->dx.strides[0] + h * s->dx.strides[2] + w * s->dx.strides[3];
            const T *from = copy + ((h + call->padding[0]) * s->columns + w + call->padding[1]) * FN(LANES);
            for (int64_t c = 0; c < call->in; c += FN(LANES), from += s->rows * s->columns * FN(LANES))
                FN(store_either)(s->dx.buffer, narrow, at + c, *(const FN(vector) *)from, call->in - c);
        }
    }
}

/* ---- a task ---- */

/* All channels of y in each block of x's, in turn. */
static void FN(run_blocks)(const FN(sparse) * s, const FN(entry) * entries, FN(entry) * *ends, T *image, T *weights,
                           bool gathers)
{
    const int64_t out = s->call->out, block = s->rows * s->columns * FN(LANES);
    for (int64_t b = 0; b < s->blocks; b++) {
        for (int64_t o = 0; o < out; o++) {
            const FN(entry) *first = entries + o * s->most;
            FN(run_entries)
            (s, first, ends[o] - first, image + b * block, weights + (b * out + o) * s->weights, gathers);
        }
    }
}

static int64_t FN(run_sparse_image)(const FN(sparse) * s, int64_t part, int64_t image, T *sums, T *bias)
{
    const sp__conv *call = s->call;
    T *x = FN(sparse_image)(s, part), *dx = x + s->image_bytes / sizeof(T);
    FN(entry) *entries = FN(sparse_entries)(s, part), **ends = FN(sparse_ends)(s, part);
    const int64_t found = FN(list_image)(s, image, entries, ends);
    if (sums) {
        FN(copy_in)(s, image, x);
        FN(run_blocks)(s, entries, ends, x, sums, true);
    }
    if (s->w) {
        memset(dx, 0, s->image_bytes);
        FN(run_blocks)(s, entries, ends, dx, s->w, false);
        FN(copy_out)(s, image, dx);
    }
    for (int64_t o = 0; bias && o < call->out; o++)
        for (const FN(entry) *e = entries + o * s->most; e < ends[o]; e++) bias[o] += e->value;
    return found;
}

static void FN(sparse_task)(void *context, int64_t part)
{
    FN(sparse) *s = context;
    const sp__conv *call = s->call;
    const int64_t first = part * s->images, last = FN(least)(first + s->images, call->batch);
    const int64_t weights = s->blocks * call->out * s->weights;
    T *sums = s->sums ? s->sums + part * weights : NULL, *bias = NULL;
    if (sums) memset(sums, 0, (size_t)weights * sizeof(T));
    if (sums && call->bias)
        bias = memset(s->sums + s->parts * weights + part * call->out, 0, (size_t)call->out * sizeof(T));
    memset(FN(sparse_image)(s, part), 0, s->image_bytes);
    s->found[part] = 0;
    for (int64_t image = first; image < last; image++)
        s->found[part] += FN(run_sparse_image)(s, part, image, sums, bias);
}

/* ---- weights before, their gradient after ---- */

/* Channel o of y: between the weights' own memory, of any strides, and [block][o][tap][LANES]. */
static void FN(pack_sparse_weights)(void *context, int64_t o)
{
    const FN(sparse) *s = context;
    const sp__conv *call = s->call;
    const int64_t *strides = s->dx_w.strides;
    for (int64_t c = 0; c < s->blocks * FN(LANES); c++) {
        T *to = s->w + (c / FN(LANES) * call->out + o) * s->weights + c % FN(LANES);
        for (int64_t tap = 0; tap < call->kernel[0] * call->kernel[1]; tap++) {
            const int64_t at = o * strides[0] + c * strides[1] + tap / call->kernel[1] * strides[2] +
                               tap % call->kernel[1] * strides[3];
            to[tap * FN(LANES)] = c < call->in ? FN(get)(&s->dx_w, at) : 0;
        }
    }
}

static void FN(add_sparse_parts)(void *context, int64_t o)
{
    const FN(sparse) *s = context;
    const sp__conv *call = s->call;
    const int64_t block = call->out * s->weights, part = s->blocks * block;
    for (int64_t b = 0; b < s->blocks; b++) {
        for (int64_t tap = 0; tap < call->kernel[0] * call->kernel[1]; tap++) {
            const T *from = s->sums + b * block + o * s->weights + tap * FN(LANES);
            FN(vector) sum = {0};
            for (int64_t i = 0; i < s->parts; i++) sum += *(const FN(vector) *)(from + i * part);
            T values[FN(LANES)];
            memcpy(values, &sum, sizeof values);
            const int64_t at = o * call->w.strides[0] + b * FN(LANES) * call->w.strides[1] +
                               tap / call->kernel[1] * call->w.strides[2] + tap % call->kernel[1] * call->w.strides[3];
            for (int64_t c = 0; c < FN(LANES) && b * FN(LANES) + c < call->in; c++)
                FN(set)(&call->w, at + c * call->w.strides[1], values[c]);
        }
    }
    if (!call->bias) return;
    T sum = 0;
    for (int64_t i = 0; i < s->parts; i++) sum += s->sums[s->parts * part + i * call->out + o];
    FN(set)(call->bias, o * call->bias->strides[0], sum);
}

/* ---- when and how ---- */

/* The share of places that a ReLU let through, in some images of the batch. */
static double FN(sampled_density)(const sp__conv *call)
{
    enum { SAMPLES = 4 };
    const int64_t windows = call->out_size[0] * call->out_size[1], step = (call->batch + SAMPLES - 1) / SAMPLES;
    int64_t positive = 0, seen = 0;
    for (int64_t image = 0; image < call->batch; image += step, seen += windows * call->out) {
        for (int64_t i = 0; i < windows; i++) {
            const FN(window) w = FN(window_at)(call->tail, image, i / call->out_size[1], i % call->out_size[1], 0);
            for (int64_t o = 0; o < call->out; o += FN(LANES)) {
                const FN(vector) y = FN(load_either)(w.y, w.y_narrow, o, call->out - o);
                positive += __builtin_popcount(sp__signs((sp__words)(y > 0)));
            }
        }
    }
    return seen ? (double)positive / (double)seen : 1;
}

/* Whether lists pay: a place's channels fill vectors, images and lists fit into the second-level cache. Behind ReLU
 * alone they do for the weights' gradient where it let at most half through: an entry's sums are in registers
 * there, while those of backward-data are in memory. */
static bool FN(is_sparse)(const sp__conv *call)
{
    const sp__conv_tail *tail = call->tail;
    const int64_t image = (call->size[0] + 2 * call->padding[0]) * (call->size[1] + 2 * call->padding[1]) * call->in;
    const int64_t places = tail->pool[0] * tail->pool[1], all = call->out_size[0] * call->out_size[1] * call->out;
    if (call->groups > 1 || call->dilation[1] != 1 || call->in * 2 <= FN(LANES)) return false;
    if (image * (int64_t)sizeof(T) > 1 << 19 || all / places * (int64_t)sizeof(FN(entry)) > 1 << 19) return false;
    if (places >= 4) return true;
    return call->kind == SP__CONV_BACKWARD_WEIGHT && places == 1 && tail->relu && FN(sampled_density)(call) <= 0.5;
}

static void FN(measure_sparse)(FN(sparse) * s)
{
    const sp__conv *call = s->call;
    int64_t reach[2];
    for (int d = 0; d < 2; d++) {
        const int64_t whole = call->size[d] + call->padding[d];
        const int64_t span = (call->out_size[d] - 1) * call->stride[d] + (call->kernel[d] - 1) * call->dilation[d] + 1;
        reach[d] = span > whole ? span : whole;
        s->windows[d] = call->out_size[d] / call->tail->pool[d];
    }
    s->rows = reach[0], s->columns = reach[1];
    s->blocks = (call->in + FN(LANES) - 1) / FN(LANES);
    s->most = s->windows[0] * s->windows[1] + 1; /* one more is written than counted */
    s->images = (call->batch + FN(SPARSE_PARTS) - 1) / FN(SPARSE_PARTS);
    s->parts = (call->batch + s->images - 1) / s->images;
    s->weights = call->kernel[0] * call->kernel[1] * FN(LANES);
    s->image_bytes = (size_t)(s->blocks * s->rows * s->columns * FN(LANES)) * sizeof(T);
    s->entry_bytes = ((size_t)(call->out * s->most) * sizeof(FN(entry)) + 63) / 64 * 64;
    s->part_bytes = (2 * s->image_bytes + s->entry_bytes + (size_t)call->out * sizeof(FN(entry) *) + 63) / 64 * 64;
}

static sp_status FN(run_sparse)(const sp__conv *call)
{
    const bool gathers = call->kind == SP__CONV_BACKWARD_WEIGHT, scatters = !gathers || call->data;
    FN(sparse) s = {.call = call, .dx = call->x, .dx_w = call->w};
    if (call->data) s.dx = call->data->x, s.dx_w = call->data->w;
    FN(measure_sparse)(&s);
    const int64_t weights = s.blocks * call->out * s.weights;
    const int64_t sums = gathers ? s.parts * (weights + call->out) : 0;
    const size_t for_weights = ((size_t)((scatters ? weights : 0) + sums) * sizeof(T) + 63) / 64 * 64;
    const size_t bytes = for_weights + (size_t)s.parts * s.part_bytes;
    char *memory = sp__scratch(bytes);
    if (!memory) return SP_ERROR_MEMORY;
    if (scatters) s.w = (T *)(void *)memory;
    if (gathers) s.sums = (T *)(void *)memory + (scatters ? weights : 0);
    s.scratch = memory + for_weights;
    if (scatters) sp__flushed_tasks(call->out, FN(pack_sparse_weights), &s);
    sp__flushed_tasks(s.parts, FN(sparse_task), &s);
    if (gathers) sp__flushed_tasks(call->out, FN(add_sparse_parts), &s);
    int64_t found = 0;
    for (int64_t i = 0; i < s.parts; i++) found += s.found[i];
    sp__conv_saw(found, call->batch * call->out * call->out_size[0] * call->out_size[1]);
    sp_free(memory, bytes);
    return SP_OK;
}
