/* PNG files of every kind (colour types, depths, palettes, transparency, gamma, interlaced or not), written by libpng
 * with known samples; files cut short; and heads that claim too much. */
#include "support/support.h"
#include <spusk/extend.h>
#include <spusk/spusk.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if SP_HAVE_PNG

#include <png.h>

enum { MOST = 40 };

typedef struct kind {
    int colour, depth, width, height;
    bool interlaced, key, gamma; /* key: a tRNS chunk */
} kind;

static int channels_of(int colour)
{
    static const int channels[] = {1, 0, 3, 1, 2, 0, 4};
    return channels[colour];
}

/* ---- samples by formula ---- */

static unsigned sample(const kind *k, int y, int x, int c)
{
    const unsigned most = (1u << k->depth) - 1;
    return (unsigned)(y * 7919 + x * 104729 + c * 1299709 + 12345) * 2654435761u >> 7 & most;
}

static unsigned entry(int i, int c)
{
    return (unsigned)(i * 31 + c * 77 + 5) & 255;
}

static unsigned entry_alpha(int i)
{
    return (unsigned)(i * 53 + 11) & 255;
}

/* ---- what is to be read ---- */

static unsigned as_byte(const kind *k, unsigned value)
{
    return k->depth == 16 ? value >> 8 : value * (255u / ((1u << k->depth) - 1));
}

static bool is_key(const kind *k, int y, int x)
{
    for (int c = 0; c < channels_of(k->colour); c++)
        if (sample(k, y, x, c) != sample(k, 0, 0, c)) return false;
    return k->key;
}

static unsigned expected(const kind *k, int y, int x, int c)
{
    unsigned value, alpha = 255;
    if (k->colour == PNG_COLOR_TYPE_PALETTE) {
        const int i = (int)sample(k, y, x, 0);
        value = entry(i, c);
        if (k->key) alpha = entry_alpha(i);
    } else {
        const bool grey = !(k->colour & PNG_COLOR_MASK_COLOR);
        value = as_byte(k, sample(k, y, x, grey ? 0 : c));
        if (k->colour & PNG_COLOR_MASK_ALPHA) alpha = as_byte(k, sample(k, y, x, channels_of(k->colour) - 1));
        if (is_key(k, y, x)) alpha = 0;
    }
    return (value * alpha + 255 * (255 - alpha) + 127) / 255;
}

static unsigned expected_grey(const kind *k, int y, int x)
{
    const unsigned r = expected(k, y, x, 0), g = expected(k, y, x, 1), b = expected(k, y, x, 2);
    return k->colour & PNG_COLOR_MASK_COLOR ? (r * 19595 + g * 38470 + b * 7471 + 0x8000) >> 16 : r;
}

/* ---- files ---- */

static void set_chunks(png_structp png, png_infop info, const kind *k)
{
    png_color palette[256];
    png_byte alphas[256];
    png_color_16 key = {.red = (png_uint_16)sample(k, 0, 0, 0),
                        .green = (png_uint_16)sample(k, 0, 0, 1),
                        .blue = (png_uint_16)sample(k, 0, 0, 2),
                        .gray = (png_uint_16)sample(k, 0, 0, 0)};
    const int n = 1 << (k->depth < 8 ? k->depth : 8);
    for (int i = 0; i < n; i++) {
        palette[i] = (png_color){(png_byte)entry(i, 0), (png_byte)entry(i, 1), (png_byte)entry(i, 2)};
        alphas[i] = (png_byte)entry_alpha(i);
    }
    const bool indexed = k->colour == PNG_COLOR_TYPE_PALETTE;
    if (indexed) png_set_PLTE(png, info, palette, n);
    if (k->key) png_set_tRNS(png, info, indexed ? alphas : NULL, indexed ? n : 0, indexed ? NULL : &key);
    if (k->gamma) png_set_gAMA(png, info, 0.45455);
}

