/* Backward-weight channel by channel: the gradients of some taps stay in registers while the places of y pass.
 *
 * k, n    channels of x and of y in a group
 * strip   gradients of a block of channels. Its layers are what it is made for:
 *         BY_CHANNEL   many groups: a block of y, each lane of which multiplies its own channel of x; a layer for each of
 *                      the k channels of a group
 *         NARROW       one group: a block of x, all lanes of which multiply one channel of y; a layer for each of these
 *
 * A task is a strip and some of the images; what each such part found is added in the order of the parts. */
#ifndef SPUSK_CONV_CHANNEL_WEIGHT_H
#define SPUSK_CONV_CHANNEL_WEIGHT_H

#include "channel.h"

typedef struct channel_sums {
    const sp__conv *call;
    channel_mode mode;
    int64_t k, n;
    int64_t strips, layers, taps;
    int64_t parts, images, chunk; /* of the batch; images of a part; rows of y at once */
    int64_t layers_of_x, x_layer; /* copied at once; numbers from one to the next */
    int64_t width;                /* places in a row of the copy */
    number *sums;                 /* [part][strip][layers·taps + biases][CHANNELS] */
    int64_t biases;               /* one, or one for each layer */
    slots slots;
} channel_sums;

static number *channel_sums_of(const channel_sums *p, int64_t part, int64_t strip)
{
    return p->sums + (part * p->strips + strip) * (p->layers * p->taps + p->biases) * CHANNELS;
}

/* ---- sums ---- */

/* Rows and columns of y's places, and the steps to what they meet. */
typedef struct channel_field {
    const number *x, *y;
    int64_t rows, columns;
    int64_t x_row, x_place, tap_row, tap_column;
    int64_t y_row, y_place; /* of blocks, or of single numbers that all lanes multiply */
    int64_t kernel_row;     /* of sums */
} channel_field;

SP__INLINE void sum_taps(const channel_field *f, number *sums, const int rows, const int columns,
                         const channel_mode mode)
{
    vector sum[3][7];
    SP__UNROLL
    for (int i = 0; i < rows; i++) {
        SP__UNROLL
        for (int j = 0; j < columns; j++) sum[i][j] = *(const vector *)(sums + i * f->kernel_row + j * CHANNELS);
    }
    const int64_t tap_column = f->tap_column, tap_row = f->tap_row, x_place = f->x_place;
    for (int64_t h = 0; h < f->rows; h++) {
        const number *x = f->x + h * f->x_row, *y = f->y + h * f->y_row;
        for (int64_t w = f->columns; w > 0; w--, x += x_place, y += mode == NARROW ? 1 : CHANNELS) {
            vector one = {0};
            if (mode != NARROW) one = *(const vector *)y;
            SP__UNROLL
            for (int i = 0; i < rows; i++) {
                SP__UNROLL
                for (int j = 0; j < columns; j++) {
                    const number *at = x + i * tap_row + j * tap_column;
                    if (mode == NARROW)
                        sum[i][j] = multiply_add(sum[i][j], *y, *(const vector *)at);
                    else
                        sum[i][j] = fused(*(const vector *)at, one, sum[i][j]);
                }
            }
        }
    }
    SP__UNROLL
    for (int i = 0; i < rows; i++) {
        SP__UNROLL
        for (int j = 0; j < columns; j++) *(vector *)(sums + i * f->kernel_row + j * CHANNELS) = sum[i][j];
    }
}

/* Some rows and columns of a kernel by constants, so that their sums are in registers; returns how many of its columns,
 * and writes how many of its rows. */
