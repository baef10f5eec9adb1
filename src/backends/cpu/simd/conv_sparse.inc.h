/* Backward behind ReLU and max-pooling, for one type: at most one place of a window has a gradient, and of those many
 * are zero. Each channel of y keeps a list of its values and where they lie; the same sums as the dense loops, in
 * another order.
 *
 * A block is LANES channels of x. An image of x, or of its gradient, is copied as [block][row][column][LANES] with the
 * padding around it, so that no tap lies outside and an image's block fits into the first-level cache. A task is some
 * of the images. */

enum { FN(SPARSE_PARTS) = 16 };

/* A gradient, and the place of the copied image that the kernel's first tap meets. */
typedef struct FN(entry) {
    T value;
    int32_t at; /* elements from the block's first */
} FN(entry);

typedef struct FN(sparse) {
    const sp__conv *call;
    int64_t blocks, rows, columns; /* of the copied image */
    int64_t windows[2], most;      /* entries of a channel */
    int64_t parts, images;
    int64_t weights; /* of a channel of y in a block: kernel[0] × kernel[1] × LANES */
    T *sums;         /* [part][block][out][weights], then [part][out] of the bias */
    T *w;            /* [block][out][weights] */
    char *scratch;   /* of each part: image, entries, their ends */
    size_t image_bytes, entry_bytes, part_bytes;
    int64_t found[FN(SPARSE_PARTS)];
} FN(sparse);

static T *FN(sparse_image)(const FN(sparse) * s, int64_t part)
{
    return (T *)(void *)(s->scratch + (size_t)part * s->part_bytes);
}

static FN(entry) * FN(sparse_entries)(const FN(sparse) * s, int64_t part)
{
    return (FN(entry) *)(void *)(s->scratch + (size_t)part * s->part_bytes + s->image_bytes);
}

static FN(entry) * *FN(sparse_ends)(const FN(sparse) * s, int64_t part)
{
    return (FN(entry) **)(void *)(s->scratch + (size_t)part * s->part_bytes + s->image_bytes + s->entry_bytes);
}

/* ---- lists ---- */

typedef I FN(bits) __attribute__((may_alias));

/* Appends a window of all channels. Every channel's entry is written; its end moves on where there is a gradient. Looks
 * at bits: a number above 0 is one as an integer too, and one that is not 0 has some bit beside the sign's. */
SP__INLINE void FN(list_window)(const FN(window) * window, int64_t out, const int32_t *at, FN(entry) * *ends,
                                const bool has_y, const bool has_where)
{
    const T *grad = window->grad;
    const FN(bits) *grad_bits = (const FN(bits) *)grad, *y_bits = (const FN(bits) *)window->y;
    const FN(bits) not_sign = (FN(bits))(UINT64_MAX >> (65 - 8 * sizeof(T)));
    for (int64_t o = 0; o < out; o++) {
        FN(entry) *end = ends[o];
        end->value = grad[o];
        end->at = at[has_where ? window->where[o] : 0];
        const bool positive = !has_y || y_bits[o] > 0, nonzero = (grad_bits[o] & not_sign) != 0;
        ends[o] = end + (positive & nonzero);
    }
}

/* The lists of an image: channel o's is from entries + o·most to ends[o]. Returns how many entries there are. */
static int64_t FN(list_image)(const FN(sparse) * s, int64_t image, FN(entry) * entries, FN(entry) * *ends)
{
    const sp__conv *call = s->call;
    const int64_t *pool = call->tail->pool;
    int32_t first[16] = {0}, at[16];
    for (int64_t p = 0; p < pool[0] * pool[1]; p++) {
        const int64_t row = p / pool[1] * call->stride[0], column = p % pool[1] * call->stride[1];
        first[p] = (int32_t)((row * s->columns + column) * FN(LANES));
    }
    for (int64_t o = 0; o < call->out; o++) ends[o] = entries + o * s->most;
    for (int64_t h = 0; h < s->windows[0]; h++) {
        for (int64_t w = 0; w < s->windows[1]; w++) {
            const int64_t row = h * pool[0] * call->stride[0], column = w * pool[1] * call->stride[1];
            for (int p = 0; p < 16; p++) at[p] = first[p] + (int32_t)((row * s->columns + column) * FN(LANES));
            const FN(window) window = FN(window_at)(call->tail, image, h, w, 0);
            if (window.y && window.where)
                FN(list_window)(&window, call->out, at, ends, true, true);
            else if (window.y)
                FN(list_window)(&window, call->out, at, ends, true, false);
            else
                FN(list_window)(&window, call->out, at, ends, false, window.where != NULL);
        }
    }
    int64_t found = 0;
    for (int64_t o = 0; o < call->out; o++) found += ends[o] - (entries + o * s->most);
    return found;
}