static void fill_row(const kind *k, int y, png_bytep row)
{
    const int channels = channels_of(k->colour);
    for (int i = 0; i < k->width * channels; i++) {
        const unsigned value = sample(k, y, i / channels, i % channels);
        if (k->depth == 16) *row++ = (png_byte)(value >> 8);
        *row++ = (png_byte)value;
    }
}

static void write_kind(const kind *k, const char *path)
{
    static png_byte pixels[MOST][MOST * 8];
    png_bytep rows[MOST];
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    png_init_io(png, file);
    png_set_IHDR(png, info, (png_uint_32)k->width, (png_uint_32)k->height, k->depth, k->colour,
                 k->interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    set_chunks(png, info, k);
    png_write_info(png, info);
    png_set_packing(png); /* a byte for each sample */
    for (int y = 0; y < k->height; y++) {
        rows[y] = pixels[y];
        fill_row(k, y, rows[y]);
    }
    png_write_image(png, rows);
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
    fclose(file);
}

static void check_planes(const kind *k, sp_tensor *image, int planes)
{
    const unsigned char *got = sp_const_data(image);
    assert_non_null(got);
    assert_int_equal(sp_size(image, 0), planes);
    assert_int_equal(sp_size(image, 1), k->height);
    assert_int_equal(sp_size(image, 2), k->width);
    for (int c = 0; c < planes; c++)
        for (int y = 0; y < k->height; y++)
            for (int x = 0; x < k->width; x++) {
                const unsigned wanted = planes == 1 ? expected_grey(k, y, x) : expected(k, y, x, c);
                if (*got++ == wanted) continue;
                fail_msg("type %d, depth %d, %d by %d, interlaced %d, key %d, gamma %d: at %d %d %d %d, not %u",
                         k->colour, k->depth, k->height, k->width, k->interlaced, k->key, k->gamma, c, y, x, got[-1],
                         wanted);
            }
}

static void check_kind(const kind *k)
{
    const char *path = support_path("kind.png");
    write_kind(k, path);
    SP_SCOPE {
        check_planes(k, sp_load_png(path, 1), 1);
        check_planes(k, sp_load_png(path, 3), 3);
    }
}

static bool exists(int colour, int depth)
{
    if (colour == PNG_COLOR_TYPE_PALETTE) return depth <= 8;
    return depth >= 8 || colour == PNG_COLOR_TYPE_GRAY;
}

static void test_every_kind(void **state)
{
    (void)state;
    static const int colours[] = {PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_RGB, PNG_COLOR_TYPE_PALETTE,
                                  PNG_COLOR_TYPE_GRAY_ALPHA, PNG_COLOR_TYPE_RGB_ALPHA};
    static const int sides[][2] = {{1, 1}, {13, 17}, {1, 30}, {30, 1}, {8, 8}};
    int done = 0;
    for (int depth = 1; depth <= 16; depth *= 2)
        for (int i = 0; i < 5 * 5 * 8; i++) {
            const int colour = colours[i / 40], *side = sides[i / 8 % 5];
            const kind k = {colour, depth, side[0], side[1], i & 1, i & 2, i & 4};
            if (!exists(colour, depth) || (k.key && (colour & PNG_COLOR_MASK_ALPHA))) continue;
            check_kind(&k);
            done++;
        }
    assert_int_equal(done, 20 * (5 + 2 + 4) * 2 + 20 * 4);
}

/* ---- cut short ---- */

static unsigned char whole[200000];

static size_t read_all(const char *path)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t n = fread(whole, 1, sizeof whole, file);
    fclose(file);
    return n;
}

static void write_all(const char *path, size_t n)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(whole, 1, n, file), n);
    fclose(file);
}

static void test_cut_at_every_byte(void **state)
{
    (void)state;
    const char *path = support_path("cut.png");
    for (int interlaced = 0; interlaced < 2; interlaced++) {
        write_kind(&(kind){PNG_COLOR_TYPE_RGB, 16, 9, 9, interlaced, true, true}, path);
        const size_t n = read_all(path);
        assert_non_null(sp_load_png(path, 3));
        for (size_t cut = 0; cut < n; cut++) {
            write_all(path, cut);
            assert_null(sp_load_png(path, 1));
            assert_error(SP_ERROR_FORMAT, "cut.png is not a right PNG file");
        }
    }
}

