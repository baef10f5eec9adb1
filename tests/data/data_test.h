/* For the tests of data sets: files to read, and an environment in which nothing outside the test is found. */
#ifndef SPUSK_TESTS_DATA_TEST_H
#define SPUSK_TESTS_DATA_TEST_H

#include "support/support.h"
#include <spusk/data.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define IMAGES "t10k-images-idx3-ubyte"
#define LABELS "t10k-labels-idx1-ubyte"

/* Setup of a test: an empty cache of its own, no other data sets, no mirrors. */
static inline int isolated(void **state)
{
    unsetenv("SPUSK_DATA");
    setenv("XDG_CACHE_HOME", support_path("cache"), 1);
    setenv("SPUSK_MIRRORS", "http://127.0.0.1:9/nothing", 1);
    return support_setup(state);
}
#define data_test(function) cmocka_unit_test_setup_teardown(function, isolated, support_teardown)

/* The folder of the real MNIST; NULL when there is none. */
static inline const char *real_mnist(void)
{
    static char folder[1024];
    static const char *const places[] = {SP_SOURCE_DIR "/../shared/data/mnist", SP_SOURCE_DIR "/../data/mnist"};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        snprintf(folder, sizeof folder, "%s/" IMAGES ".gz", places[i]);
        if (access(folder, R_OK)) continue;
        *strrchr(folder, '/') = 0;
        return folder;
    }
    return NULL;
}

static inline void write_file(const char *path, const void *bytes, size_t n)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, n, file), n);
    assert_int_equal(fclose(file), 0);
}

static inline void big_endian(unsigned char *to, uint32_t x)
{
    for (int i = 0; i < 4; i++) to[i] = (unsigned char)(x >> (24 - 8 * i));
}

/* Image i of the tests' own little data set is filled with 5i, and its label is i mod 10. */
static inline void write_images(const char *path, uint32_t count, uint32_t announced)
{
    size_t n = 16 + (size_t)784 * count;
    unsigned char *bytes = malloc(n);
    assert_non_null(bytes);
    big_endian(bytes, 0x0803);
    big_endian(bytes + 4, announced);
    big_endian(bytes + 8, 28);
    big_endian(bytes + 12, 28);
    for (uint32_t i = 0; i < count; i++) memset(bytes + 16 + (size_t)784 * i, (int)(5 * i % 256), 784);
    write_file(path, bytes, n);
    free(bytes);
}

static inline void write_labels(const char *path, uint32_t count, uint32_t announced)
{
    unsigned char bytes[8 + 256];
    big_endian(bytes, 0x0801);
    big_endian(bytes + 4, announced);
    for (uint32_t i = 0; i < count; i++) bytes[8 + i] = (unsigned char)(i % 10);
    write_file(path, bytes, 8 + count);
}

/* A folder of the test's with the test half of a little data set. */
static inline const char *little_mnist(const char *name, uint32_t count)
{
    const char *folder = support_path(name);
    char path[1200];
    mkdir(folder, 0777);
    snprintf(path, sizeof path, "%s/" IMAGES, folder);
    write_images(path, count, count);
    snprintf(path, sizeof path, "%s/" LABELS, folder);
    write_labels(path, count, count);
    return folder;
}

#endif
