/* Up to 256 colours are kept as they are: each grey movie is. More are cut into boxes, the one that varies most at its
 * mean along the channel that varies most, until there are 255 (Wan, Prusinkiewicz, Wong, "Variance-based color image
 * quantization for frame buffer display", 1990); the one left over is for pixels that do not change. Colours are
 * counted by five bits a channel, and by the square root of how often they come, so that a thin line is not lost
 * against its background. */
#include "palette.h"

#include <math.h>

enum { MAX_BOXES = 255 };

void sp__palette_init(sp__palette *palette)
{
    memset(palette, 0, sizeof *palette);
    memset(palette->known, 0xff, sizeof palette->known);
    palette->exact = true;
}

/* The place of a colour: where it is, or the free one where it would be. */
static int place_of(const sp__palette *palette, int32_t colour)
{
    unsigned i = ((unsigned)colour * 2654435761u) >> 22;
    while (palette->known[i] >= 0 && palette->known[i] != colour) i = (i + 1) % SP__PALETTE_KNOWN;
    return (int)i;
}

static void know(sp__palette *palette, int32_t colour)
{
    int i = place_of(palette, colour);
    if (palette->known[i] == colour) return;
    if (palette->n == 256) {
        palette->exact = false;
        return;
    }
    palette->known[i] = colour;
    palette->place[i] = (unsigned char)palette->n;
    for (int c = 0; c < 3; c++) palette->colours[palette->n][c] = (unsigned char)(colour >> (16 - 8 * c));
    palette->n++;
}

static int bin_of(const unsigned char rgb[3])
{
    return rgb[0] >> 3 << 10 | rgb[1] >> 3 << 5 | rgb[2] >> 3;
}

/* Three bytes, also of a grey pixel. */
static void read_pixel(const unsigned char *pixels, int64_t i, int64_t channels, unsigned char rgb[3])
{
    for (int c = 0; c < 3; c++) rgb[c] = pixels[i * channels + (channels == 3 ? c : 0)];
}

static int32_t colour_of(const unsigned char rgb[3])
{
    return rgb[0] << 16 | rgb[1] << 8 | rgb[2];
}

static void count(sp__palette *palette, const unsigned char rgb[3], int64_t times)
{
    struct sp__bin *bin = &palette->bins[bin_of(rgb)];
    bin->count += (double)times;
    for (int c = 0; c < 3; c++) bin->sum[c] += rgb[c] * (double)times;
    if (palette->exact) know(palette, colour_of(rgb));
}

/* How many of n pixels, from the first on, are alike. Pictures have long runs. */
static int64_t run(const unsigned char *pixels, int64_t n, int64_t channels)
{
    /* Of three channels the first, second and last; of one, that one three times. */
    const int64_t second = channels / 2, last = channels - 1;
    const unsigned char *p = pixels + channels;
    int64_t i = 1;
    for (; i < n && p[0] == pixels[0] && p[second] == pixels[second] && p[last] == pixels[last]; i++) p += channels;
    return i;
}

void sp__palette_see(sp__palette *palette, const unsigned char *pixels, int64_t n, int64_t channels)
{
    for (int64_t i = 0, times; i < n; i += times) {
        unsigned char rgb[3];
        times = run(pixels + i * channels, n - i, channels);
        read_pixel(pixels, i, channels, rgb);
        count(palette, rgb, times);
    }
}

/* ---- boxes ---- */

typedef struct box {
    int from, to; /* of the list of bins */
    double mean[3], variance[3], weight;
} box;

typedef struct cutter {
    const sp__palette *palette;
    int bins[SP__PALETTE_BINS]; /* those with a colour, in the order of boxes */
    box boxes[MAX_BOXES];
    int n;
} cutter;

static double mean_of(const struct sp__bin *bin, int c)
{
    return bin->sum[c] / bin->count;
}

