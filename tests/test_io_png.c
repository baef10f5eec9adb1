/* PNG: pictures written and read back, colours converted, broken files refused. */
#include "support/support.h"
#include <math.h>
#include <spusk/spusk.h>
#include <stdio.h>
#include <string.h>

static sp_tensor *bytes_of(sp_dims dims)
{
    return sp_cast(sp_randint(0, 256, dims), SP_U8);
}

static void test_grey(void **state)
{
    (void)state;
    const char *path = support_path("grey.png");
    sp_tensor *image = bytes_of(SP_DIMS(1, 9, 7));
    assert_int_equal(sp_save_png(image, path), SP_OK);
    assert_true(sp_equal(sp_load_png(path, 1), image));
    assert_int_equal(sp_save_png(sp_select(image, 0, 0), path), SP_OK);
    assert_true(sp_equal(sp_load_png(path, 1), image));
    sp_tensor *colour = sp_load_png(path, 3);
    for (int64_t c = 0; c < 3; c++) assert_true(sp_equal(sp_select(colour, 0, c), sp_select(image, 0, 0)));
}

static void test_colour(void **state)
{
    (void)state;
    const char *path = support_path("colour.png");
    sp_tensor *image = bytes_of(SP_DIMS(3, 5, 8));
    assert_int_equal(sp_save_png(image, path), SP_OK);
    assert_true(sp_equal(sp_load_png(path, 3), image));
    /* Pillow's convert("L") of one pixel of each colour. */
    const uint8_t pixels[] = {255, 0, 0, 200, 0, 255, 0, 100, 0, 0, 255, 50};
    sp_save_png(sp_from_data(pixels, SP_DIMS(3, 1, 4), .dtype = SP_U8), path);
    const uint8_t grey[] = {76, 150, 29, 124};
    assert_true(sp_equal(sp_load_png(path, 1), sp_from_data(grey, SP_DIMS(1, 1, 4), .dtype = SP_U8)));
}

static void test_transparent_is_white(void **state)
{
    (void)state;
    const char *path = support_path("clear.png");
    const uint8_t pixels[] = {10, 20, 30, 40, 50, 60, 0, 255};
    sp_save_png(sp_from_data(pixels, SP_DIMS(4, 1, 2), .dtype = SP_U8), path);
    const uint8_t seen[] = {255, 20, 255, 40, 255, 60};
    assert_true(sp_equal(sp_load_png(path, 3), sp_from_data(seen, SP_DIMS(3, 1, 2), .dtype = SP_U8)));
}

static void test_floats(void **state)
{
    (void)state;
    const char *path = support_path("float.png");
    const double values[] = {-1, 0, 0.5, 1, 7, (double)NAN, 0.002, (double)INFINITY};
    const uint8_t seen[] = {0, 0, 128, 255, 255, 0, 1, 255};
    sp_tensor *image = sp_from_data(values, SP_DIMS(2, 4), .dtype = SP_F64);
    sp_tensor *expected = sp_from_data(seen, SP_DIMS(1, 2, 4), .dtype = SP_U8);
    assert_int_equal(sp_save_png(image, path), SP_OK);
    assert_true(sp_equal(sp_load_png(path, 1), expected));
    assert_int_equal(sp_save_png(sp_t(image), path), SP_OK);
    assert_true(sp_equal(sp_load_png(path, 1), sp_transpose(expected, 1, 2)));
    sp_tensor *tracked = sp_requires_grad(sp_rand(SP_DIMS(3, 4, 4)));
    assert_int_equal(sp_save_png(tracked, path), SP_OK);
    assert_int_equal(sp_save_png(sp_cast(tracked, SP_BF16), path), SP_OK);
}

