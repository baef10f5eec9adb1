/* Many small images in one picture, with captions and marks.
 *
 * From the top: the title, the captions of columns, the rows of cells; at their left the captions of rows. A cell, from
 * the top: a margin, the frame and the image in it, a gap, the caption. All sizes are pixels. */
#include "font.h"
#include "pixels.h"
#include <math.h>

typedef struct colour {
    unsigned char c[3];
} colour;

static const colour paper = {{255, 255, 255}}, ink = {{40, 40, 40}}, red = {{214, 39, 40}}, pale = {{214, 214, 214}};

enum { MAX_SIDE = 65535 }; /* pixels of a picture */

typedef struct grid {
    int64_t n, rows, columns;           /* images, and how they lie */
    int64_t channels, image_h, image_w; /* of one image */
    int64_t scale, letters;             /* pixels a pixel of an image, of a letter */
    int64_t frame, margin;              /* thickness of the frame; room around a cell */
    int64_t cell_h, cell_w;
    int64_t title_h, head_h, side_w; /* of the title, the captions of columns, those of rows */
    int64_t height, width;           /* of the picture */
    const unsigned char *images;     /* (n, channels, image_h, image_w) */
    unsigned char *canvas;           /* (3, height, width) */
} grid;

static void put(const grid *g, int64_t y, int64_t x, colour c)
{
    if (y < 0 || x < 0 || y >= g->height || x >= g->width) return;
    for (int64_t k = 0; k < 3; k++) g->canvas[(k * g->height + y) * g->width + x] = c.c[k];
}

static void fill(const grid *g, int64_t y, int64_t x, int64_t h, int64_t w, colour c)
{
    for (int64_t i = 0; i < h; i++)
        for (int64_t j = 0; j < w; j++) put(g, y + i, x + j, c);
}

/* ---- drawing ---- */

static void draw_image(const grid *g, int64_t y, int64_t x, int64_t index)
{
    int64_t plane = g->image_h * g->image_w, second = g->channels == 3 ? plane : 0;
    const unsigned char *pixels = g->images + index * g->channels * plane;
    for (int64_t i = 0; i < g->image_h; i++)
        for (int64_t j = 0; j < g->image_w; j++) {
            const unsigned char *p = pixels + i * g->image_w + j;
            colour c = {{p[0], p[second], p[2 * second]}};
            fill(g, y + i * g->scale, x + j * g->scale, g->scale, g->scale, c);
        }
}

static void draw_letter(const grid *g, int64_t y, int64_t x, char letter, colour c)
{
    const unsigned char *rows = sp__glyph(letter);
    for (int64_t i = 0; i < SP__FONT_HEIGHT; i++)
        for (int64_t j = 0; j < SP__FONT_WIDTH; j++)
            if (rows[i] >> (SP__FONT_WIDTH - 1 - j) & 1)
                fill(g, y + i * g->letters, x + j * g->letters, g->letters, g->letters, c);
}

static int64_t text_width(const grid *g, const char *text)
{
    int64_t n = (int64_t)strlen(text);
    return n > 0 ? (n * (SP__FONT_WIDTH + 1) - 1) * g->letters : 0;
}

/* Draws a text in the middle of a room of that width. */
static void draw_text(const grid *g, int64_t y, int64_t x, int64_t room, const char *text, colour c)
{
    x += (room - text_width(g, text)) / 2;
    for (; *text; text++, x += (SP__FONT_WIDTH + 1) * g->letters) draw_letter(g, y, x, *text, c);
}

static void draw_cell(const grid *g, int64_t index, const sp_grid_options *options)
{
    bool marked = options->marked && options->marked[index];
    int64_t top = g->title_h + g->head_h + index / g->columns * g->cell_h + g->margin;
    int64_t left = g->side_w + index % g->columns * g->cell_w;
    int64_t h = g->image_h * g->scale, w = g->image_w * g->scale, x = left + (g->cell_w - w) / 2;
    int64_t line = marked ? g->frame : g->frame > 0;
    fill(g, top + g->frame - line, x - line, h + 2 * line, w + 2 * line, marked ? red : pale);
    draw_image(g, top + g->frame, x, index);
    const char *caption = options->captions ? options->captions[index] : NULL;
    int64_t y = top + h + 2 * g->frame + g->letters * 2;
    if (caption) draw_text(g, y, left, g->cell_w, caption, marked ? red : ink);
}

static void draw_around(const grid *g, const sp_grid_options *options)
{
    int64_t line = SP__FONT_HEIGHT * g->letters, gap = 3 * g->letters;
    if (options->title) draw_text(g, gap, g->side_w, g->width - g->side_w, options->title, ink);
    for (int64_t j = 0; options->column_captions && j < g->columns; j++)
        if (options->column_captions[j])
            draw_text(g, g->title_h + g->letters, g->side_w + j * g->cell_w, g->cell_w, options->column_captions[j],
                      ink);
    for (int64_t i = 0; options->row_captions && i < g->rows; i++) {
        const char *text = options->row_captions[i];
        int64_t y = g->title_h + g->head_h + i * g->cell_h + (g->cell_h - line) / 2;
        /* To the right, beside its row. */
        if (text) draw_text(g, y, g->side_w - gap - text_width(g, text), text_width(g, text), text, ink);
    }
}

