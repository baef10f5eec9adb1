/* IDX files: good ones, and every way in which one can be wrong. */
#include "data/data_test.h"
#include "data/files.h"
#ifdef SP_HAVE_ZLIB
#include <zlib.h>
#endif

static char folder[1024], images[1200], labels[1200];

/* A good data set of 20 examples; tests spoil it. */
static int prepare(void **state)
{
    int result = isolated(state);
    snprintf(folder, sizeof folder, "%s", little_mnist("set", 20));
    snprintf(images, sizeof images, "%s/" IMAGES, folder);
    snprintf(labels, sizeof labels, "%s/" LABELS, folder);
    return result;
}
#define idx_test(function) cmocka_unit_test_setup_teardown(function, prepare, support_teardown)

static sp_dataset *load(void)
{
    return sp_data_mnist(folder, .test = true, .no_download = true);
}

static void expect(sp_status status, const char *words)
{
    assert_null(load());
    assert_error(status, words);
}

/* Changes one byte of a file. */
static void poke(const char *path, long at, int byte)
{
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, at, SEEK_SET), 0);
    assert_int_equal(fputc(byte, file), byte);
    assert_int_equal(fclose(file), 0);
}

static void append(const char *path)
{
    FILE *file = fopen(path, "ab");
    assert_non_null(file);
    assert_int_equal(fputc(1, file), 1);
    assert_int_equal(fclose(file), 0);
}

static void test_reads_a_good_file(void **state)
{
    (void)state;
    sp_dataset *data = load();
    assert_int_equal(sp_data_length(data), 20);
    assert_int_equal(sp_data_num_classes(data), 10);
    assert_non_null(strstr(sp_data_description(data), "MNIST, 20 images, "));
    assert_non_null(strstr(sp_data_description(data), folder));
    for (int64_t i = 0; i < 20; i++) {
        sp_example e = sp_data_get(data, i);
        assert_int_equal(sp_item_i64(e.y), i % 10);
        assert_int_equal(sp_ndim(e.x), 3);
        assert_int_equal(sp_size(e.x, 0), 1);
        const float *x = sp_const_data(e.x);
        for (int k = 0; k < 784; k++) assert_true(x[k] == (float)(5 * i) / 255.0F);
    }
    assert_no_error();
}

static void test_the_other_name_of_a_file(void **state)
{
    (void)state;
    char other[1300];
    snprintf(other, sizeof other, "%s/t10k-images.idx3-ubyte", folder);
    assert_int_equal(rename(images, other), 0);
    assert_int_equal(sp_data_length(load()), 20);
}

static void test_not_idx(void **state)
{
    (void)state;
    poke(images, 0, 'P');
    expect(SP_ERROR_FORMAT, "not an IDX file: it begins with 50 00 08 03");
}

static void test_other_type(void **state)
{
    (void)state;
    poke(images, 2, 0x0D);
    expect(SP_ERROR_FORMAT, IMAGES ": holds 32-bit floats (type 0d), not unsigned bytes");
}

static void test_other_rank(void **state)
{
    (void)state;
    poke(labels, 3, 3);
    expect(SP_ERROR_FORMAT, LABELS ": has 3 dimensions, and labels have 1");
}

static void test_other_size_of_image(void **state)
{
    (void)state;
    poke(images, 11, 32);
    expect(SP_ERROR_FORMAT, "its images are 32×28, not 28×28");
}

static void test_cut_in_the_head(void **state)
{
    (void)state;
    assert_int_equal(truncate(images, 13), 0);
    expect(SP_ERROR_FORMAT, "cut short: its head ends after 9 of 12 bytes");
}

static void test_empty_file(void **state)
{
    (void)state;
    assert_int_equal(truncate(labels, 0), 0);
    expect(SP_ERROR_FORMAT, "cut short: its head ends after 0 of 4 bytes");
}

static void test_cut_in_the_body(void **state)
{
    (void)state;
    assert_int_equal(truncate(images, 5000), 0);
    expect(SP_ERROR_FORMAT, "says 20 examples, that is 15696 bytes, but the file has 5000");
}

static void test_announces_too_many(void **state)
{
    (void)state;
    write_labels(labels, 20, 4000000000U);
    expect(SP_ERROR_FORMAT, "says 4000000000 examples, that is 4000000008 bytes, but the file has 28");
}

static void test_goes_on(void **state)
{
    (void)state;
    append(labels);
    expect(SP_ERROR_FORMAT, "but the file has 29");
}

static void test_no_examples(void **state)
{
    (void)state;
    write_labels(labels, 0, 0);
    expect(SP_ERROR_FORMAT, "holds no examples");
}

static void test_label_out_of_range(void **state)
{
    (void)state;
    poke(labels, 8 + 7, 10);
    expect(SP_ERROR_FORMAT, LABELS ": label 7 is 10, and must be 0 … 9");
}

static void test_halves_of_different_length(void **state)
{
    (void)state;
    write_labels(labels, 19, 19);
    expect(SP_ERROR_FORMAT, "holds 20 images, but");
    write_labels(labels, 19, 19);
    expect(SP_ERROR_FORMAT, "holds 19 labels");
}