/* ---- images ---- */

/* Between x and its copy, whose padding stays as it is. */
static void FN(copy_in)(const FN(sparse) * s, int64_t image, T *copy)
{
    const sp__conv *call = s->call;
    for (int64_t h = 0; h < call->size[0] && h + call->padding[0] < s->rows; h++) {
        for (int64_t w = 0; w < call->size[1] && w + call->padding[1] < s->columns; w++) {
            const T *x = FN(of_operand)(&call->x, 0) + image * call->x.strides[0] + h * call->x.strides[2] +
                         w * call->x.strides[3];
            T *to = copy + ((h + call->padding[0]) * s->columns + w + call->padding[1]) * FN(LANES);
            for (int64_t c = 0; c < call->in; c += FN(LANES), to += s->rows * s->columns * FN(LANES))
                *(FN(vector) *)to = FN(load_some)(x + c, call->in - c);
        }
    }
}

static void FN(copy_out)(const FN(sparse) * s, int64_t image, const T *copy)
{
    const sp__conv *call = s->call;
    const bool narrow = call->x.dtype == SP_BF16;
    for (int64_t h = 0; h < call->size[0]; h++) {
        for (int64_t w = 0; w < call->size[1]; w++) {
            const int64_t at = call->x.offset + image * call->x.strides[0] + h * call->x.strides[2] +
                               w * call->x.strides[3];
            const T *from = copy + ((h + call->padding[0]) * s->columns + w + call->padding[1]) * FN(LANES);
            for (int64_t c = 0; c < call->in; c += FN(LANES), from += s->rows * s->columns * FN(LANES)) {
                const int64_t count = FN(least)(call->in - c, FN(LANES));
                if (narrow)
                    for (int64_t i = 0; i < count; i++) FN(put)(call->x.buffer, true, at + c + i, from[i]);
                else
                    memcpy((T *)call->x.buffer + at + c, from, (size_t)count * sizeof(T));
            }
        }
    }
}

/* ---- the loops: rows × vectors of one channel's weights in registers ---- */

/* Their gradient. */
SP__INLINE void FN(gather_entries)(const FN(entry) * e, int64_t n, const T *x, int64_t row, T *sums, int64_t sums_row,
                                   const int rows, const int vectors)
{
    FN(vector) sum[3][4];
    SP__UNROLL
    for (int i = 0; i < rows; i++) {
        SP__UNROLL
        for (int v = 0; v < vectors; v++) sum[i][v] = *(const FN(vector) *)(sums + i * sums_row + v * FN(LANES));
    }
    for (; n > 0; n--, e++) {
        const T value = e->value, *p = x + e->at;
        SP__UNROLL
        for (int i = 0; i < rows; i++) {
            SP__UNROLL
            for (int v = 0; v < vectors; v++) sum[i][v] += value * *(const FN(vector) *)(p + i * row + v * FN(LANES));
        }
    }
    SP__UNROLL
    for (int i = 0; i < rows; i++) {
        SP__UNROLL
        for (int v = 0; v < vectors; v++) *(FN(vector) *)(sums + i * sums_row + v * FN(LANES)) = sum[i][v];
    }
}

/* What they add to the gradient of x. */
SP__INLINE void FN(scatter_entries)(const FN(entry) * e, int64_t n, T *x, int64_t row, const T *weights,
                                    int64_t weights_row, const int rows, const int vectors)
{
    FN(vector) w[3][4];
    SP__UNROLL
    for (int i = 0; i < rows; i++) {
        SP__UNROLL
        for (int v = 0; v < vectors; v++) w[i][v] = *(const FN(vector) *)(weights + i * weights_row + v * FN(LANES));
    }
    for (; n > 0; n--, e++) {
        const T value = e->value;
        T *p = x + e->at;
        SP__UNROLL
        for (int i = 0; i < rows; i++) {
            SP__UNROLL
            for (int v = 0; v < vectors; v++) *(FN(vector) *)(p + i * row + v * FN(LANES)) += value * w[i][v];
        }
    }
}

