/* Pictures from PNG files, by libpng's calls for rows. Its simplified interface treats 16-bit samples without a gAMA
 * chunk as linear light, scrambles interlaced ones and, before 1.6.51, reads beyond its buffers.
 *
 * libpng leaves its calls by a jump when something is wrong: all that it can leave behind stands in a `reader`. */
#include "writer.h"
#include <spusk/io.h>

#if SP_HAVE_PNG

#include <png.h>
#include <setjmp.h>
#include <string.h>
#include <unistd.h>

/* The size that a picture may claim. A side may be as long as sp_save_png writes it, and a picture may have as many
 * pixels as Pillow reads. */
enum { MOST_SIDE = 65535, MOST_PIXELS = 178956970 };

typedef struct reader {
    const char *path;
    int fd;
    int64_t offset, size; /* in the file; of it */
    png_structp png;
    png_infop info;
    int channels; /* wanted */
    int stored;   /* samples of a pixel, after libpng's conversions to bytes: grey or colour, with alpha or without */
    size_t width, height, row_bytes;
    bool interlaced;
    unsigned char *rows; /* one row, or all of an interlaced picture */
    size_t n_rows;
    sp_tensor *image;
    unsigned char *planes; /* the image's */
} reader;

/* ---- what libpng calls ---- */

static void on_error(png_structp png, png_const_charp message)
{
    const reader *r = png_get_error_ptr(png);
    sp_raise(SP_ERROR_FORMAT, "%s is not a right PNG file: %s", r->path, message);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp message)
{
    (void)png, (void)message;
}

static void on_read(png_structp png, png_bytep to, size_t n)
{
    reader *r = png_get_io_ptr(png);
    if ((int64_t)n > r->size - r->offset) png_error(png, "the file is cut short");
    if (sp__read_at(r->fd, r->path, r->offset, to, n) != SP_OK) png_error(png, "it cannot be read");
    r->offset += (int64_t)n;
}

/* sp_free wants the size of a block, so it stands before the block. */
enum { HEAD = 64 };

static png_voidp on_alloc(png_structp png, png_alloc_size_t size)
{
    (void)png;
    if (size > SIZE_MAX - HEAD) return NULL;
    char *block = sp_alloc(size + HEAD);
    if (!block) return NULL;
    memcpy(block, &(size_t){size + HEAD}, sizeof(size_t));
    return block + HEAD;
}

static void on_free(png_structp png, png_voidp block)
{
    size_t size = 0;
    (void)png;
    if (!block) return;
    memcpy(&size, (char *)block - HEAD, sizeof size);
    sp_free((char *)block - HEAD, size);
}

/* ---- what the head claims ---- */

/* Compression gains at most a factor of 1032, so the file cannot hold more. */
static sp_status check_claim(const reader *r, unsigned bits)
{
    if (r->width > MOST_SIDE || r->height > MOST_SIDE || r->width * r->height > MOST_PIXELS)
        return sp_raise(SP_ERROR_FORMAT,
                        "%s claims %zu by %zu pixels; a picture has at most %d rows and columns and %d pixels", r->path,
                        r->height, r->width, MOST_SIDE, MOST_PIXELS);
    if ((double)r->height * (double)r->width * bits / 8 <= (double)r->size * 1032) return SP_OK;
    return sp_raise(SP_ERROR_FORMAT, "%s claims %zu by %zu pixels, which %lld bytes cannot hold", r->path, r->height,
                    r->width, (long long)r->size);
}

/* Converts everything to bytes: small samples and palettes become wider, transparent colours become alpha, and 16 bits
 * keep the high byte. */
static void set_conversions(const reader *r)
{
    png_set_expand(r->png);
    png_set_strip_16(r->png);
    png_set_interlace_handling(r->png);
    png_read_update_info(r->png, r->info);
}

