/* Which loop a convolution runs by: one list for each direction, read from the top. The first row that takes the call,
 * is for its dtype and is compiled for the level in use runs; the last is the reference, which takes all. */
#include "backends/cpu/conv/conv.h"

/* ---- what a row may ask ---- */

static bool any(const sp__conv *call)
{
    (void)call;
    return true;
}

static bool has_tail(const sp__conv *call)
{
    return call->tail != NULL;
}

static bool has_data(const sp__conv *call)
{
    return call->data != NULL;
}

/* Whether minimal filtering pays for 3×3 kernels that step by one: where the transforms, which grow with the channels of
 * x and of y, are little beside the products, which grow with both, and a tile has a use. */
static bool can_filter(const sp__conv *call, const int64_t *result)
{
    enum { CHANNELS = 8, PLACES = 16 };
    for (int d = 0; d < 2; d++)
        if (call->kernel[d] != 3 || call->stride[d] != 1 || call->dilation[d] != 1) return false;
    return call->groups == 1 && call->in >= CHANNELS && call->out >= CHANNELS && result[0] * result[1] >= PLACES;
}

/* The tail, the batch and the layout play no part, so that a place's sum is the same whatever is computed with it. */
static bool is_winograd(const sp__conv *call)
{
    return can_filter(call, call->kind == SP__CONV_FORWARD ? call->out_size : call->size);
}

static bool is_winograd_weight(const sp__conv *call)
{
    return !call->tail && call->batch > 0 && can_filter(call, call->out_size);
}

/* Groups of which each alone is done by minimal filtering. */
static bool is_winograd_by_group(const sp__conv *call)
{
    sp__conv one = *call;
    one.groups = 1, one.in = call->in / call->groups, one.out = call->out / call->groups;
    if (call->groups == 1 || call->data) return false;
    return call->kind == SP__CONV_BACKWARD_WEIGHT ? is_winograd_weight(&one) : is_winograd(&one);
}

/* A kernel of one place that meets each place: a product. Few rows or columns are not worth its packing, nor are long
 * sums for few weights. */
static bool is_product(const sp__conv *call)
{
    enum { FEW = 8, WEIGHTS = 1 << 14, PLACES = 1 << 12 };
    for (int d = 0; d < 2; d++)
        if (call->kernel[d] != 1 || call->stride[d] != 1 || call->padding[d] != 0 || call->size[d] != call->out_size[d])
            return false;
    if (call->groups > 1 || call->in < FEW || call->out < FEW || call->w.dtype != call->dtype) return false;
    if (call->bias && call->bias->dtype != call->dtype) return false;
    if (call->kind != SP__CONV_BACKWARD_WEIGHT) return call->kind == SP__CONV_FORWARD || !call->tail;
    const int64_t places = call->batch * call->size[0] * call->size[1];
    return !call->tail && places > 0 && (places <= PLACES || call->in * call->out >= WEIGHTS);
}

bool sp__conv_has_few_results(int64_t k, int64_t n)
{
    enum { BLOCK = 16, FEW = 4 };
    return n <= FEW && 2 * n * ((k + BLOCK - 1) / BLOCK) <= k;
}

/* Whether a group's result, of n channels that each sum k·taps products, fills too little of a vector for the direct loop,
 * whose lanes are these channels. Channel by channel, the lanes are channels of many groups; of one group they are the
 * source's, and must be added up at the end, which a tap or two are not worth. Few channels of the source are too few
 * for each tile of the direct loop to be worth its start. */
static bool is_narrow(int64_t groups, int64_t k, int64_t n, int64_t taps)
{
    enum { BLOCK = 16, NARROW = 8, FEW = 4, SUMS = 4 };
    if (k < 1 || n < 1) return false;
    if (groups > 1) return n <= NARROW;
    if (sp__conv_has_few_results(k, n)) return taps * ((k + BLOCK - 1) / BLOCK) >= SUMS;
    return k <= FEW;
}

/* The loops by channel copy what they read with zeros around it: x, or in backward-data y. */
static bool may_copy_source(const sp__conv *call)
{
    int64_t span[2];
    for (int d = 0; d < 2; d++) {
        const int64_t reach = call->size[d] + (call->kernel[d] - 1) * call->dilation[d];
        span[d] = call->kind == SP__CONV_BACKWARD_DATA ? reach / call->stride[d] + 1 : sp__conv_span(call, d);
    }
    return sp__conv_may_copy(call, span[0], span[1]);
}

