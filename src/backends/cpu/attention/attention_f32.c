/* Attention of f32 and of bf16, block by block, so that the matrix of scores is nowhere as a whole (Dao, "FlashAttention-2:
 * Faster Attention with Better Parallelism and Work Partitioning", arXiv:2307.08691).
 *
 * Scores lie turned, a row for each key and a lane for each query: then what a softmax adds up over keys is added lane
 * by lane, in the order of the keys, and the same at every level. */
#include "blocks.h"

typedef struct state {
    const sp__attention *call;
    int64_t head[2];            /* batch, head */
    int64_t row;                /* of query 0, among the queries of all heads */
    int64_t width, value_width; /* padded */
    float *space;               /* what is not taken yet */
    int64_t q0, queries, lanes; /* the block of queries in hand; lanes: queries, padded */
    int64_t k0, keys;           /* the block of keys */
    bool diagonal;              /* a query of the block sees keys of the block up to its own */
    float *turned_q;            /* (width, BLOCK), scaled */
    float *scores;              /* (BLOCK keys, BLOCK queries); then the weights */
    float *copy, *dropped;      /* rows of a mask; (BLOCK, BLOCK) factors of dropout */
    int64_t first_key;          /* of the part, whose keys lie in all_k and all_v */
    block all_k, all_v, k, v;
} state;

static float *take(state *s, int64_t n)
{
    float *taken = s->space;
    s->space += n;
    return taken;
}

/* What forward and backward need, and `more` floats. Keys [first, last) are brought once for all queries. */
static float *begin(state *s, const sp__attention *call, int64_t head, const int64_t keys[2], int64_t more,
                    size_t *bytes)
{
    const int64_t width = sp__attention_padded(call->width), value_width = sp__attention_padded(call->value_width);
    const int64_t n = keys[1] - keys[0], of_k = lies_well(&call->k, call->width) ? 0 : n * width;
    const int64_t of_v = lies_well(&call->v, call->value_width) ? 0 : n * value_width;
    *s = (state){.call = call,
                 .head = {head / call->heads, head % call->heads},
                 .row = head * call->queries,
                 .width = width,
                 .value_width = value_width,
                 .first_key = keys[0]};
    *bytes = (size_t)(BLOCK * (width + 3 * BLOCK) + of_k + of_v + more) * sizeof(float);
    float *memory = s->space = sp__scratch(*bytes);
    if (!memory) return NULL;
    s->turned_q = take(s, BLOCK * width);
    s->scores = take(s, BLOCK * BLOCK);
    s->copy = take(s, BLOCK * BLOCK);
    s->dropped = take(s, BLOCK * BLOCK);
    s->all_k = bring(&call->k, s->head, keys[0], keys[1], call->width, take(s, of_k));
    s->all_v = bring(&call->v, s->head, keys[0], keys[1], call->value_width, take(s, of_v));
    return memory;
}

/* ---- blocks ---- */

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* How many keys of the block any of a vector of queries sees. */
static int64_t seen_by(const state *s, int64_t i)
{
    return s->diagonal ? smaller(s->keys, i + LANES) : s->keys;
}

/* The keys that the queries in hand see end here. */
static int64_t keys_end(const state *s, int64_t end)
{
    return s->call->causal ? smaller(end, s->q0 + s->queries) : end;
}

static void set_queries(state *s, int64_t first)
{
    s->q0 = first;
    s->queries = smaller(s->call->queries - first, BLOCK);
    s->lanes = sp__attention_padded(s->queries);
}

static block rows_from(block x, int64_t first)
{
    x.at += first * x.row;
    return x;
}

static void set_keys(state *s, int64_t first, int64_t end)
{
    s->k0 = first;
    s->keys = smaller(end - first, BLOCK);
    s->diagonal = s->call->causal && first == s->q0;
    s->k = rows_from(s->all_k, first - s->first_key);
    s->v = rows_from(s->all_v, first - s->first_key);
}

static void turn_queries(state *s, block q)
{
    const vf scale = splat_f32((float)s->call->scale);
    turn_rows(s->turned_q, q, s->queries, s->call->width);
    for (int64_t e = 0; e < s->call->width; e++)
        for (int64_t i = 0; i < s->lanes; i += LANES) {
            float *x = s->turned_q + e * BLOCK + i;
            store_f32(x, load_f32(x, LANES) * scale, LANES);
        }
}

