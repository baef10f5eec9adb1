/* Forward and backward-data of 3×3 kernels that step by one, by the minimal filtering F(2×2, 3×3) of Winograd (Lavin
 * and Gray, CVPR 2016): a tile of 2×2 places of the result, which reads 4×4 places of the source d, is Aᵀ[(G g Gᵀ) ⊙
 * (Bᵀ d B)]A,  ⊙ summed over channels: 16 products of channels where the plain sum has 36.
 *
 *     Bᵀ = 1  0 -1  0    G = 1    0   0     Aᵀ = 1  1  1  0
 *          0  1  1  0        1/2  1/2 1/2        0  1 -1 -1
 *          0 -1  1  0        1/2 -1/2 1/2
 *          0  1  0 -1        0    0   1
 *
 * k, n   channels of the source and of the result; a panel is up to NR of n
 * rows   of the products: SP__TILE_ROWS tiles, one after the other in images, rows and columns
 *
 * Which sums are taken together depends on the place in the image alone. A window of a 2×2 maximum is a tile. */

enum {
    FN(POINTS) = 16,
    FN(SOURCES) = 128
}; /* SOURCES: k is at most so many, so that a task's tiles fit on its stack */

typedef struct FN(winograd) {
    const sp__conv *call;
    const T *source;
    sp__operand result;
    const sp__conv_tail *tail;             /* NULL: none */
    int64_t source_strides[3], strides[3]; /* image, row, column */
    sp__conv_axis axis[2];
    int64_t k, n, panels, tiles[2], chunk; /* tiles of an image; groups of rows in a task */
    T *u;                                  /* [panel][POINTS][k][room] */
    T *bias;                               /* [panel][NR] */
    const T *zeros;                        /* SOURCES of them */
} FN(winograd);

/* ---- the three transforms, of vectors of channels ---- */

/* (Bᵀ d)ᵀ; done twice it is Bᵀ d B. */
SP__INLINE void FN(source_columns)(const FN(vector) * d, FN(vector) * out)
{
    SP__UNROLL
    for (int j = 0; j < 4; j++) {
        const FN(vector) d0 = d[j], d1 = d[4 + j], d2 = d[8 + j], d3 = d[12 + j];
        out[4 * j] = d0 - d2, out[4 * j + 1] = d1 + d2, out[4 * j + 2] = d2 - d1, out[4 * j + 3] = d1 - d3;
    }
}

/* (G g)ᵀ of three rows; done twice, with three columns and then four, it is G g Gᵀ. */
SP__INLINE void FN(weight_columns)(const FN(vector) * g, FN(vector) * out, const int columns)
{
    SP__UNROLL
    for (int j = 0; j < columns; j++) {
        const FN(vector) g0 = g[j], g1 = g[columns + j], g2 = g[2 * columns + j], ends = (T)0.5 * (g0 + g2);
        out[4 * j] = g0, out[4 * j + 1] = ends + (T)0.5 * g1, out[4 * j + 2] = ends - (T)0.5 * g1, out[4 * j + 3] = g2;
    }
}

/* The four places of a tile from its POINTS products, which lie `step` apart. */
SP__INLINE void FN(result_places)(const T *m, int64_t step, FN(vector) * y)
{
    FN(vector) s[2][4];
    SP__UNROLL
    for (int j = 0; j < 4; j++) {
        FN(vector) c[4];
        SP__UNROLL
        for (int i = 0; i < 4; i++) c[i] = *(const FN(vector) *)(m + (4 * i + j) * step);
        s[0][j] = c[0] + c[1] + c[2];
        s[1][j] = c[1] - c[2] - c[3];
    }
    SP__UNROLL
    for (int i = 0; i < 2; i++) {
        y[2 * i] = s[i][0] + s[i][1] + s[i][2];
        y[2 * i + 1] = s[i][1] - s[i][2] - s[i][3];
    }
}

/* ---- weights ---- */

SP__INLINE FN(vector) FN(load_weights)(const T *w, int64_t stride, int64_t count)
{
    if (stride == 1) return FN(load_some)(w, count);
    T values[FN(LANES)] = {0};
    for (int64_t i = 0; i < count && i < FN(LANES); i++) values[i] = w[i * stride];
    FN(vector) x;
    return memcpy(&x, values, sizeof x), x;
}

