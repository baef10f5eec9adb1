/* The strokes of one digit: the largest piece of ink and what belongs to it, without specks, lines and what comes in
 * from the edge of the picture. */
#include "digit.h"

#include <math.h>

/* Connected ink. */
typedef struct piece {
    int64_t top, left, bottom, right, area;
    double mass;
    bool touches; /* the edge of the picture */
    bool kept;
} piece;

enum { MOST_PIECES = 4096 };

typedef struct search {
    sp__picture *p;
    int32_t *labels; /* of each place: 0 none, else the number of its piece and 1 */
    int64_t *stack;
    piece *pieces;
    int n;
} search;

static bool is_kept(const search *s, int64_t place)
{
    const int32_t label = s->labels[place];
    return label > 0 && s->pieces[label - 1].kept;
}

/* The value that a given part of all places exceeds. Only values above `least` count, and only places that are kept,
 * once some are. */
static float quantile(const search *s, float least, double part)
{
    enum { BINS = 1024 };
    const sp__picture *p = s->p;
    int64_t counts[BINS] = {0}, all = 0, seen = 0;
    for (int64_t place = 0; place < p->h * p->w; place++) {
        if (p->data[place] <= least || (s->n > 0 && !is_kept(s, place))) continue;
        counts[(int)(fminf(p->data[place], 0.9999F) * BINS)]++;
        all++;
    }
    for (int bin = BINS - 1; all > 0 && bin > 0; bin--) {
        seen += counts[bin];
        if ((double)seen >= part * (double)all) return (float)bin / BINS;
    }
    return 0;
}

/* ---- which side is the ink ---- */

/* Which side is the ink: how much lies beyond the noise on each side of the paper. The ink is where there is more. */
static float side_of_ink(const sp__picture *p, double noise)
{
    const float least = (float)fmax(3 * noise, 0.04);
    double light = 0, dark = 0;
    for (int64_t i = 0; i < p->h * p->w; i++) {
        light += (double)fmaxf(p->data[i] - least, 0);
        dark += (double)fmaxf(-p->data[i] - least, 0);
    }
    return dark > light ? -1 : 1;
}

/* ---- pieces ---- */

/* The mean of nine values, which has a third of their noise. */
static float smooth(const sp__picture *p, int64_t i, int64_t j)
{
    float sum = 0;
    for (int64_t a = i - 1; a <= i + 1; a++)
        for (int64_t b = j - 1; b <= j + 1; b++) sum += sp__at(p, a, b);
    return sum / 9;
}

static void mark(search *s, float least, bool noisy)
{
    const sp__picture *p = s->p;
    for (int64_t i = 0; i < p->h; i++)
        for (int64_t j = 0; j < p->w; j++)
            s->labels[i * p->w + j] = (noisy ? smooth(p, i, j) : p->data[i * p->w + j]) > least ? -1 : 0;
}

static void grow(piece *q, const sp__picture *p, int64_t place)
{
    const int64_t i = place / p->w, j = place % p->w;
    if (i < q->top) q->top = i;
    if (i > q->bottom) q->bottom = i;
    if (j < q->left) q->left = j;
    if (j > q->right) q->right = j;
    q->area++;
    q->mass += (double)fmaxf(p->data[place], 0);
    q->touches = q->touches || i == 0 || j == 0 || i == p->h - 1 || j == p->w - 1;
}

/* All that is connected with a place, also by corners. */
static void flood(search *s, int64_t start, int32_t label)
{
    const sp__picture *p = s->p;
    piece *q = &s->pieces[label - 1];
    int64_t n = 0;
    *q = (piece){.top = p->h, .left = p->w, .bottom = -1, .right = -1};
    s->stack[n++] = start;
    s->labels[start] = label;
    while (n > 0) {
        const int64_t place = s->stack[--n], i = place / p->w, j = place % p->w;
        grow(q, p, place);
        for (int64_t a = i > 0 ? i - 1 : 0; a <= i + 1 && a < p->h; a++)
            for (int64_t b = j > 0 ? j - 1 : 0; b <= j + 1 && b < p->w; b++) {
                if (s->labels[a * p->w + b] != -1) continue;
                s->labels[a * p->w + b] = label;
                s->stack[n++] = a * p->w + b;
            }
    }
}

static void find_pieces(search *s)
{
    for (int64_t place = 0; place < s->p->h * s->p->w && s->n < MOST_PIECES; place++)
        if (s->labels[place] == -1) flood(s, place, ++s->n);
    for (int64_t place = 0; place < s->p->h * s->p->w; place++)
        if (s->labels[place] < 0) s->labels[place] = 0;
}

/* ---- which of them are the digit ---- */

static int64_t height(const piece *q)
{
    return q->bottom - q->top + 1;
}

static int64_t width(const piece *q)
{
    return q->right - q->left + 1;
}

/* A rule beside the digit, or under it. */
static bool is_line(const piece *q, const sp__picture *p)
{
    const int64_t h = height(q), w = width(q);
    return (w >= 8 * h && 2 * w >= p->w) || (h >= 8 * w && 3 * h >= 2 * p->h);
}