SP__INLINE int64_t take_taps(const channel_field *f, number *sums, int64_t rows, int64_t columns,
                             const channel_mode mode, int64_t *taken)
{
    *taken = columns == 3 && rows >= 3 ? 3 : (columns == 4 || columns == 5) && rows >= 2 ? 2 : 1;
    if (*taken == 3) return sum_taps(f, sums, 3, 3, mode), 3;
    if (*taken == 2 && columns == 5) return sum_taps(f, sums, 2, 5, mode), 5;
    if (*taken == 2) return sum_taps(f, sums, 2, 4, mode), 4;
    if (columns == 7) return sum_taps(f, sums, 1, 7, mode), 7;
    if (columns == 5) return sum_taps(f, sums, 1, 5, mode), 5;
    if (columns >= 4) return sum_taps(f, sums, 1, 4, mode), 4;
    if (columns == 3) return sum_taps(f, sums, 1, 3, mode), 3;
    if (columns == 2) return sum_taps(f, sums, 1, 2, mode), 2;
    return sum_taps(f, sums, 1, 1, mode), 1;
}

/* All taps of a layer. */
static void sum_kernel(const sp__conv *call, channel_field f, channel_mode mode, number *sums)
{
    const number *first = f.x;
    for (int64_t i = 0, rows = 1; i < call->kernel[0]; i += rows) {
        for (int64_t j = 0; j < call->kernel[1];) {
            number *to = sums + i * f.kernel_row + j * CHANNELS;
            f.x = first + i * f.tap_row + j * f.tap_column;
            const int64_t left = call->kernel[0] - i, columns = call->kernel[1] - j;
            const int64_t below = j == 0 ? left : rows;
            if (mode == NARROW)
                j += take_taps(&f, to, below, columns, NARROW, &rows);
            else
                j += take_taps(&f, to, below, columns, BY_CHANNEL, &rows);
        }
    }
}

/* ---- the bias ---- */

/* Blocks that lie side by side, in four sums: one would wait for itself. */
static void sum_blocks(const number *y, int64_t n, number *sums)
{
    for (int v = 0; v < VECTORS; v++) {
        vector sum[4] = {{0}};
        for (int64_t i = 0; i < n; i++) sum[i % 4] += *(const vector *)(y + i * CHANNELS + v * LANES);
        *(vector *)(sums + v * LANES) += (sum[0] + sum[1]) + (sum[2] + sum[3]);
    }
}

/* ---- tasks ---- */

typedef struct channel_piece {
    const channel_sums *p;
    int64_t strip, image, first, last; /* rows of y */
    number *x, *y, *sums;
    channel_window window; /* of x */
} channel_piece;

/* Channel o of y at the piece's places, side by side, with zeros up to a whole block. */
static void copy_channel(const channel_piece *q, int64_t o, number *out)
{
    const sp__operand *y = &q->p->call->y;
    const int64_t width = q->p->call->out_size[1], places = (q->last - q->first) * width;
    for (int64_t i = 0; i < places; i++)
        out[i] = get_number(y, q->image * y->strides[0] + (q->first + i / width) * y->strides[2] +
                                   i % width * y->strides[3] + o * y->strides[1]);
    for (int64_t i = places; i % CHANNELS; i++) out[i] = 0;
}

/* From one channel of y to the next. */
static int64_t channel_places(const channel_sums *p)
{
    return (p->chunk * p->call->out_size[1] + CHANNELS - 1) / CHANNELS * CHANNELS;
}

static void copy_x(const channel_piece *q, int64_t layer, number *out)
{
    const channel_sums *p = q->p;
    const sp__conv *call = p->call;
    const bool few = p->mode == NARROW;
    channel_map maps[VECTORS];
    for (int v = 0; v < VECTORS; v++)
        maps[v] = map_channels(q->strip * CHANNELS + v * LANES, few ? 1 : p->n, few ? 1 : p->k, layer, call->in);
    copy_window(&call->x, call->size, q->image, maps, &q->window, out);
}

static void copy_strip(const channel_piece *q)
{
    const channel_sums *p = q->p;
    const sp__conv *call = p->call;
    for (int64_t layer = 0; layer < p->layers_of_x; layer++) copy_x(q, layer, q->x + layer * p->x_layer);
    if (p->mode == NARROW) {
        for (int64_t o = 0; o < p->n; o++) copy_channel(q, o, q->y + o * channel_places(p));
        return;
    }
    channel_map maps[VECTORS];
    for (int v = 0; v < VECTORS; v++) maps[v] = map_channels(q->strip * CHANNELS + v * LANES, 1, 1, 0, call->out);
    const channel_window window = {{q->first, 0}, {q->last, call->out_size[1]}};
    copy_window(&call->y, call->out_size, q->image, maps, &window, q->y);
}