/* ---- measuring ---- */

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t widest(const grid *g, const char *const *texts, int64_t n)
{
    int64_t width = 0;
    for (int64_t i = 0; texts && i < n; i++)
        if (texts[i]) width = larger(width, text_width(g, texts[i]));
    return width;
}

static void measure_cells(grid *g, const sp_grid_options *options)
{
    int64_t text = larger(widest(g, options->captions, g->n), widest(g, options->column_captions, g->columns));
    int64_t room = options->tight && text > 0 ? 2 * g->letters : 2 * g->margin;
    g->cell_w = larger(g->image_w * g->scale + 2 * g->frame + 2 * g->margin, text + room);
    g->cell_h = g->image_h * g->scale + 2 * g->frame + 2 * g->margin;
    if (options->captions) g->cell_h += (SP__FONT_HEIGHT + 2) * g->letters;
}

static sp_status measure(grid *g, const sp_grid_options *options)
{
    g->scale = sp_option_int(options->scale, 2);
    g->letters = (g->scale + 1) / 2;
    g->columns = sp_option_int(options->columns, larger(1, (int64_t)ceil(sqrt((double)g->n))));
    if (g->scale < 1 || g->scale > 64 || g->columns < 1)
        return sp_raise(SP_ERROR_ARGUMENT, "sp_plot_images: scale is 1 to 64, not %lld; columns at least 1, not %lld",
                        (long long)g->scale, (long long)g->columns);
    if (g->image_h > MAX_SIDE || g->image_w > MAX_SIDE)
        return sp_raise(SP_ERROR_SHAPE, "sp_plot_images: images of %lld by %lld pixels are too large",
                        (long long)g->image_h, (long long)g->image_w);
    g->columns = g->columns < g->n ? g->columns : g->n;
    g->rows = (g->n + g->columns - 1) / g->columns;
    g->frame = options->tight ? 0 : g->scale;
    g->margin = options->tight ? 0 : 2 * g->scale;
    measure_cells(g, options);
    int64_t line = SP__FONT_HEIGHT * g->letters, side = widest(g, options->row_captions, g->rows);
    g->title_h = options->title ? line + 6 * g->letters : 0;
    g->head_h = options->column_captions ? line + 2 * g->letters : 0;
    g->side_w = options->row_captions ? side + 6 * g->letters : 0;
    g->height = g->title_h + g->head_h + g->rows * g->cell_h;
    g->width = g->side_w + larger(g->columns * g->cell_w, options->title ? text_width(g, options->title) : 0);
    if (g->height <= MAX_SIDE && g->width <= MAX_SIDE) return SP_OK;
    return sp_raise(SP_ERROR_ARGUMENT, "sp_plot_images: %lld by %lld pixels are too many; draw fewer images",
                    (long long)g->height, (long long)g->width);
}

/* Checked, and as bytes. */
static sp_tensor *to_bytes(sp_tensor *images)
{
    int n = sp_ndim(images);
    int64_t channels = n == 4 ? sp_size(images, 1) : 1;
    if (n < 3 || n > 4 || (channels != 1 && channels != 3))
        return sp_raise(SP_ERROR_SHAPE,
                        "sp_plot_images: images are (N, H, W), (N, 1, H, W) or (N, 3, H, W), not of %d dimensions%s", n,
                        n == 4 ? " with other channels" : ""),
               NULL;
    return sp__plot_bytes("sp_plot_images", images);
}

static sp_status draw(grid *g, const char *path, const sp_grid_options *options)
{
    sp_tensor *picture = sp_empty(SP_DIMS(3, g->height, g->width), .dtype = SP_U8);
    g->canvas = sp_data(picture);
    if (!g->canvas) return sp_error_status();
    fill(g, 0, 0, g->height, g->width, paper);
    for (int64_t i = 0; i < g->n; i++) draw_cell(g, i, options);
    draw_around(g, options);
    return sp_save_png(picture, path);
}

sp_status(sp_plot_images)(const char *path, sp_tensor *images, const sp_grid_options *given)
{
    sp_grid_options options;
    sp_options_copy(&options, sizeof options, given);
    if (!path || !images) return sp_raise_null("sp_plot_images", path ? "images" : "path");
    sp_status status = SP_OK;
    SP_NO_GRAD {
        sp_tensor *bytes = to_bytes(images);
        grid g = {.n = sp_size(images, 0), .channels = sp_ndim(images) == 4 ? sp_size(images, 1) : 1};
        g.image_h = sp_size(images, -2);
        g.image_w = sp_size(images, -1);
        g.images = bytes ? sp_const_data(bytes) : NULL;
        status = g.images ? measure(&g, &options) : sp_error_status();
        if (status == SP_OK) status = draw(&g, path, &options);
    }
    return status;
}