#define LOOPS(rows, vectors)                                                                                           \
    static void FN(gather_##rows##x##vectors)(const FN(entry) * e, int64_t n, T * x, int64_t row, T * w,               \
                                              int64_t w_row)                                                           \
    {                                                                                                                  \
        FN(gather_entries)(e, n, x, row, w, w_row, rows, vectors);                                                     \
    }                                                                                                                  \
    static void FN(scatter_##rows##x##vectors)(const FN(entry) * e, int64_t n, T * x, int64_t row, T * w,              \
                                               int64_t w_row)                                                          \
    {                                                                                                                  \
        FN(scatter_entries)(e, n, x, row, w, w_row, rows, vectors);                                                    \
    }
LOOPS(1, 1)
LOOPS(1, 2)
LOOPS(1, 3)
LOOPS(1, 4)
LOOPS(2, 2)
LOOPS(3, 3)
#undef LOOPS

/* All weights of one channel of y in one block: the kernel's rows and columns in pieces. */
static void FN(run_entries)(const FN(sparse) * s, const FN(entry) * e, int64_t n, T *image, T *weights)
{
    typedef void loop(const FN(entry) *, int64_t, T *, int64_t, T *, int64_t);
    static loop *const loops[2][6] = {
        {FN(scatter_1x1), FN(scatter_1x2), FN(scatter_1x3), FN(scatter_1x4), FN(scatter_2x2), FN(scatter_3x3)},
        {FN(gather_1x1), FN(gather_1x2), FN(gather_1x3), FN(gather_1x4), FN(gather_2x2), FN(gather_3x3)}};
    const sp__conv *call = s->call;
    loop *const *const of = loops[call->kind == SP__CONV_BACKWARD_WEIGHT];
    const int64_t *kernel = call->kernel, row = call->dilation[0] * s->columns * FN(LANES);
    if (kernel[0] == kernel[1] && (kernel[0] == 2 || kernel[0] == 3)) {
        of[kernel[0] + 2](e, n, image, row, weights, kernel[1] * FN(LANES));
        return;
    }
    for (int64_t h = 0; h < kernel[0]; h++) {
        for (int64_t w = 0, vectors; w < kernel[1]; w += vectors) {
            vectors = FN(least)(kernel[1] - w, 4);
            of[vectors - 1](e, n, image + h * row + w * FN(LANES), 0, weights + (h * kernel[1] + w) * FN(LANES), 0);
        }
    }
}

static int64_t FN(run_sparse_image)(const FN(sparse) * s, int64_t part, int64_t image, T *weights, T *bias)
{
    const sp__conv *call = s->call;
    T *copy = FN(sparse_image)(s, part);
    FN(entry) *entries = FN(sparse_entries)(s, part), **ends = FN(sparse_ends)(s, part);
    const int64_t found = FN(list_image)(s, image, entries, ends);
    for (int64_t b = 0; b < s->blocks; b++) {
        for (int64_t o = 0; o < call->out; o++) {
            const FN(entry) *first = entries + o * s->most;
            FN(run_entries)
            (s, first, ends[o] - first, copy + b * s->rows * s->columns * FN(LANES),
             weights + (b * call->out + o) * s->weights);
        }
    }
    for (int64_t o = 0; bias && o < call->out; o++)
        for (const FN(entry) *e = entries + o * s->most; e < ends[o]; e++) bias[o] += e->value;
    return found;
}