static void FN(transform_weights)(void *context, int64_t task)
{
    const FN(winograd) *p = context;
    const sp__conv *call = p->call;
    const int64_t panel = task / p->k, k = task % p->k, first = panel * FN(NR), width = FN(least)(p->n - first, FN(NR));
    const int64_t room = width > FN(LANES) ? FN(NR) : FN(LANES), *strides = call->w.strides;
    const bool forward = call->kind == SP__CONV_FORWARD;
    const T *w = (const T *)call->w.buffer + call->w.offset + first * strides[!forward] + k * strides[forward];
    T *u = p->u + panel * FN(POINTS) * p->k * FN(NR) + k * room;
    for (int64_t j = 0; j < room; j += FN(LANES)) {
        FN(vector) g[9], half[12], out[FN(POINTS)];
        for (int t = 0; t < 9; t++) {
            const int64_t h = p->axis[0].tap + t / 3 * p->axis[0].tap_step;
            const int64_t v = p->axis[1].tap + t % 3 * p->axis[1].tap_step;
            g[t] = (FN(vector)){0};
            if (j < width)
                g[t] = FN(load_weights)(w + j * strides[!forward] + h * strides[2] + v * strides[3], strides[!forward],
                                        width - j);
        }
        FN(weight_columns)(g, half, 3);
        FN(weight_columns)(half, out, 4);
        for (int i = 0; i < FN(POINTS); i++) *(FN(vector) *)(u + i * p->k * room + j) = out[i];
    }
    if (k > 0) return;
    for (int64_t j = first; j < first + FN(NR); j++)
        p->bias[j] = call->bias && j < p->n ? FN(get)(call->bias, j * call->bias->strides[0]) : 0;
}

/* ---- tiles ---- */

/* A tile of the batch: its image and its place there. */
typedef struct FN(spot) {
    int64_t image, h, w;
} FN(spot);

static FN(spot) FN(spot_at)(const FN(winograd) * p, int64_t tile)
{
    const int64_t each = p->tiles[0] * p->tiles[1], in = tile % each;
    return (FN(spot)){tile / each, in / p->tiles[1], in % p->tiles[1]};
}

/* Writes a tile's source, transformed, to v, whose points lie `step` apart. */
static void FN(transform_source)(const FN(winograd) * p, const FN(spot) * at, T *v, int64_t step)
{
    const T *place[FN(POINTS)];
    const int64_t h0 = 2 * at->h + p->axis[0].delta, w0 = 2 * at->w + p->axis[1].delta;
    const T *image = p->source + at->image * p->source_strides[0];
    for (int i = 0; i < FN(POINTS); i++) {
        const int64_t h = h0 + i / 4, w = w0 + i % 4;
        const bool inside = h >= 0 && h < p->axis[0].extent && w >= 0 && w < p->axis[1].extent;
        place[i] = inside ? image + h * p->source_strides[1] + w * p->source_strides[2] : p->zeros;
    }
    for (int64_t c = 0; c < p->k; c += FN(LANES)) {
        FN(vector) d[FN(POINTS)], half[FN(POINTS)], out[FN(POINTS)];
        SP__UNROLL
        for (int i = 0; i < FN(POINTS); i++) d[i] = FN(load_some)(place[i] + c, p->k - c);
        FN(source_columns)(d, half);
        FN(source_columns)(half, out);
        SP__UNROLL
        for (int i = 0; i < FN(POINTS); i++) *(FN(vector) *)(v + i * step + c) = out[i];
    }
}

/* Writes `count` channels of a tile's four places, or of their maximum, from channel j on. */
static void FN(store_places)(const FN(winograd) * p, const FN(spot) * at, int64_t j, FN(vector) * y, int64_t count)
{
    const int64_t *strides = p->strides, first = p->result.offset + at->image * strides[0] + j;
    const bool narrow = p->result.dtype == SP_BF16;
    if (p->tail && p->tail->pool[0] == 2) {
        FN(mask) where;
        const FN(vector) best = FN(maximum_of)((const T *)y, FN(LANES), 4, p->tail->relu, &where);
        FN(store_either)(p->result.buffer, narrow, first + at->h * strides[1] + at->w * strides[2], best, count);
        const sp__operand *to = &p->tail->where;
        FN(store_where)
        ((uint8_t *)to->buffer + to->offset + at->image * to->strides[0] + at->h * to->strides[2] +
             at->w * to->strides[3] + j,
         where, count);
        return;
    }
    for (int i = 0; i < 4; i++) {
        const int64_t h = 2 * at->h + i / 2, w = 2 * at->w + i % 2;
        if (h >= p->axis[0].count || w >= p->axis[1].count) continue;
        const FN(vector) x = FN(positive)(y[i], p->tail && p->tail->relu);
        FN(store_either)(p->result.buffer, narrow, first + h * strides[1] + w * strides[2], x, count);
    }
}