static void measure(const cutter *k, box *b)
{
    double sums[3] = {0}, squares[3] = {0};
    b->weight = 0;
    for (int i = b->from; i < b->to; i++) {
        const struct sp__bin *bin = &k->palette->bins[k->bins[i]];
        double weight = sqrt(bin->count);
        b->weight += weight;
        for (int c = 0; c < 3; c++) {
            sums[c] += weight * mean_of(bin, c);
            squares[c] += weight * mean_of(bin, c) * mean_of(bin, c);
        }
    }
    for (int c = 0; c < 3; c++) {
        b->mean[c] = sums[c] / b->weight;
        b->variance[c] = squares[c] / b->weight - b->mean[c] * b->mean[c];
    }
}

static int widest_channel(const box *b)
{
    int c = b->variance[1] >= b->variance[0] ? 1 : 0;
    return b->variance[2] > b->variance[c] ? 2 : c;
}

static int worst_box(const cutter *k)
{
    int worst = -1;
    double most = 1e-3;
    for (int i = 0; i < k->n; i++) {
        const box *b = &k->boxes[i];
        double error = b->weight * b->variance[widest_channel(b)];
        if (b->to - b->from > 1 && error > most) most = error, worst = i;
    }
    return worst;
}

/* Moves the bins below the mean of the channel to the front. False when all are on one side. */
static bool cut(cutter *k, int index)
{
    box *low = &k->boxes[index], high = *low;
    int c = widest_channel(low), middle = low->from;
    for (int i = low->from; i < low->to; i++) {
        int bin = k->bins[i];
        if (mean_of(&k->palette->bins[bin], c) >= low->mean[c]) continue;
        k->bins[i] = k->bins[middle];
        k->bins[middle++] = bin;
    }
    if (middle == low->from || middle == low->to) return false;
    low->to = high.from = middle;
    measure(k, low);
    measure(k, &high);
    k->boxes[k->n++] = high;
    return true;
}

/* The colour of a box is the mean by true counts: a large even area keeps its own. */
static void colour_box(const cutter *k, const box *b, unsigned char colour[3])
{
    double count = 0, sums[3] = {0};
    for (int i = b->from; i < b->to; i++) {
        const struct sp__bin *bin = &k->palette->bins[k->bins[i]];
        count += bin->count;
        for (int c = 0; c < 3; c++) sums[c] += bin->sum[c];
    }
    for (int c = 0; c < 3; c++) colour[c] = (unsigned char)(sums[c] / count + 0.5);
}

static void find_nearest(sp__palette *palette, int index)
{
    double least = 1e9;
    for (int i = 0; i < palette->n; i++) {
        double distance = 0;
        for (int c = 0; c < 3; c++) {
            double d = mean_of(&palette->bins[index], c) - palette->colours[i][c];
            distance += d * d;
        }
        if (distance < least) least = distance, palette->nearest[index] = (unsigned char)i;
    }
}

sp_status sp__palette_choose(sp__palette *palette)
{
    if (palette->exact) return SP_OK;
    cutter *k = sp_alloc(sizeof *k);
    if (!k) return sp_error_status();
    int used = 0;
    k->palette = palette;
    for (int i = 0; i < SP__PALETTE_BINS; i++)
        if (palette->bins[i].count > 0) k->bins[used++] = i;
    k->boxes[k->n++] = (box){.to = used};
    measure(k, &k->boxes[0]);
    for (int worst; k->n < MAX_BOXES && (worst = worst_box(k)) >= 0;)
        if (!cut(k, worst)) break;
    palette->n = k->n;
    for (int i = 0; i < k->n; i++) colour_box(k, &k->boxes[i], palette->colours[i]);
    for (int i = 0; i < used; i++) find_nearest(palette, k->bins[i]);
    sp_free(k, sizeof *k);
    return SP_OK;
}

void sp__palette_index(const sp__palette *palette, const unsigned char *pixels, int64_t n, int64_t channels,
                       unsigned char *indices)
{
    for (int64_t i = 0, times; i < n; i += times) {
        unsigned char rgb[3];
        times = run(pixels + i * channels, n - i, channels);
        read_pixel(pixels, i, channels, rgb);
        int index = palette->exact ? palette->place[place_of(palette, colour_of(rgb))] : palette->nearest[bin_of(rgb)];
        memset(indices + i, index, (size_t)times);
    }
}