static bool is_by_channel(const sp__conv *call)
{
    const int64_t in = call->in / call->groups, out = call->out / call->groups;
    const int64_t taps = call->kernel[0] * call->kernel[1], strides = call->stride[0] * call->stride[1];
    if (!may_copy_source(call)) return false;
    if (call->kind == SP__CONV_FORWARD) return is_narrow(call->groups, in, out, taps);
    return is_narrow(call->groups, out, in, taps / strides);
}

/* The same for the weights' gradient, where nothing is added up at the end. */
static bool is_weight_by_channel(const sp__conv *call)
{
    enum { BLOCK = 16, NARROW = 8 };
    const int64_t k = call->in / call->groups, n = call->out / call->groups;
    if (k < 1 || n < 1 || call->out_size[0] * call->out_size[1] == 0 || !may_copy_source(call)) return false;
    if (call->groups > 1) return n <= NARROW;
    return n < NARROW && 2 * n * ((k + BLOCK - 1) / BLOCK) <= k;
}

/* Places of y's channels that a ReLU let through, `at` being the first channel's. Those that lie side by side are
 * counted by loops that become vectors: of bf16, the numbers above 0 are bits from 1 to infinity's. */
static int64_t positive_channels(const sp__operand *y, int64_t at, int64_t channels)
{
    enum { INFINITE = 0x7F80 };
    const int64_t step = y->strides[1];
    int32_t found = 0;
    if (step == 1 && y->dtype == SP_F32) {
        const float *x = (const float *)y->buffer + at;
        for (int64_t o = 0; o < channels; o++) found += x[o] > 0;
    } else if (step == 1 && y->dtype == SP_BF16) {
        const sp__bf16 *x = (const sp__bf16 *)y->buffer + at;
        for (int64_t o = 0; o < channels; o++) found += (uint16_t)(x[o] - 1) < INFINITE;
    } else {
        const int64_t item = sp__size_of(y->dtype);
        for (int64_t o = 0; o < channels; o++)
            found += sp__load_f64(y->dtype, (const char *)y->buffer + (at + o * step) * item) > 0;
    }
    return found;
}

/* The share of y's places that have a gradient: one of each window, where the ReLU let it through in some images of the
 * batch. */
static double share_of_gradients(const sp__conv *call)
{
    enum { SAMPLES = 4 };
    const sp__conv_tail *tail = call->tail;
    const sp__operand *y = &tail->y;
    const int64_t row = call->out_size[1] / tail->pool[1], windows = call->out_size[0] / tail->pool[0] * row;
    const int64_t step = (call->batch + SAMPLES - 1) / SAMPLES;
    int64_t positive = 0, seen = 0;
    for (int64_t image = 0; tail->relu && image < call->batch; image += step) {
        for (int64_t i = 0; i < windows; i++, seen += call->out) {
            const int64_t at = y->offset + image * y->strides[0] + i / row * y->strides[2] + i % row * y->strides[3];
            positive += positive_channels(y, at, call->out);
        }
    }
    return (seen ? (double)positive / (double)seen : 1) / (double)(tail->pool[0] * tail->pool[1]);
}

/* Whether a place's channels are enough for vectors and an image of x and its list fit into the second-level cache. */
static bool fits_lists(const sp__conv *call)
{
    enum { CACHE = 1 << 19, NUMBER = 4, ENTRY = 8, FEW_CHANNELS = 8 };
    if (!call->tail || call->groups > 1 || call->dilation[1] != 1 || call->in <= FEW_CHANNELS) return false;
    const int64_t places = call->tail->pool[0] * call->tail->pool[1];
    const int64_t image = (call->size[0] + 2 * call->padding[0]) * (call->size[1] + 2 * call->padding[1]) * call->in;
    const int64_t windows = call->out_size[0] * call->out_size[1] * call->out / places;
    return image * NUMBER <= CACHE && windows * ENTRY <= CACHE;
}

/* Whether lists have few entries beside what the dense loops compute, of which minimal filtering leaves the least. */
static bool are_short_lists(const sp__conv *call)
{
    return share_of_gradients(call) <= (can_filter(call, call->out_size) ? 0.2 : 0.5);
}

/* At most one place of a window has a gradient. */
static bool is_pooled_sparse(const sp__conv *call)
{
    return fits_lists(call) && call->tail->pool[0] * call->tail->pool[1] >= 4 && are_short_lists(call);
}

/* Behind ReLU alone lists pay for the weights' gradient, whose sums are in registers; those of backward-data are in
 * memory. */
static bool is_sparse(const sp__conv *call)
{
    if (is_pooled_sparse(call)) return true;
    const int64_t *pool = call->tail ? call->tail->pool : NULL;
    return fits_lists(call) && pool[0] * pool[1] == 1 && call->tail->relu && are_short_lists(call);
}