/* ---- heads that claim too much ---- */

/* The head of a file made longer: its size, depth and colour type say so, and its checksum agrees. */
static const char *claim(unsigned width, unsigned height, int depth, int colour, size_t bytes)
{
    const char *path = support_path("claim.png");
    write_kind(&(kind){PNG_COLOR_TYPE_GRAY, 8, 4, 4, false, false, false}, path);
    memset(whole, 0, sizeof whole);
    const size_t n = read_all(path);
    for (int i = 0; i < 4; i++) {
        whole[16 + i] = (unsigned char)(width >> (24 - 8 * i));
        whole[20 + i] = (unsigned char)(height >> (24 - 8 * i));
    }
    whole[24] = (unsigned char)depth;
    whole[25] = (unsigned char)colour;
    uint32_t crc = 0xffffffff;
    for (int i = 12; i < 29; i++) {
        crc ^= whole[i];
        for (int k = 0; k < 8; k++) crc = crc & 1 ? 0xedb88320 ^ crc >> 1 : crc >> 1;
    }
    for (int i = 0; i < 4; i++) whole[29 + i] = (unsigned char)(~crc >> (24 - 8 * i));
    write_all(path, bytes ? bytes : n);
    return path;
}

static void test_claims(void **state)
{
    (void)state;
    static const struct {
        unsigned width, height;
        int depth, colour;
        size_t bytes;
        const char *words;
    } claims[] = {
        {50000, 50000, 8, PNG_COLOR_TYPE_GRAY, 200000, "at most 65535 rows and columns and 178956970 pixels"},
        {65535, 65535, 1, PNG_COLOR_TYPE_GRAY, 200000, "at most 65535"},
        {260000, 1, 1, PNG_COLOR_TYPE_GRAY, 0, "claims 1 by 260000 pixels; a picture has at most 65535"},
        {1, 260000, 1, PNG_COLOR_TYPE_GRAY, 0, "claims 260000 by 1 pixels; a picture has at most 65535"},
        {0x7fffffff, 0x7fffffff, 1, PNG_COLOR_TYPE_GRAY, 0, "at most"},
        {10000, 10000, 8, PNG_COLOR_TYPE_GRAY, 50000, "claims 10000 by 10000 pixels, which 50000 bytes cannot hold"},
        {5000, 5000, 16, PNG_COLOR_TYPE_RGB_ALPHA, 190000, "which 190000 bytes cannot hold"},
    };
    for (size_t i = 0; i < sizeof claims / sizeof *claims; i++) {
        const char *path = claim(claims[i].width, claims[i].height, claims[i].depth, claims[i].colour, claims[i].bytes);
        sp_reset_peak_memory();
        assert_null(sp_load_png(path, 3));
        assert_error(SP_ERROR_FORMAT, claims[i].words);
        assert_true(sp_memory().peak_bytes < 1 << 20);
    }
}

/* ---- no memory ---- */

static bool load(void *context)
{
    return sp_load_png(context, 3) != NULL;
}

/* libpng's allocations are the library's. */
static void test_each_allocation_fails(void **state)
{
    (void)state;
    char path[512];
    snprintf(path, sizeof path, "%s", support_path("memory.png"));
    write_kind(&(kind){PNG_COLOR_TYPE_PALETTE, 4, 9, 9, true, true, true}, path);
    assert_true(support_fail_each_allocation(load, path) > 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        sp_test(test_every_kind),
        sp_test(test_cut_at_every_byte),
        sp_test(test_claims),
        sp_test(test_each_allocation_fails),
    };
    return sp_test_main(tests);
}

#else

static void test_nothing(void **state)
{
    (void)state;
    skip_because("this build has no libpng");
}

int main(void)
{
    const struct CMUnitTest tests[] = {sp_test(test_nothing)};
    return sp_test_main(tests);
}

#endif