static void read_head(reader *r)
{
    png_set_user_limits(r->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX); /* check_claim says more */
    /* Colour profiles, gamma, comments: none of them changes samples, and some unpack to much. */
    png_set_keep_unknown_chunks(r->png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
    png_set_read_fn(r->png, r, on_read);
    png_read_info(r->png, r->info);
    r->width = png_get_image_width(r->png, r->info);
    r->height = png_get_image_height(r->png, r->info);
    const unsigned bits = (unsigned)png_get_bit_depth(r->png, r->info) * png_get_channels(r->png, r->info);
    if (check_claim(r, bits) != SP_OK) png_error(r->png, "too large");
    r->interlaced = png_get_interlace_type(r->png, r->info) != PNG_INTERLACE_NONE;
    r->n_rows = r->interlaced ? r->height : 1;
    set_conversions(r);
    r->stored = png_get_channels(r->png, r->info);
    r->row_bytes = png_get_rowbytes(r->png, r->info);
}

/* ---- pixels ---- */

/* On white. */
static unsigned char blend(unsigned sample, unsigned alpha)
{
    return (unsigned char)((sample * alpha + 255 * (255 - alpha) + 127) / 255);
}

/* Luma of ITU-R BT.601, rounded, as Pillow's convert("L"). */
static unsigned char luma(const unsigned char *p)
{
    return (unsigned char)((p[0] * 19595u + p[1] * 38470u + p[2] * 7471u + 0x8000u) >> 16);
}

/* A pixel as red, green and blue. */
static void read_pixel(const unsigned char *from, int stored, unsigned char rgb[3])
{
    const bool grey = stored < 3, clear = stored % 2 == 0;
    for (int c = 0; c < 3; c++) {
        rgb[c] = from[grey ? 0 : c];
        if (clear) rgb[c] = blend(rgb[c], from[stored - 1]);
    }
}

/* From pixels side by side to a row of each plane. */
static void spread_row(const reader *r, const unsigned char *row, size_t y)
{
    unsigned char rgb[3], *to = r->planes + y * r->width;
    const size_t plane = r->width * r->height;
    for (size_t x = 0; x < r->width; x++) {
        read_pixel(row + x * (size_t)r->stored, r->stored, rgb);
        if (r->channels == 3)
            for (size_t c = 0; c < 3; c++) to[c * plane + x] = rgb[c];
        else
            to[x] = r->stored < 3 ? rgb[0] : luma(rgb);
    }
}

/* An interlaced picture comes in seven passes over the same rows. */
static void read_interlaced(const reader *r)
{
    for (int pass = 0; pass < PNG_INTERLACE_ADAM7_PASSES; pass++)
        for (size_t y = 0; y < r->height; y++) png_read_row(r->png, r->rows + y * r->row_bytes, NULL);
    for (size_t y = 0; y < r->height; y++) spread_row(r, r->rows + y * r->row_bytes, y);
}

/* Reads to the end of the file: a file that is cut short there is damaged too. */
static void read_rows(reader *r)
{
    if (r->interlaced) read_interlaced(r);
    for (size_t y = 0; y < r->height && !r->interlaced; y++) {
        png_read_row(r->png, r->rows, NULL);
        spread_row(r, r->rows, y);
    }
    png_read_end(r->png, NULL);
}

/* ---- the file ---- */

/* libpng jumps back here. */
static sp_status guarded(reader *r, void (*body)(reader *r))
{
    if (setjmp(png_jmpbuf(r->png))) return sp_error_status();
    body(r);
    return sp_error_status(); /* a chunk for which there was no memory is left out with a warning */
}

static sp_status make_room(reader *r)
{
    r->image = sp_empty(SP_DIMS(r->channels, (int64_t)r->height, (int64_t)r->width), .dtype = SP_U8);
    r->planes = r->image ? sp_data(r->image) : NULL;
    r->rows = r->planes ? sp_alloc(r->n_rows * r->row_bytes) : NULL;
    return r->rows ? SP_OK : sp_error_status();
}

static sp_status read_picture(reader *r)
{
    r->png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, r, on_error, on_warning, NULL, on_alloc, on_free);
    r->info = r->png ? png_create_info_struct(r->png) : NULL;
    if (!r->info) return sp_raise(SP_ERROR_MEMORY, "%s: out of memory for reading it", r->path);
    sp_status status = guarded(r, read_head);
    if (status == SP_OK) status = make_room(r);
    return status == SP_OK ? guarded(r, read_rows) : status;
}

sp_tensor *sp_load_png(const char *path, int channels)
{
    if (channels != 1 && channels != 3)
        return sp_raise(SP_ERROR_ARGUMENT, "sp_load_png: channels is 1 or 3, not %d", channels), NULL;
    reader r = {.path = path, .channels = channels};
    r.fd = sp__open_file(path, &r.size);
    if (r.fd < 0) return NULL;
    const sp_status status = read_picture(&r);
    png_destroy_read_struct(&r.png, &r.info, NULL);
    if (r.rows) sp_free(r.rows, r.n_rows * r.row_bytes);
    close(r.fd);
    if (status == SP_OK) return r.image;
    sp_release(r.image);
    return NULL;
}

#else

sp_tensor *sp_load_png(const char *path, int channels)
{
    (void)path, (void)channels;
    sp_raise(SP_ERROR_UNSUPPORTED, "this build has no libpng, so it can neither read nor write PNG files");
    return NULL;
}

#endif