static void test_what_is_no_picture(void **state)
{
    (void)state;
    const char *path = support_path("no.png");
    sp_save_png(sp_rand(SP_DIMS(5)), path);
    assert_error(SP_ERROR_SHAPE, "has 1 dimensions");
    sp_save_png(sp_rand(SP_DIMS(2, 3, 3)), path);
    assert_error(SP_ERROR_SHAPE, "the first of size 2");
    sp_save_png(sp_rand(SP_DIMS(0, 3)), path);
    assert_error(SP_ERROR_SHAPE, "0 by 3");
    sp_save_png(sp_zeros(SP_DIMS(3, 3), .dtype = SP_I64), path);
    assert_error(SP_ERROR_DTYPE, "int64");
    assert_null(sp_load_png(path, 2));
    assert_error(SP_ERROR_ARGUMENT, "channels is 1 or 3, not 2");
    assert_null(sp_load_png(path, 1));
    assert_error(SP_ERROR_NOT_FOUND, "no.png");
    sp_save_png(sp_rand(SP_DIMS(3, 3)), "/dev/full");
    assert_error(SP_ERROR_IO, "No space left");
    sp_save_png(sp_rand(SP_DIMS(3, 3)), support_path("no/folder.png"));
    assert_error(SP_ERROR_IO, "No such file");
}

static size_t read_all(const char *path, unsigned char *to, size_t room)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t n = fread(to, 1, room, file);
    fclose(file);
    return n;
}

static void write_all(const char *path, const unsigned char *data, size_t n)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, n, file), n);
    fclose(file);
}

/* Neither may crash, hang or read what was never written; the end of a file may lack its last chunk. */
static void test_broken_files(void **state)
{
    (void)state;
    static unsigned char whole[4096];
    const char *path = support_path("broken.png");
    sp_save_png(bytes_of(SP_DIMS(3, 6, 6)), path);
    size_t n = read_all(path, whole, sizeof whole);
    int refused = 0;
    for (size_t cut = 0; cut + 16 < n; cut++) {
        write_all(path, whole, cut);
        assert_null(sp_load_png(path, 1));
        assert_error(SP_ERROR_FORMAT, "broken.png is not a right PNG file");
    }
    for (size_t bit = 0; bit < 8 * n; bit++)
        SP_SCOPE {
            whole[bit / 8] ^= (unsigned char)(1 << bit % 8);
            write_all(path, whole, n);
            if (!sp_load_png(path, 3)) refused += sp_error_clear() != SP_OK;
            whole[bit / 8] ^= (unsigned char)(1 << bit % 8);
        }
    assert_true(refused > 100);
}

/* CRC-32 as PNG has it, to make heads that lie about their size and are sealed all the same. */
static uint32_t crc(const unsigned char *data, size_t n)
{
    uint32_t c = 0xffffffff;
    for (size_t i = 0; i < n; i++) {
        c ^= data[i];
        for (int k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ c >> 1 : c >> 1;
    }
    return ~c;
}

static void put32(unsigned char *to, uint32_t x)
{
    for (int i = 0; i < 4; i++) to[i] = (unsigned char)(x >> (24 - 8 * i));
}

static void test_size_that_lies(void **state)
{
    (void)state;
    static unsigned char whole[4096];
    const char *path = support_path("huge.png");
    sp_save_png(bytes_of(SP_DIMS(6, 6)), path);
    size_t n = read_all(path, whole, sizeof whole);
    put32(whole + 16, 900000);
    put32(whole + 20, 900000);
    put32(whole + 29, crc(whole + 12, 17));
    write_all(path, whole, n);
    assert_null(sp_load_png(path, 1));
    assert_error(SP_ERROR_FORMAT, "claims 900000 by 900000 pixels");
    put32(whole + 16, 60);
    put32(whole + 20, 60);
    put32(whole + 29, crc(whole + 12, 17));
    write_all(path, whole, n);
    assert_null(sp_load_png(path, 1));
    assert_error(SP_ERROR_FORMAT, "not a right PNG file");
}

static bool save_and_load(void *context)
{
    sp_tensor *image = sp_rand(SP_DIMS(3, 5, 5));
    return image && sp_save_png(image, context) == SP_OK && sp_load_png(context, 1) != NULL;
}

static void test_each_allocation_fails(void **state)
{
    (void)state;
    char path[512];
    snprintf(path, sizeof path, "%s", support_path("memory.png"));
    assert_true(support_fail_each_allocation(save_and_load, path) > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        sp_test(test_grey),           sp_test(test_colour),
        sp_test(test_floats),         sp_test(test_transparent_is_white),
        sp_test(test_broken_files),   sp_test(test_what_is_no_picture),
        sp_test(test_size_that_lies), sp_test(test_each_allocation_fails),
    };
    return sp_test_main(tests);
}
