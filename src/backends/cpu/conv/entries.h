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
    int64_t weights;      /* of a channel of y in a block: kernel[0] × kernel[1] × LANES */
    T *sums;              /* [part][block][out][weights], then [part][out] of the bias; NULL: not wanted */
    T *w;                 /* [block][out][weights], which the gradient of x is made of; NULL: not wanted */
    sp__operand dx, dx_w; /* that gradient, and the weights */
    char *scratch;        /* of each part: images of x and of its gradient, entries, their ends */
    size_t image_bytes, entry_bytes, part_bytes;
    int64_t found[FN(SPARSE_PARTS)];
} FN(sparse);

static T *FN(sparse_image)(const FN(sparse) * s, int64_t part)
{
    return (T *)(void *)(s->scratch + (size_t)part * s->part_bytes);
}

static FN(entry) * FN(sparse_entries)(const FN(sparse) * s, int64_t part)
{
    return (FN(entry) *)(void *)(s->scratch + (size_t)part * s->part_bytes + 2 * s->image_bytes);
}

static FN(entry) * *FN(sparse_ends)(const FN(sparse) * s, int64_t part)
{
    return (FN(entry) **)(void *)((char *)FN(sparse_entries)(s, part) + s->entry_bytes);
}

/* ---- lists ---- */

/* Appends a window of all channels. */
SP__INLINE void FN(list_window)(const FN(window) * window, int64_t out, const int32_t *at, FN(entry) * *ends)
{
    for (int64_t j = 0; j < out; j += FN(LANES)) {
        const FN(vector) g = FN(load_window)(window, j, out - j);
        T values[FN(LANES)];
        memcpy(values, &g, sizeof values);
        for (uint32_t bits = sp__signs((sp__words)(g != 0)); bits; bits &= bits - 1) {
            const int i = __builtin_ctz(bits);
            FN(entry) *end = ends[j + i]++;
            end->value = values[i];
            end->at = at[window->where ? window->where[j + i] : 0];
        }
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
            FN(list_window)(&window, call->out, at, ends);
        }
    }
    int64_t found = 0;
    for (int64_t o = 0; o < call->out; o++) found += ends[o] - (entries + o * s->most);
    return found;
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
static void FN(run_entries)(const FN(sparse) * s, const FN(entry) * e, int64_t n, T *image, T *weights, bool gathers)
{
    typedef void loop(const FN(entry) *, int64_t, T *, int64_t, T *, int64_t);
    static loop *const loops[2][6] = {
        {FN(scatter_1x1), FN(scatter_1x2), FN(scatter_1x3), FN(scatter_1x4), FN(scatter_2x2), FN(scatter_3x3)},
        {FN(gather_1x1), FN(gather_1x2), FN(gather_1x3), FN(gather_1x4), FN(gather_2x2), FN(gather_3x3)}};
    const sp__conv *call = s->call;
    loop *const *const of = loops[gathers];
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