static void FN(sparse_task)(void *context, int64_t part)
{
    FN(sparse) *s = context;
    const sp__conv *call = s->call;
    const bool gathers = call->kind == SP__CONV_BACKWARD_WEIGHT;
    const int64_t first = part * s->images, last = FN(least)(first + s->images, call->batch);
    T *copy = FN(sparse_image)(s, part), *bias = NULL, *weights = s->w;
    if (gathers) {
        weights = s->sums + part * s->blocks * call->out * s->weights;
        memset(weights, 0, (size_t)(s->blocks * call->out * s->weights) * sizeof(T));
        memset(copy, 0, s->image_bytes);
    }
    if (gathers && call->bias) {
        bias = s->sums + s->parts * s->blocks * call->out * s->weights + part * call->out;
        memset(bias, 0, (size_t)call->out * sizeof(T));
    }
    s->found[part] = 0;
    for (int64_t image = first; image < last; image++) {
        if (gathers)
            FN(copy_in)(s, image, copy);
        else
            memset(copy, 0, s->image_bytes);
        s->found[part] += FN(run_sparse_image)(s, part, image, weights, bias);
        if (!gathers) FN(copy_out)(s, image, copy);
    }
}

/* ---- weights before, their gradient after ---- */

/* Channel o of y: between the weights' own memory, of any strides, and [block][o][tap][LANES]. */
static void FN(pack_sparse_weights)(void *context, int64_t o)
{
    const FN(sparse) *s = context;
    const sp__conv *call = s->call;
    for (int64_t c = 0; c < s->blocks * FN(LANES); c++) {
        T *to = s->w + (c / FN(LANES) * call->out + o) * s->weights + c % FN(LANES);
        for (int64_t tap = 0; tap < call->kernel[0] * call->kernel[1]; tap++)
            to[tap * FN(LANES)] = c < call->in ? ((const T *)call->w.buffer +
                                                  call->w.offset)[o * call->w.strides[0] + c * call->w.strides[1] +
                                                                  tap / call->kernel[1] * call->w.strides[2] +
                                                                  tap % call->kernel[1] * call->w.strides[3]]
                                               : 0;
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
            for (int64_t o = 0; o < call->out; o++) positive += w.y[o] > 0;
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
    s->part_bytes = (s->image_bytes + s->entry_bytes + (size_t)call->out * sizeof(FN(entry) *) + 63) / 64 * 64;
}

static sp_status FN(run_sparse)(const sp__conv *call)
{
    FN(sparse) s = {.call = call};
    FN(measure_sparse)(&s);
    const bool gathers = call->kind == SP__CONV_BACKWARD_WEIGHT;
    const int64_t weights = s.blocks * call->out * s.weights;
    const size_t for_weights = ((size_t)(gathers ? s.parts * (weights + call->out) : weights) * sizeof(T) + 63) / 64 *
                               64;
    const size_t bytes = for_weights + (size_t)s.parts * s.part_bytes;
    char *memory = sp__scratch(bytes);
    if (!memory) return SP_ERROR_MEMORY;
    s.sums = s.w = (T *)(void *)memory;
    s.scratch = memory + for_weights;
    if (!gathers) sp__flushed_tasks(call->out, FN(pack_sparse_weights), &s);
    sp__flushed_tasks(s.parts, FN(sparse_task), &s);
    if (gathers) sp__flushed_tasks(call->out, FN(add_sparse_parts), &s);
    int64_t found = 0;
    for (int64_t i = 0; i < s.parts; i++) found += s.found[i];
    sp__conv_saw(found, call->batch * call->out * call->out_size[0] * call->out_size[1]);
    sp_free(memory, bytes);
    return SP_OK;
}

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
    const FN(dense) d = {call, sp__scratch(bytes)};
    if (!d.y) return SP_ERROR_MEMORY;
    sp__flushed_tasks(call->batch, FN(expand_image), (void *)(uintptr_t)&d);
    sp__conv inner = *call;
    inner.tail = NULL;
    inner.y = (sp__operand){d.y, 0, call->dtype, {image, 1, row, channels}};
    const sp_status status = FN(run_gathers)(&inner);
    sp_free(d.y, bytes);
    return status;
}

/* ---- any call ---- */

static sp_status FN(run_conv)(const sp__conv *call)
{
    if (call->kind == SP__CONV_FORWARD) return FN(run_gathers)(call);
    if (call->tail && FN(is_sparse)(call)) return FN(run_sparse)(call);
    if (call->kind == SP__CONV_BACKWARD_WEIGHT) return FN(run_weights)(call);
    return call->tail ? FN(run_expanded)(call) : FN(run_gathers)(call);
}
