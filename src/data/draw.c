/* Pictures of digits: a glyph's points, moved and turned at random, joined by smooth lines, drawn with a pen of random
 * width, with noise over them. Coordinates are in 256ths of a pixel. Division is C's, towards zero, so that nothing
 * depends on how a machine shifts negative numbers. */
#include "glyphs.h"

#include <spusk/generator.h>
#include <stdlib.h>
#include <string.h>

enum {
    SIDE = 28,
    PIXELS = SIDE * SIDE,
    PIXEL = 256, /* units in one */
    ONE = 65536, /* 1.0 in numbers without a unit */
    FAR_AWAY = 1 << 30,
};

/* How much examples differ. Each number is the largest deviation from the middle, to both sides. */
enum {
    HEIGHT = 20 * PIXEL,     /* of a digit of middle size, 120 units of its glyph */
    SCALE = ONE * 24 / 100,  /* of its height */
    ASPECT = ONE * 28 / 100, /* of its width beside its height */
    SLANT = ONE * 40 / 100,  /* x for each y */
    TURN = ONE * 26 / 100,   /* radians */
    SHIFT = 3 * PIXEL,       /* in both directions */
    WOBBLE = 6,              /* of each point, in units of the glyph */
    PEN = PIXEL * 115 / 100, /* radius */
    PEN_SPREAD = PIXEL * 45 / 100,
    INK_LEAST = 130, /* of 255 */
    NOISE_MOST = 70, /* of 255 */
};

/* ---- random numbers ---- */

/* The random words of one example. */
typedef struct words {
    uint32_t counter[4], key[2], block[4];
    int used;
} words;

static uint32_t next_word(words *w)
{
    if (w->used == 4) {
        sp_philox(w->block, w->counter, w->key);
        w->counter[0]++;
        w->used = 0;
    }
    return w->block[w->used++];
}

/* 0 … n-1 */
static int32_t below(words *w, int32_t n)
{
    return (int32_t)((uint64_t)next_word(w) * (uint64_t)n >> 32);
}

/* -most … most */
static int32_t around(words *w, int32_t most)
{
    return below(w, 2 * most + 1) - most;
}

/* ---- places ---- */

typedef struct point {
    int32_t x, y;
} point;

/* From a glyph's units to the picture: (xx·x + xy·y)/ONE + x0, likewise y. */
typedef struct placing {
    int64_t xx, xy, yx, yy;
    int32_t x0, y0;
} placing;

static int64_t times(int64_t a, int64_t b)
{
    return a * b / ONE;
}

/* Turns by an angle; its sine and cosine by the first terms of their series, which are plenty below 0.3. */
static placing random_placing(words *w)
{
    int64_t height = ONE + around(w, SCALE), width = times(height, ONE + around(w, ASPECT));
    int64_t slant = around(w, SLANT), angle = around(w, TURN), square = times(angle, angle);
    int64_t sine = angle - times(angle, square) / 6, cosine = ONE - square / 2 + times(square, square) / 24;
    int64_t sheared = -times(slant, height), unit = (int64_t)HEIGHT * ONE / 120;
    placing p = {
        .xx = times(times(cosine, width), unit),
        .xy = times(times(cosine, sheared) - times(sine, height), unit),
        .yx = times(times(sine, width), unit),
        .yy = times(times(sine, sheared) + times(cosine, height), unit),
    };
    p.x0 = SIDE * PIXEL / 2 + around(w, SHIFT);
    p.y0 = SIDE * PIXEL / 2 + around(w, SHIFT);
    return p;
}

static point place(const placing *p, const int8_t at[2], words *w)
{
    int64_t x = at[0] + around(w, WOBBLE), y = at[1] + around(w, WOBBLE);
    return (point){p->x0 + (int32_t)((p->xx * x + p->xy * y) / ONE), p->y0 + (int32_t)((p->yx * x + p->yy * y) / ONE)};
}

/* ---- the pen ---- */

typedef struct canvas {
    int32_t nearest[PIXELS]; /* from each pixel's middle to the line, squared; beyond the pen's reach: FAR_AWAY */
    int32_t reach;           /* of the pen with its soft edge */
} canvas;

static int32_t clamp(int32_t x, int32_t low, int32_t high)
{
    return x < low ? low : x > high ? high : x;
}