/* The heaviest piece. A line, or a piece that comes in from the edge, is passed over where another piece is heavy
 * enough for a digit. */
static piece *main_piece(search *s)
{
    piece *first = NULL, *inside = NULL;
    for (int k = 0; k < s->n; k++) {
        piece *q = &s->pieces[k];
        if (!first || q->mass > first->mass) first = q;
        if (!q->touches && !is_line(q, s->p) && (!inside || q->mass > inside->mass)) inside = q;
    }
    return inside && inside->mass >= 0.1 * first->mass ? inside : first;
}

static int64_t gap(int64_t low, int64_t high, int64_t other_low, int64_t other_high)
{
    return other_low > high ? other_low - high : low > other_high ? low - other_high : 0;
}

/* Whether a piece belongs to the digit although it was written apart: it is near and no speck. */
static bool belongs(const piece *q, const piece *digit, const sp__picture *p)
{
    const int64_t size = height(digit) > width(digit) ? height(digit) : width(digit);
    const int64_t down = gap(digit->top, digit->bottom, q->top, q->bottom);
    const int64_t across = gap(digit->left, digit->right, q->left, q->right);
    return !q->touches && !is_line(q, p) && q->mass >= 0.04 * digit->mass && 5 * down <= size && 5 * across <= size;
}

/* Marks what is kept, and finds the box around it. */
static void choose(search *s, sp__box *box)
{
    const sp__picture *p = s->p;
    piece *digit = main_piece(s), all;
    const int64_t larger = p->h > p->w ? p->h : p->w;
    if (!digit || (height(digit) < 3 && width(digit) < 3) ||
        (50 * height(digit) < larger && 50 * width(digit) < larger))
        return;
    all = *digit;
    for (int k = 0; k < s->n; k++) {
        piece *q = &s->pieces[k];
        q->kept = q == digit || belongs(q, digit, p);
        if (!q->kept) continue;
        if (q->top < all.top) all.top = q->top;
        if (q->left < all.left) all.left = q->left;
        if (q->bottom > all.bottom) all.bottom = q->bottom;
        if (q->right > all.right) all.right = q->right;
    }
    *box = (sp__box){all.top, all.left, height(&all), width(&all)};
}

/* ---- the edges of strokes ---- */

/* Whether a kept place is so near that this one is the soft edge of its stroke. */
static bool near_kept(const search *s, int64_t i, int64_t j, int64_t reach)
{
    const sp__picture *p = s->p;
    for (int64_t a = i > reach ? i - reach : 0; a <= i + reach && a < p->h; a++)
        for (int64_t b = j > reach ? j - reach : 0; b <= j + reach && b < p->w; b++)
            if (is_kept(s, a * p->w + b)) return true;
    return false;
}

/* Stretches what is kept so that the strokes are full, and clears the rest. */
static void stretch(search *s, const sp__box *box, float full)
{
    const sp__picture *p = s->p;
    const int64_t size = box->h > box->w ? box->h : box->w, reach = size / 20 > 1 ? (size / 20 < 8 ? size / 20 : 8) : 1;
    for (int64_t i = 0; i < p->h; i++)
        for (int64_t j = 0; j < p->w; j++) {
            const int64_t place = i * p->w + j;
            const bool in = i >= box->top - reach && i < box->top + box->h + reach && j >= box->left - reach &&
                            j < box->left + box->w + reach;
            const bool stays = in && (is_kept(s, place) || (!s->labels[place] && near_kept(s, i, j, reach)));
            p->data[place] = stays ? fminf(p->data[place] / full, 1) : 0;
        }
}

static void find(search *s, double noise, sp__box *box)
{
    const sp__picture *p = s->p;
    const float sign = side_of_ink(p, noise), least = (float)fmax(3 * noise, 0.04);
    for (int64_t i = 0; i < p->h * p->w; i++) p->data[i] *= sign;
    const float dark = quantile(s, least, 0.1);
    if (dark == 0) return;
    const bool noisy = noise > 0.02;
    /* The mean of nine has a third of the noise. */
    mark(s, noisy ? fmaxf(0.35F * dark, 1.4F * (float)noise) : fmaxf(0.2F * dark, least), noisy);
    find_pieces(s);
    choose(s, box);
    if (box->h == 0) return;
    stretch(s, box, quantile(s, least, 0.05));
}

sp_status sp__find_ink(sp__picture *p, double noise, sp__box *box)
{
    const size_t places = (size_t)(p->h * p->w);
    search s = {.p = p};
    *box = (sp__box){0, 0, 0, 0};
    s.labels = sp_alloc(places * sizeof *s.labels);
    s.stack = s.labels ? sp_alloc(places * sizeof *s.stack) : NULL;
    s.pieces = s.stack ? sp_alloc((MOST_PIECES + 1) * sizeof *s.pieces) : NULL;
    const sp_status status = s.pieces ? SP_OK : sp_error_status();
    if (status == SP_OK) find(&s, noise, box);
    sp_free(s.labels, places * sizeof *s.labels);
    sp_free(s.stack, places * sizeof *s.stack);
    sp_free(s.pieces, (MOST_PIECES + 1) * sizeof *s.pieces);
    return status;
}