/* One panel of a group of tiles, from their transformed source. */
static void FN(run_tiles)(const FN(winograd) * p, int64_t panel, const FN(spot) * at, int64_t count, const T *v,
                          int64_t step)
{
    T m[FN(POINTS)][SP__TILE_ROWS * FN(NR)] __attribute__((aligned(64)));
    const int64_t first = panel * FN(NR), width = FN(least)(p->n - first, FN(NR));
    const int64_t room = width > FN(LANES) ? FN(NR) : FN(LANES), row = step / SP__TILE_ROWS;
    FN(segments_run) *const run = FN(segments_runs)[room > FN(LANES)][count > FN(FEW)];
    FN(segment) s = {.b = p->u + panel * FN(POINTS) * p->k * FN(NR), .k = p->k};
    for (int i = 0; i < FN(POINTS); i++, s.b += p->k * room) {
        for (int r = 0; r < SP__TILE_ROWS; r++) s.a[r] = v + i * step + r * row;
        run(&s, 1, p->zeros, 0, m[i]);
    }
    for (int64_t r = 0; r < count; r++) {
        for (int64_t j = 0; j < width; j += FN(LANES)) {
            FN(vector) y[4];
            FN(result_places)(m[0] + r * FN(NR) + j, SP__TILE_ROWS * FN(NR), y);
            const FN(vector) bias = *(const FN(vector) *)(p->bias + first + j);
            for (int i = 0; i < 4; i++) y[i] += bias;
            FN(store_places)(p, &at[r], first + j, y, width - j);
        }
    }
}

static void FN(winograd_task)(void *context, int64_t task)
{
    const FN(winograd) *p = context;
    T v[FN(POINTS) * SP__TILE_ROWS * FN(SOURCES)] __attribute__((aligned(64)));
    const int64_t row = (p->k + FN(LANES) - 1) / FN(LANES) * FN(LANES), step = SP__TILE_ROWS * row;
    const int64_t all = p->call->batch * p->tiles[0] * p->tiles[1], each = p->chunk * SP__TILE_ROWS;
    for (int64_t tile = task * each; tile < FN(least)(all, (task + 1) * each); tile += SP__TILE_ROWS) {
        FN(spot) at[SP__TILE_ROWS];
        const int64_t count = FN(least)(all - tile, SP__TILE_ROWS);
        for (int64_t i = 0; i < SP__TILE_ROWS; i++) {
            at[i] = FN(spot_at)(p, tile + FN(least)(i, count - 1));
            FN(transform_source)(p, &at[i], v + i * row, step);
        }
        for (int64_t panel = 0; panel < p->panels; panel++) FN(run_tiles)(p, panel, at, count, v, step);
    }
}

/* ---- a call ---- */

static void FN(set_winograd)(FN(winograd) * p, const sp__conv *call)
{
    enum { WORK = 1 << 21 }; /* multiply-adds in a task */
    const bool forward = call->kind == SP__CONV_FORWARD;
    const sp__operand *source = forward ? &call->x : &call->y;
    *p = (FN(winograd)){.call = call, .k = forward ? call->in : call->out, .n = forward ? call->out : call->in};
    p->tail = forward ? call->tail : NULL;
    p->source = FN(of_operand)(source, 0);
    p->result = p->tail ? p->tail->y : forward ? call->y : call->x;
    FN(image_strides)(p->source_strides, source, 1);
    FN(image_strides)(p->strides, &p->result, 1);
    p->panels = (p->n + FN(NR) - 1) / FN(NR);
    for (int d = 0; d < 2; d++) {
        p->axis[d] = forward ? sp__conv_forward_axis(call, d) : sp__conv_backward_axis(call, d, 0);
        const bool pooled = p->tail && p->tail->pool[d] == 2;
        p->tiles[d] = pooled ? p->axis[d].count / 2 : (p->axis[d].count + 1) / 2;
    }
    const int64_t group = FN(POINTS) * SP__TILE_ROWS * p->k * p->n;
    p->chunk = group < WORK ? WORK / group : 1;
}

static sp_status FN(run_winograd)(const sp__conv *call)
{
    FN(winograd) p;
    FN(set_winograd)(&p, call);
    const int64_t weights = p.panels * FN(POINTS) * p.k * FN(NR), biases = p.panels * FN(NR);
    const size_t bytes = (size_t)(weights + biases + FN(SOURCES)) * sizeof(T);
    T *memory = sp__scratch(bytes);
    if (!memory) return SP_ERROR_MEMORY;
    p.u = memory, p.bias = memory + weights;
    p.zeros = memset(p.bias + biases, 0, FN(SOURCES) * sizeof(T));
    const int64_t tiles = call->batch * p.tiles[0] * p.tiles[1], each = p.chunk * SP__TILE_ROWS;
    sp__flushed_tasks(p.panels * p.k, FN(transform_weights), &p);
    sp__flushed_tasks((tiles + each - 1) / each, FN(winograd_task), &p);
    sp_free(memory, bytes);
    return SP_OK;
}

static sp_status FN(run_dense)(const sp__conv *call)
{
    return sp__conv_is_winograd(call) ? FN(run_winograd)(call) : FN(run_gathers)(call);
}