static void sum_strip(const channel_piece *q)
{
    const channel_sums *p = q->p;
    const sp__conv *call = p->call;
    const bool few = p->mode == NARROW;
    const int64_t row = p->width * CHANNELS;
    const channel_field f = {.rows = q->last - q->first,
                             .columns = call->out_size[1],
                             .x_row = call->stride[0] * row,
                             .x_place = call->stride[1] * CHANNELS,
                             .tap_row = call->dilation[0] * row,
                             .tap_column = call->dilation[1] * CHANNELS,
                             .y_row = call->out_size[1] * (few ? 1 : CHANNELS),
                             .kernel_row = call->kernel[1] * CHANNELS};
    for (int64_t layer = 0; layer < p->layers; layer++) {
        for (int v = 0; v < VECTORS; v++) {
            channel_field g = f;
            g.x = q->x + (few ? 0 : layer * p->x_layer) + v * LANES;
            g.y = q->y + (few ? layer * channel_places(p) : v * LANES);
            sum_kernel(call, g, p->mode, q->sums + layer * p->taps * CHANNELS + v * LANES);
        }
    }
}

/* The sums of y, which one strip makes where all read the same. */
static void sum_biases(const channel_piece *q)
{
    const channel_sums *p = q->p;
    const int64_t places = (q->last - q->first) * p->call->out_size[1];
    number *bias = q->sums + p->layers * p->taps * CHANNELS;
    if (p->mode != NARROW) {
        sum_blocks(q->y, places, bias);
        return;
    }
    for (int64_t o = 0; q->strip == 0 && o < p->n; o++)
        sum_blocks(q->y + o * channel_places(p), (places + CHANNELS - 1) / CHANNELS, bias + o * CHANNELS);
}

static void channel_sums_task(void *context, int64_t task)
{
    const channel_sums *p = context;
    const sp__conv *call = p->call;
    const int64_t part = task / p->strips, last = least((part + 1) * p->images, call->batch);
    slot *memory = slot_take(&p->slots, task, p->parts * p->strips);
    channel_piece q = {.p = p, .strip = task % p->strips, .x = (number *)(void *)memory->memory};
    q.y = q.x + p->layers_of_x * p->x_layer;
    q.sums = channel_sums_of(p, part, q.strip);
    memset(q.sums, 0, (size_t)((p->layers * p->taps + p->biases) * CHANNELS) * sizeof(number));
    for (q.image = part * p->images; q.image < last; q.image++) {
        for (q.first = 0; q.first < call->out_size[0]; q.first = q.last) {
            q.last = least(q.first + p->chunk, call->out_size[0]);
            for (int d = 0; d < 2; d++) {
                const int64_t from = d == 0 ? q.first : 0, to = d == 0 ? q.last : call->out_size[1];
                q.window.from[d] = from * call->stride[d] - call->padding[d];
                q.window.to[d] = (to - 1) * call->stride[d] - call->padding[d] +
                                 (call->kernel[d] - 1) * call->dilation[d] + 1;
            }
            copy_strip(&q);
            sum_strip(&q);
            if (call->bias) sum_biases(&q);
        }
    }
    slot_give(memory);
}

/* ---- what the parts found ---- */

/* The sums of a block over the parts. */
static void add_channel_parts(const channel_sums *p, int64_t strip, int64_t block, number *sum)
{
    memset(sum, 0, CHANNELS * sizeof(number));
    for (int64_t part = 0; part < p->parts; part++) {
        const number *from = channel_sums_of(p, part, strip) + block * CHANNELS;
        for (int64_t i = 0; i < CHANNELS; i++) sum[i] += from[i];
    }
}