/* One pass makes both gradients from the same lists. */
static bool is_sparse_with_data(const sp__conv *call)
{
    return call->data && is_pooled_sparse(call);
}

/* Channel by channel, and by minimal filtering, nothing has a tail: it is written out once, for both gradients. */
static bool is_weight_behind_tail(const sp__conv *call)
{
    if (!call->tail) return false;
    const bool filters = call->dtype != SP_F64 && call->batch > 0 && can_filter(call, call->out_size);
    if (!filters && !is_weight_by_channel(call)) return false;
    return call->dtype == SP_F64 || !is_sparse(call); /* lists are of f32 */
}

static bool is_even(const sp__operand *operand)
{
    const int64_t *s = operand->strides;
    return (operand->offset | s[0] | s[2] | s[3]) % 2 == 0;
}

/* Whether the source's channels, which are summed over, make pairs in memory; what is not side by side yet will be. */
static bool has_pairs(const sp__conv *call)
{
    const bool forward = call->kind == SP__CONV_FORWARD;
    const sp__operand *source = forward ? &call->x : &call->y;
    const int64_t channels = forward ? call->in : call->out;
    return channels / call->groups % 2 == 0 && (source->strides[1] != 1 || is_even(source));
}

/* The weights' gradient sums over places: its pairs are made in a copy of x, which half a vector of f32 is worth. */
static bool is_worth_pairing(const sp__conv *call)
{
    return !call->tail && call->in >= sp__cpu_level()->vector_bytes / (int64_t)sizeof(float) / 2;
}

/* AMX takes all but groups and few channels; of backward-data, what a tap reaches everywhere. */
static bool takes_tiles(const sp__conv *call)
{
    enum { FEW = 8 };
    if (call->in < FEW || call->out < FEW) return false;
    const bool forward = call->kind == SP__CONV_FORWARD;
    for (int d = 0; d < 2 && !forward; d++)
        if (call->kernel[d] < call->stride[d] || (call->stride[d] > 1 && call->dilation[d] > 1)) return false;
    return call->groups == 1;
}

/* Of backward, no tail. */
static bool fits_tiles(const sp__conv *call)
{
    return takes_tiles(call) && (call->kind == SP__CONV_FORWARD || !call->tail);
}

/* Dense sums by tiles are faster than sparse ones in f32, but where hardly a place has a gradient. */
static bool fits_expanded_tiles(const sp__conv *call)
{
    if (!takes_tiles(call) || !call->tail) return false;
    if (share_of_gradients(call) > 0.06) return true;
    return call->kind == SP__CONV_BACKWARD_DATA ? !is_pooled_sparse(call) : !is_sparse(call);
}

/* ---- the lists ---- */

enum { ANY = SP_DTYPE_COUNT }; /* the call's own dtype */

static const sp__conv_choice forward[] = {
    {"tiles", SP_BF16, fits_tiles, SP__CONV_TILES},
    {"product", SP_BF16, is_product, SP__CONV_PRODUCT},
    {"product", SP_F32, is_product, SP__CONV_PRODUCT},
    {"product", SP_F64, is_product, SP__CONV_PRODUCT},
    {"by group", SP_F32, is_winograd_by_group, SP__CONV_BY_GROUP},
    {"by channel", SP_F32, is_by_channel, SP__CONV_CHANNEL},
    {"by channel", SP_F64, is_by_channel, SP__CONV_CHANNEL},
    {"winograd", SP_F32, is_winograd, SP__CONV_WINOGRAD},
    {"pairs", SP_BF16, has_pairs, SP__CONV_DIRECT},
    {"direct", SP_F32, any, SP__CONV_DIRECT},
    {"direct", SP_F64, any, SP__CONV_DIRECT},
    {"reference", ANY, any, SP__CONV_REFERENCE},
};