/* ---- scores ---- */

/* What the mask adds: the same for all queries, or query by query. */
static void add_mask(state *s)
{
    const sp__operand *added = s->call->mask;
    const bool same = added->strides[2] == 0;
    float *turned = s->dropped; /* not in use yet */
    const char *at = row_at(added, s->head, s->q0) + s->k0 * added->strides[3] * sp__size_of(added->dtype);
    for (int64_t i = 0; i < (same ? 1 : s->queries); i++)
        bring_row(s->copy + i * BLOCK, at + i * added->strides[2] * sp__size_of(added->dtype), added->dtype,
                  added->strides[3], s->keys);
    if (!same) turn_rows(turned, (block){s->copy, BLOCK, 1}, s->queries, s->keys);
    for (int64_t k = 0; k < s->keys; k++)
        for (int64_t i = 0; i < s->lanes; i += LANES) {
            float *x = s->scores + k * BLOCK + i;
            const vf more = same ? splat_f32(s->copy[k]) : load_f32(turned + k * BLOCK + i, LANES);
            store_f32(x, load_f32(x, LANES) + more, LANES);
        }
}

/* Keys behind a query are not seen. Where no query of a vector sees a key, its weights become 0 later. */
static void hide_later(state *s)
{
    static const int32_t counted[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    const vi lane = *(const vi *)counted;
    for (int64_t k = 1; k < s->keys; k++) {
        const int64_t i = k / LANES * LANES;
        float *x = s->scores + k * BLOCK + i;
        store_f32(x, select_f32(lane < (int32_t)(k - i), splat_f32(-INFINITY), load_f32(x, LANES)), LANES);
    }
}

static void score(state *s)
{
    multiply(s->scores, BLOCK, s->k, (block){s->turned_q, BLOCK, 1}, (int64_t[]){s->keys, s->lanes, s->call->width},
             false, s->diagonal ? COLUMNS_FROM_ROW : WHOLE);
    if (s->call->mask) add_mask(s);
    if (s->diagonal) hide_later(s);
}

/* The factors of dropout, 0 or 1/(1 - p), turned as scores are. */
static void draw_dropped(state *s)
{
    const sp__attention *c = s->call;
    sp__fill_run *draw = SP__KIND(SP_F32, fill, SP__FILL_BERNOULLI_SCALE);
    for (int64_t i = 0; i < s->queries; i++) {
        const int64_t first = (s->row + s->q0 + i) * sp__dropped_row(c->keys) + s->k0;
        const sp__fill fill = {.kind = SP__FILL_BERNOULLI_SCALE,
                               .out = {.buffer = s->copy + i * BLOCK, .dtype = SP_F32},
                               .n = s->keys,
                               .a = 1 - c->dropout,
                               .b = c->dropout < 1 ? 1 / (1 - c->dropout) : 0,
                               .seed = c->seed,
                               .position = c->position + (uint64_t)first / 4};
        draw(&fill, 0, s->keys);
    }
    turn_rows(s->dropped, (block){s->copy, BLOCK, 1}, s->queries, s->keys);
}

/* ---- forward ---- */

/* Of each query so far: the largest score, Σ e^(score - largest), and by what this block's largest scaled them. */
typedef struct running {
    float largest[BLOCK], sum[BLOCK], scale[BLOCK];
} running;

static vf largest_of(const float *scores, int64_t keys, vf largest)
{
    vf other = largest;
    int64_t k = 0;
    for (; k + 2 <= keys; k += 2) {
        largest = larger_f32(load_f32(scores + k * BLOCK, LANES), largest);
        other = larger_f32(load_f32(scores + (k + 1) * BLOCK, LANES), other);
    }
    if (k < keys) largest = larger_f32(load_f32(scores + k * BLOCK, LANES), largest);
    return larger_f32(other, largest);
}

/* A vector of queries: scores of the keys that they see become weights e^(score - largest), all others 0. Without any
 * key to see, nothing is subtracted. */
static void weigh(state *s, running *r, int64_t i)
{
    float *scores = s->scores + i;
    const int64_t keys = seen_by(s, i);
    const vf before = load_f32(r->largest + i, LANES), largest = largest_of(scores, keys, before);
    const vf base = select_f32(largest == -INFINITY, (vf){0}, largest), scale = exp_f32(before - base);
    vf sum = load_f32(r->sum + i, LANES) * scale;
    for (int64_t k = 0; k < keys; k++) {
        float *x = scores + k * BLOCK;
        const vf e = exp_f32(load_f32(x, LANES) - base);
        store_f32(x, e, LANES);
        sum += e;
    }
    for (int64_t k = keys; k < s->keys; k++) store_f32(scores + k * BLOCK, (vf){0}, LANES);
    store_f32(r->largest + i, largest, LANES);
    store_f32(r->sum + i, sum, LANES);
    store_f32(r->scale + i, scale, LANES);
}

static void scale_rows(float *rows, int64_t row, int64_t n, const float *scale)
{
    for (int64_t i = 0; i < n; i++, rows += row) {
        if (scale[i] == 1) continue;
        for (int64_t j = 0; j < row; j += LANES) store_f32(rows + j, load_f32(rows + j, LANES) * scale[i], LANES);
    }
}

static void drop(state *s)
{
    for (int64_t k = 0; k < s->keys; k++)
        for (int64_t i = 0; i < s->lanes; i += LANES) {
            float *x = s->scores + k * BLOCK + i;
            store_f32(x, load_f32(x, LANES) * load_f32(s->dropped + k * BLOCK + i, LANES), LANES);
        }
}

/* y = what was summed / Σ e^…; ln Σ e^score. */
static void finish_queries(state *s, running *r, float *y)
{
    const sp__attention *c = s->call;
    float lse[BLOCK] = {0};
    for (int64_t i = 0; i < s->lanes; i += LANES) {
        const vf sum = load_f32(r->sum + i, LANES), largest = load_f32(r->largest + i, LANES);
        const vi none = sum == 0.0f;
        store_f32(r->scale + i, select_f32(none, (vf){0}, 1.0f / sum), LANES);
        store_f32(lse + i, select_f32(none, splat_f32(INFINITY), largest + log_f32(sum)), LANES);
    }
    scale_rows(y, s->value_width, s->queries, r->scale);
    put(&c->y, s->head, s->q0, s->q0 + s->queries, c->value_width, y);
    float *out = (float *)(void *)sp__operand_at(&c->lse) + s->row + s->q0;
    memcpy(out, lse, (size_t)s->queries * sizeof *out);
}

static void attend(state *s, float *y)
{
    const sp__attention *c = s->call;
    const int64_t end = keys_end(s, c->keys);
    running r = {.sum = {0}};
    for (int i = 0; i < BLOCK; i++) r.largest[i] = -INFINITY;
    memset(y, 0, (size_t)(BLOCK * s->value_width) * sizeof *y);
    for (int64_t k = 0; k < end; k += BLOCK) {
        set_keys(s, k, end);
        score(s);
        for (int64_t i = 0; i < s->lanes; i += LANES) weigh(s, &r, i);
        if (c->dropout > 0) {
            draw_dropped(s);
            drop(s);
        }
        if (k > 0) scale_rows(y, s->value_width, s->queries, r.scale);
        multiply(y, s->value_width, (block){s->scores, 1, BLOCK}, s->v,
                 (int64_t[]){s->queries, s->value_width, s->keys}, k > 0, s->diagonal ? SUMS_TO_ROW : WHOLE);
    }
    finish_queries(s, &r, y);
}

static sp_status forward(const sp__attention *call, const sp__attention_part *part)
{
    state s;
    size_t bytes;
    const int64_t keys[2] = {0, call->keys};
    const int64_t more = BLOCK * (sp__attention_padded(call->width) + sp__attention_padded(call->value_width));
    float *memory = begin(&s, call, part->head, keys, more, &bytes);
    if (!memory) return SP_ERROR_MEMORY;
    float *y = take(&s, BLOCK * s.value_width), *q_copy = take(&s, BLOCK * s.width);
    for (int64_t i = part->first; i < part->last; i += BLOCK) {
        set_queries(&s, i);
        turn_queries(&s, bring(&call->q, s.head, i, i + s.queries, call->width, q_copy));
        attend(&s, y);
    }
    sp_free(memory, bytes);
    return SP_OK;
}

/* ---- backward ---- */

/* A block of queries: q and g as they are multiplied, g turned, and of each query Σ g·y and ln Σ e^score. */
typedef struct slopes {
    block q, g;
    float *turned_g, *slope; /* (value_width, BLOCK); (BLOCK keys, BLOCK queries): the gradients of scores */
    float *dq, *dk, *dv;     /* (BLOCK, width); (keys of the part, width); (…, value_width) */
    float *q_copy, *g_copy, *y_copy;
    float dot[BLOCK], lse[BLOCK];
} slopes;

static void take_slopes(state *s, slopes *g, int64_t keys)
{
    g->q_copy = take(s, BLOCK * s->width);
    g->dq = take(s, BLOCK * s->width);
    g->g_copy = take(s, BLOCK * s->value_width);
    g->y_copy = take(s, BLOCK * s->value_width);
    g->turned_g = take(s, BLOCK * s->value_width);
    g->slope = take(s, BLOCK * BLOCK);
    g->dk = take(s, keys * s->width);
    g->dv = take(s, keys * s->value_width);
}

/* Σ a·b over 16 lanes, then over the lanes. */
static float dot_of(const float *a, const float *b, int64_t n)
{
    enum { SIDE = 16 / LANES };
    vf sums[SIDE] = {{0}};
    float lanes[16];
    for (int64_t i = 0; i < n; i += 16)
        for (int v = 0; v < SIDE; v++)
            sums[v] = sp__fma_f32(load_f32(a + i + v * LANES, LANES), load_f32(b + i + v * LANES, LANES), sums[v]);
    for (int v = 0; v < SIDE; v++) store_f32(lanes + v * LANES, sums[v], LANES);
    for (int half = 8; half > 0; half /= 2)
        for (int i = 0; i < half; i++) lanes[i] += lanes[i + half];
    return lanes[0];
}

static void set_slopes(state *s, slopes *g)
{
    const sp__attention *c = s->call;
    const int64_t first = s->q0, last = first + s->queries;
    const float *lse = (const float *)(const void *)sp__operand_at(&c->lse) + s->row + first;
    g->q = bring(&c->q, s->head, first, last, c->width, g->q_copy);
    g->g = bring(&c->g, s->head, first, last, c->value_width, g->g_copy);
    const block y = bring(&c->y, s->head, first, last, c->value_width, g->y_copy);
    turn_queries(s, g->q);
    turn_rows(g->turned_g, g->g, s->queries, c->value_width);
    for (int64_t i = 0; i < BLOCK; i++) {
        const bool there = i < s->queries;
        g->lse[i] = there ? lse[i] : INFINITY;
        g->dot[i] = there ? dot_of(g->g.at + i * g->g.row, y.at + i * y.row, s->value_width) : 0;
    }
}

/* Scores become weights as v met them, and what came for the weights the gradient of scores: P·(dP - Σ g·y)·scale. */
static void slope_scores(state *s, slopes *g)
{
    const bool drops = s->call->dropout > 0;
    const vf scale = splat_f32((float)s->call->scale);
    for (int64_t i = 0; i < s->lanes; i += LANES) {
        const vf lse = load_f32(g->lse + i, LANES), dot = load_f32(g->dot + i, LANES);
        for (int64_t k = seen_by(s, i); k < s->keys; k++) {
            store_f32(s->scores + k * BLOCK + i, (vf){0}, LANES);
            store_f32(g->slope + k * BLOCK + i, (vf){0}, LANES);
        }
        for (int64_t k = 0; k < seen_by(s, i); k++) {
            float *x = s->scores + k * BLOCK + i, *d = g->slope + k * BLOCK + i;
            const vf p = exp_f32(load_f32(x, LANES) - lse);
            vf kept = p, came = load_f32(d, LANES);
            if (drops) {
                const vf factor = load_f32(s->dropped + k * BLOCK + i, LANES);
                kept *= factor;
                came *= factor;
            }
            store_f32(x, kept, LANES);
            store_f32(d, p * (came - dot) * scale, LANES);
        }
    }
}

/* The block of queries in hand against one of keys. */
static void pass_back(state *s, slopes *g, int64_t first)
{
    const sp__attention *c = s->call;
    const int64_t at = s->k0 - first;
    const block weights = {s->scores, BLOCK, 1}, slope = {g->slope, BLOCK, 1}, slope_turned = {g->slope, 1, BLOCK};
    const triangle from_row = s->diagonal ? SUMS_FROM_ROW : WHOLE;
    score(s);
    multiply(g->slope, BLOCK, s->v, (block){g->turned_g, BLOCK, 1}, (int64_t[]){s->keys, s->lanes, c->value_width},
             false, s->diagonal ? COLUMNS_FROM_ROW : WHOLE);
    if (c->dropout > 0) draw_dropped(s);
    slope_scores(s, g);
    if (c->dv)
        multiply(g->dv + at * s->value_width, s->value_width, weights, g->g,
                 (int64_t[]){s->keys, s->value_width, s->queries}, true, from_row);
    if (c->dk)
        multiply(g->dk + at * s->width, s->width, slope, g->q, (int64_t[]){s->keys, s->width, s->queries}, true,
                 from_row);
    if (c->dq)
        multiply(g->dq, s->width, slope_turned, s->k, (int64_t[]){s->queries, s->width, s->keys}, true,
                 s->diagonal ? SUMS_TO_ROW : WHOLE);
}

static void put_dq(const state *s, const slopes *g, float *sums)
{
    const sp__attention *c = s->call;
    if (!c->dq) return;
    if (sums)
        memcpy(sums + s->q0 * s->width, g->dq, (size_t)(s->queries * s->width) * sizeof *sums);
    else
        put(c->dq, s->head, s->q0, s->q0 + s->queries, c->width, g->dq);
}

static sp_status backward(const sp__attention *call, const sp__attention_part *part)
{
    state s;
    slopes g;
    size_t bytes;
    const int64_t width = sp__attention_padded(call->width), value_width = sp__attention_padded(call->value_width);
    const int64_t keys = part->last - part->first, sums = keys * (width + value_width);
    const int64_t more = BLOCK * (2 * width + 3 * value_width + BLOCK) + sums;
    float *memory = begin(&s, call, part->head, (int64_t[]){part->first, part->last}, more, &bytes);
    if (!memory) return SP_ERROR_MEMORY;
    take_slopes(&s, &g, keys);
    memset(g.dk, 0, (size_t)sums * sizeof *g.dk);
    for (int64_t i = 0; i < call->queries; i += BLOCK) {
        set_queries(&s, i);
        set_slopes(&s, &g);
        memset(g.dq, 0, (size_t)(BLOCK * s.width) * sizeof *g.dq);
        const int64_t end = keys_end(&s, part->last);
        for (int64_t k = part->first; k < end; k += BLOCK) {
            set_keys(&s, k, end);
            pass_back(&s, &g, part->first);
        }
        put_dq(&s, &g, part->sums);
    }
    if (call->dk) put(call->dk, s.head, part->first, part->last, call->width, g.dk);
    if (call->dv) put(call->dv, s.head, part->first, part->last, call->value_width, g.dv);
    sp_free(memory, bytes);
    return SP_OK;
}

/* dq of a block of queries, from the sums of the parts of keys, in their order. */
static sp_status add_sums(const sp__attention *call, const sp__attention_part *part)
{
    const int64_t head[2] = {part->head / call->heads, part->head % call->heads};
    const int64_t width = sp__attention_padded(call->width), size = call->queries * width;
    for (int64_t i = part->first; i < part->last; i++) {
        float *row = (float *)part->sums + i * width;
        for (int64_t n = 1; n < part->n; n++)
            for (int64_t j = 0; j < width; j += LANES)
                store_f32(row + j, load_f32(row + j, LANES) + load_f32(row + n * size + j, LANES), LANES);
        put_row(row_at(call->dq, head, i), call->dq->dtype, call->dq->strides[3], row, call->width);
    }
    return SP_OK;
}

sp__attention_run *const SP__HERE(sp__attention_f32)[SP__ATTENTION_KINDS] = {
    [SP__ATTENTION_FORWARD] = forward,
    [SP__ATTENTION_BACKWARD] = backward,
    [SP__ATTENTION_SUM] = add_sums,
};