/* Notes a point of the line at all pixels near it. */
static void touch(canvas *c, int32_t x, int32_t y)
{
    int32_t left = clamp((x - c->reach) / PIXEL, 0, SIDE), right = clamp((x + c->reach) / PIXEL + 1, 0, SIDE);
    int32_t top = clamp((y - c->reach) / PIXEL, 0, SIDE), bottom = clamp((y + c->reach) / PIXEL + 1, 0, SIDE);
    for (int32_t row = top; row < bottom; row++) {
        int32_t dy = row * PIXEL + PIXEL / 2 - y;
        for (int32_t column = left; column < right; column++) {
            int32_t dx = column * PIXEL + PIXEL / 2 - x, d = dx * dx + dy * dy;
            int32_t *nearest = &c->nearest[row * SIDE + column];
            if (d < *nearest) *nearest = d;
        }
    }
}

/* One coordinate of the curve that passes b at t = 0 and c at t = 1 (Catmull and Rom, 1974). */
static int32_t curve(int64_t a, int64_t b, int64_t c, int64_t d, int64_t t)
{
    int64_t cubic = times(3 * (b - c) + d - a, t) + 2 * a - 5 * b + 4 * c - d;
    return (int32_t)(b + times(times(cubic, t) + c - a, t) / 2);
}

/* Dots from b to c, near enough to each other to be a line. */
static void draw_piece(canvas *paper, point a, point b, point c, point d)
{
    int32_t n = 1 + (abs(c.x - b.x) + abs(c.y - b.y)) / (PIXEL * 3 / 5);
    for (int32_t i = 0; i <= n; i++) {
        int64_t t = (int64_t)i * ONE / n;
        touch(paper, curve(a.x, b.x, c.x, d.x, t), curve(a.y, b.y, c.y, d.y, t));
    }
}

static void draw_stroke(canvas *paper, const sp__stroke *stroke, const placing *p, words *w)
{
    point points[SP__STROKE_POINTS] = {{0, 0}};
    int n = stroke->n, pieces = stroke->closed ? n : n - 1;
    for (int i = 0; i < n; i++) points[i] = place(p, stroke->points[i], w);
    for (int i = 0; i < pieces; i++) {
        int before = i ? i - 1 : stroke->closed ? n - 1 : 0;
        int after = stroke->closed ? (i + 2) % n : i + 2 < n ? i + 2 : n - 1;
        draw_piece(paper, points[before], points[i], points[(i + 1) % n], points[after]);
    }
}

/* ---- ink and noise ---- */

static int32_t square_root(int32_t x)
{
    int32_t root = 0;
    for (int32_t bit = 1 << 15; bit; bit >>= 1) {
        int64_t wider = root + bit;
        if (wider * wider <= x) root += bit;
    }
    return root;
}

/* Full ink up to half a pixel within the pen's edge, none from half a pixel outside on. */
static void ink(const canvas *c, int32_t most, uint8_t *pixels)
{
    for (int i = 0; i < PIXELS; i++) {
        if (c->nearest[i] >= FAR_AWAY) continue;
        int32_t inside = clamp(c->reach - square_root(c->nearest[i]), 0, PIXEL);
        pixels[i] = (uint8_t)(most * inside / PIXEL);
    }
}

static void add_noise(uint8_t *pixels, words *w)
{
    int32_t most = below(w, NOISE_MOST + 1);
    for (int i = 0; i < PIXELS; i += 4) {
        uint32_t word = next_word(w);
        for (int k = 0; k < 4; k++) {
            int32_t noise = (int32_t)(word >> (8 * k) & 255) - 128;
            pixels[i + k] = (uint8_t)clamp(pixels[i + k] + most * noise / 128, 0, 255);
        }
    }
}

int sp__draw_digit(uint64_t seed, int stream, int64_t i, uint8_t pixels[PIXELS])
{
    words w = {
        .counter = {0, (uint32_t)stream, (uint32_t)i, (uint32_t)((uint64_t)i >> 32)},
        .key = {(uint32_t)seed, (uint32_t)(seed >> 32)},
        .used = 4,
    };
    int label = below(&w, 10);
    const sp__glyph *glyph = &sp__glyphs[label][below(&w, SP__GLYPHS_OF_A_DIGIT)];
    placing p = random_placing(&w);
    canvas c;
    c.reach = PEN + around(&w, PEN_SPREAD) + PIXEL / 2;
    for (int k = 0; k < PIXELS; k++) c.nearest[k] = FAR_AWAY;
    for (int k = 0; k < glyph->n; k++) draw_stroke(&c, &glyph->strokes[k], &p, &w);
    memset(pixels, 0, PIXELS);
    ink(&c, INK_LEAST + below(&w, 256 - INK_LEAST), pixels);
    add_noise(pixels, &w);
    return label;
}