static const sp__conv_choice backward_data[] = {
    {"tiles", SP_BF16, fits_tiles, SP__CONV_TILES},
    {"expanded tiles", SP_BF16, fits_expanded_tiles, SP__CONV_TILES_EXPANDED},
    {"sparse", SP_F32, is_pooled_sparse, SP__CONV_SPARSE},
    {"expanded", SP_F32, has_tail, SP__CONV_EXPANDED},
    {"expanded", SP_F64, has_tail, SP__CONV_EXPANDED},
    {"product", SP_BF16, is_product, SP__CONV_PRODUCT},
    {"product", SP_F32, is_product, SP__CONV_PRODUCT},
    {"product", SP_F64, is_product, SP__CONV_PRODUCT},
    {"by group", SP_F32, is_winograd_by_group, SP__CONV_BY_GROUP},
    {"by channel", SP_F32, is_by_channel, SP__CONV_CHANNEL},
    {"by channel", SP_F64, is_by_channel, SP__CONV_CHANNEL},
    {"winograd", SP_F32, is_winograd, SP__CONV_WINOGRAD},
    {"pairs", SP_BF16, has_pairs, SP__CONV_DIRECT},
    {"direct", SP_F32, any, SP__CONV_DIRECT},
    {"direct", SP_F64, any, SP__CONV_DIRECT},
    {"reference", ANY, any, SP__CONV_REFERENCE},
};

static const sp__conv_choice backward_weight[] = {
    {"weight tiles", SP_BF16, fits_tiles, SP__CONV_TILES_WEIGHT},
    {"expanded tiles", SP_BF16, fits_expanded_tiles, SP__CONV_TILES_EXPANDED},
    {"sparse with data", SP_F32, is_sparse_with_data, SP__CONV_SPARSE},
    {"expanded", SP_F32, is_weight_behind_tail, SP__CONV_EXPANDED},
    {"expanded", SP_F64, is_weight_behind_tail, SP__CONV_EXPANDED},
    {"two passes", SP_F32, has_data, SP__CONV_TWO_PASSES},
    {"two passes", SP_F64, has_data, SP__CONV_TWO_PASSES},
    {"sparse", SP_F32, is_sparse, SP__CONV_SPARSE},
    {"product", SP_BF16, is_product, SP__CONV_PRODUCT},
    {"product", SP_F32, is_product, SP__CONV_PRODUCT},
    {"product", SP_F64, is_product, SP__CONV_PRODUCT},
    {"by group", SP_F32, is_winograd_by_group, SP__CONV_BY_GROUP},
    {"by channel", SP_F32, is_weight_by_channel, SP__CONV_CHANNEL_WEIGHT},
    {"by channel", SP_F64, is_weight_by_channel, SP__CONV_CHANNEL_WEIGHT},
    {"winograd weight", SP_F32, is_winograd_weight, SP__CONV_WINOGRAD_WEIGHT},
    {"weight pairs", SP_BF16, is_worth_pairing, SP__CONV_WEIGHT},
    {"weight", SP_F32, any, SP__CONV_WEIGHT},
    {"weight", SP_F64, any, SP__CONV_WEIGHT},
    {"reference", ANY, any, SP__CONV_REFERENCE},
};

static const sp__conv_choice *const lists[] = {[SP__CONV_FORWARD] = forward,
                                               [SP__CONV_BACKWARD_DATA] = backward_data,
                                               [SP__CONV_BACKWARD_WEIGHT] = backward_weight};

/* ---- the choice ---- */

sp__conv_run *sp__conv_function(const sp__conv_choice *choice, const sp__conv *call)
{
    if (choice->dtype == ANY) return SP__KIND_AT(&sp__reference, call->dtype, conv, choice->loop);
    return SP__KIND_AT(sp__cpu_level(), choice->dtype, conv, choice->loop);
}

static bool is_for(int dtype, sp_dtype called)
{
    return dtype == ANY || dtype == (int)called || (dtype == SP_F32 && called == SP_BF16);
}

const sp__conv_choice *sp__conv_choose(const sp__conv *call)
{
    const sp__conv_choice *row = lists[call->kind];
    for (; row->loop != SP__CONV_REFERENCE; row++)
        if (is_for(row->dtype, call->dtype) && sp__conv_function(row, call) && row->takes(call)) break;
    return row;
}

/* The reference has no tails. A window's places must fit into a tile of the direct loop, and into one of minimal
 * filtering where that makes the sums: another loop would make other ones. Of few results there are no windows. */
bool sp__cpu_conv_takes(const sp__conv *call)
{
    if (!call->tail) return true;
    const bool fast = sp__cpu_level() != &sp__reference && sp__cpu_level()->of[call->dtype].conv;
    const int64_t *pool = call->tail->pool, places = pool[0] * pool[1];
    const bool fits_winograd = pool[0] == pool[1] && pool[0] <= 2;
    if (!fast || places > 16) return false;
    if (call->kind != SP__CONV_FORWARD) return true;
    if (is_by_channel(call) && !is_winograd_by_group(call))
        return places == 1 || !sp__conv_has_few_results(call->in, call->out) || call->groups > 1;
    if (is_product(call)) return places == 1;
    return fits_winograd || !(is_winograd(call) || is_winograd_by_group(call));
}