static void finish_bias(const channel_sums *p, int64_t strip)
{
    const sp__operand *bias = p->call->bias;
    const bool few = p->mode == NARROW;
    number sum[CHANNELS];
    for (int64_t b = 0; b < p->biases; b++) {
        add_channel_parts(p, strip, p->layers * p->taps + b, sum);
        for (int i = 1; few && i < CHANNELS; i++) sum[0] += sum[i];
        for (int64_t i = 0; i < (few ? 1 : least(CHANNELS, p->call->out - strip * CHANNELS)); i++)
            set_number(bias, (few ? b : strip * CHANNELS + i) * bias->strides[0], sum[i]);
    }
}

static void finish_strip(void *context, int64_t strip)
{
    const channel_sums *p = context;
    const sp__conv *call = p->call;
    const bool few = p->mode == NARROW;
    const int64_t *s = call->w.strides, first = strip * CHANNELS, width = few ? call->in : call->out;
    for (int64_t i = 0; i < p->layers * p->taps; i++) {
        const int64_t layer = i / p->taps, tap = i % p->taps;
        const int64_t at = layer * s[!few] + tap / call->kernel[1] * s[2] + tap % call->kernel[1] * s[3];
        number sum[CHANNELS];
        add_channel_parts(p, strip, i, sum);
        for (int64_t j = 0; j < CHANNELS && first + j < width; j++)
            set_number(&call->w, at + (first + j) * s[few], sum[j]);
    }
    if (call->bias && (!few || strip == 0)) finish_bias(p, strip);
}

/* ---- a call ---- */

/* Parts of the batch, so that there is work for many threads and a part is worth its sums; rows of y, so that what is
 * copied stays near. */
static void cut_channel_sums(channel_sums *p)
{
    enum { TASKS = 24, PLACES_OF_PART = 1024, NEAR = (64 << 10) / sizeof(number) };
    const sp__conv *call = p->call;
    const int64_t places = call->out_size[0] * call->out_size[1];
    const int64_t parts = (TASKS + p->strips - 1) / p->strips, fewest = (PLACES_OF_PART + places - 1) / places;
    p->images = (call->batch + parts - 1) / parts;
    if (p->images < fewest) p->images = fewest;
    p->parts = (call->batch + p->images - 1) / p->images;
    p->width = sp__conv_span(call, 1);
    const int64_t row = p->width * CHANNELS * p->layers_of_x * call->stride[0];
    p->chunk = NEAR / row > 4 ? NEAR / row : 4;
    p->chunk = least(p->chunk, call->out_size[0]);
    p->x_layer = ((p->chunk - 1) * call->stride[0] + (call->kernel[0] - 1) * call->dilation[0] + 1) * p->width *
                 CHANNELS;
}

static sp_status run_channel_sums(const sp__conv *call)
{
    channel_sums p = {.call = call, .taps = call->kernel[0] * call->kernel[1]};
    p.k = call->in / call->groups, p.n = call->out / call->groups;
    p.mode = call->groups > 1 ? BY_CHANNEL : NARROW;
    const bool few = p.mode == NARROW;
    p.strips = ((few ? call->in : call->out) + CHANNELS - 1) / CHANNELS;
    p.layers = few ? p.n : p.k;
    p.layers_of_x = few ? 1 : p.k;
    p.biases = few ? p.n : 1;
    cut_channel_sums(&p);
    const int64_t y = few ? p.n * channel_places(&p) : p.chunk * call->out_size[1] * CHANNELS;
    const size_t copied = (size_t)(p.layers_of_x * p.x_layer + y) * sizeof(number);
    const size_t bytes = (size_t)(p.parts * p.strips * (p.layers * p.taps + p.biases) * CHANNELS) * sizeof(number);
    p.sums = sp__scratch(bytes);
    if (!p.sums) return SP_ERROR_MEMORY;
    const bool room = slots_new(&p.slots, p.parts * p.strips, copied);
    if (room) {
        sp__flushed_tasks(p.parts * p.strips, channel_sums_task, &p);
        sp__flushed_tasks(p.strips, finish_strip, &p);
        slots_free(&p.slots);
    }
    sp_free(p.sums, bytes);
    return room ? SP_OK : SP_ERROR_MEMORY;
}

#endif