static void test_half_is_missing(void **state)
{
    (void)state;
    assert_int_equal(unlink(labels), 0);
    expect(SP_ERROR_NOT_FOUND, IMAGES " has no " LABELS ".gz beside it");
}

static void test_folder_in_place_of_a_file(void **state)
{
    (void)state;
    assert_int_equal(unlink(labels), 0);
    assert_int_equal(mkdir(labels, 0777), 0);
    expect(SP_ERROR_IO, "is not a regular file");
}

/* ---- gzip ---- */

#ifdef SP_HAVE_ZLIB

/* Packs a file; its path, which has room for that, becomes the packed one's. */
static void pack(char *path, long *packed_size)
{
    unsigned char bytes[16 + 784 * 20];
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t n = fread(bytes, 1, sizeof bytes, file);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(unlink(path), 0);
    char packed[sizeof images];
    snprintf(packed, sizeof packed, "%.*s.gz", (int)sizeof packed - 4, path);
    gzFile to = gzopen(packed, "wb9");
    assert_non_null(to);
    assert_int_equal(gzwrite(to, bytes, (unsigned)n), n);
    assert_int_equal(gzclose(to), Z_OK);
    struct stat about;
    assert_int_equal(stat(packed, &about), 0);
    *packed_size = (long)about.st_size;
    snprintf(path, sizeof images, "%s", packed);
}

static void test_reads_gzip(void **state)
{
    (void)state;
    long size;
    pack(images, &size);
    pack(labels, &size);
    sp_dataset *data = load();
    assert_int_equal(sp_data_length(data), 20);
    assert_int_equal(sp_item_i64(sp_data_get(data, -1).y), 9);
}

static void test_cut_gzip(void **state)
{
    (void)state;
    long size;
    pack(images, &size);
    for (long left = 18; left < size; left += size / 7) {
        assert_int_equal(truncate(images, size - left), 0);
        expect(SP_ERROR_FORMAT, "cut short");
    }
    assert_int_equal(truncate(images, 3), 0);
    expect(SP_ERROR_FORMAT, "");
}

static void test_gzip_without_its_end(void **state)
{
    (void)state;
    long size;
    pack(labels, &size);
    assert_int_equal(truncate(labels, size - 4), 0);
    expect(SP_ERROR_FORMAT, "cut short");
}

static void test_damaged_gzip(void **state)
{
    (void)state;
    long size;
    pack(labels, &size);
    poke(labels, size - 8, 0x55);
    expect(SP_ERROR_FORMAT, "the gzip file is damaged");
}

static void test_gzip_announces_too_many(void **state)
{
    (void)state;
    long size;
    write_labels(labels, 20, 4000000000U);
    pack(labels, &size);
    expect(SP_ERROR_FORMAT, "(packed)");
    unlink(labels);
    labels[strlen(labels) - 3] = 0;
    write_labels(labels, 20, 21);
    pack(labels, &size);
    expect(SP_ERROR_FORMAT, "cut short: its body ends after 20 of 21 bytes");
}

/* Little that is packed can announce much: a million labels are room enough. */
static void test_gzip_announces_a_bomb(void **state)
{
    (void)state;
    long size;
    write_labels(labels, 20, 1000001);
    pack(labels, &size);
    expect(SP_ERROR_FORMAT, "more than 1000000 (packed): unpack it first");
}

static void test_gzip_goes_on(void **state)
{
    (void)state;
    long size;
    write_labels(labels, 21, 20);
    pack(labels, &size);
    expect(SP_ERROR_FORMAT, "goes on after the last example");
}

#endif

/* ---- no memory ---- */

static bool read_all(void *context)
{
    (void)context;
    sp_example e = sp_data_get(load(), 3);
    return e.x && e.y;
}

static void test_each_allocation_fails(void **state)
{
    (void)state;
    assert_true(support_fail_each_allocation(read_all, NULL) > 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        idx_test(test_reads_a_good_file),
        idx_test(test_the_other_name_of_a_file),
        idx_test(test_not_idx),
        idx_test(test_other_type),
        idx_test(test_other_rank),
        idx_test(test_other_size_of_image),
        idx_test(test_cut_in_the_head),
        idx_test(test_empty_file),
        idx_test(test_cut_in_the_body),
        idx_test(test_announces_too_many),
        idx_test(test_goes_on),
        idx_test(test_no_examples),
        idx_test(test_label_out_of_range),
        idx_test(test_halves_of_different_length),
        idx_test(test_half_is_missing),
        idx_test(test_folder_in_place_of_a_file),
#ifdef SP_HAVE_ZLIB
        idx_test(test_reads_gzip),
        idx_test(test_cut_gzip),
        idx_test(test_gzip_without_its_end),
        idx_test(test_damaged_gzip),
        idx_test(test_gzip_announces_too_many),
        idx_test(test_gzip_announces_a_bomb),
        idx_test(test_gzip_goes_on),
#endif
        idx_test(test_each_allocation_fails),
    };
    return sp_test_main(tests);
}
