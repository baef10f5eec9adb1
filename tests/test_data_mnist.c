/* Where MNIST and Fashion-MNIST are looked for, and the real MNIST where there is one. */
#include "data/data_test.h"

/* Puts a little data set of n examples into BASE/PLACE of the test's folder. */
static void put(const char *base, const char *place, uint32_t n)
{
    char name[256];
    snprintf(name, sizeof name, "%s", base);
    mkdir(support_path(name), 0777);
    for (const char *part = place; *part;) {
        size_t length = strcspn(part, "/");
        snprintf(name, sizeof name, "%s/%.*s", base, (int)(part + length - place), place);
        mkdir(support_path(name), 0777);
        part += length + (part[length] == '/');
    }
    little_mnist(name, n);
}

static sp_dataset *mnist(const char *root)
{
    return sp_data_mnist(root, .test = true, .no_download = true);
}

static sp_dataset *fashion(const char *root)
{
    return sp_data_fashion_mnist(root, .test = true, .no_download = true);
}

static void test_places_below_the_root(void **state)
{
    (void)state;
    put("a", "", 11);
    put("b", "mnist", 12);
    put("c", "MNIST/raw", 13);
    put("d", "fashion-mnist", 14);
    put("e", "fashion", 15);
    put("f", "FashionMNIST/raw", 16);
    assert_int_equal(sp_data_length(mnist(support_path("a"))), 11);
    assert_int_equal(sp_data_length(mnist(support_path("b/"))), 12);
    assert_int_equal(sp_data_length(mnist(support_path("c"))), 13);
    assert_int_equal(sp_data_length(fashion(support_path("a"))), 11);
    assert_int_equal(sp_data_length(fashion(support_path("d"))), 14);
    assert_int_equal(sp_data_length(fashion(support_path("e//"))), 15);
    assert_int_equal(sp_data_length(fashion(support_path("f"))), 16);
    assert_no_error();
}

static void test_variable_and_cache_come_after_the_root(void **state)
{
    (void)state;
    put("cache", "spusk/mnist", 13);
    assert_int_equal(sp_data_length(mnist(NULL)), 13);
    put("variable", "mnist", 12);
    setenv("SPUSK_DATA", support_path("variable"), 1);
    assert_int_equal(sp_data_length(mnist("")), 12);
    put("root", "mnist", 11);
    assert_int_equal(sp_data_length(mnist(support_path("root"))), 11);
    assert_no_error();
    /* What is named must serve: neither falls back. */
    assert_null(mnist("nowhere"));
    assert_error(SP_ERROR_NOT_FOUND,
                 "MNIST is not in nowhere/mnist, nowhere/MNIST/raw, nowhere; that folder was named");
    setenv("SPUSK_DATA", "nowhere", 1);
    assert_null(mnist(NULL));
    assert_error(SP_ERROR_NOT_FOUND, "nowhere; SPUSK_DATA names that folder");
}

static void test_cache_in_the_home(void **state)
{
    (void)state;
    const char *home = getenv("HOME");
    char before[1024];
    snprintf(before, sizeof before, "%s", home ? home : "");
    unsetenv("XDG_CACHE_HOME");
    put("home", ".cache/spusk/fashion-mnist", 14);
    setenv("HOME", support_path("home"), 1);
    assert_int_equal(sp_data_length(fashion(NULL)), 14);
    unsetenv("HOME");
    assert_null(fashion(NULL));
    if (*before) setenv("HOME", before, 1);
    assert_error(SP_ERROR_NOT_FOUND, "there is no cache: HOME is not set");
}

static void test_says_where_it_looked(void **state)
{
    (void)state;
    char words[2048];
    assert_null(mnist(NULL));
    snprintf(words, sizeof words, "MNIST is not in %s/spusk/mnist (and was not", getenv("XDG_CACHE_HOME"));
    assert_error(SP_ERROR_NOT_FOUND, words);
    assert_null(sp_data_mnist(NULL));
#if defined(SP_HAVE_CURL) && defined(SP_HAVE_CRYPTO)
    const char *why = "and train-images-idx3-ubyte.gz could not be downloaded; http://127.0.0.1:9/nothing: ";
#else
    const char *why = "this build has no libcurl or no libcrypto";
#endif
    assert_error(SP_ERROR_NOT_FOUND, why);
}

static void test_the_other_data_set(void **state)
{
    (void)state;
    static const unsigned char first[2][10] = {{7, 2, 1, 0, 4, 1, 4, 9, 5, 9}, {9, 2, 1, 1, 6, 1, 4, 6, 5, 7}};
    unsigned char labels[8 + 10] = {0, 0, 8, 1, 0, 0, 0, 10};
    char folder[1024], path[1200];
    snprintf(folder, sizeof folder, "%s", little_mnist("set", 10));
    snprintf(path, sizeof path, "%s/" LABELS, folder);
    memcpy(labels + 8, first[0], 10);
    write_file(path, labels, sizeof labels);
    assert_int_equal(sp_data_length(mnist(folder)), 10);
    assert_null(fashion(folder));
    assert_error(SP_ERROR_FORMAT, LABELS ": this is MNIST, not Fashion-MNIST");
    memcpy(labels + 8, first[1], 10);
    write_file(path, labels, sizeof labels);
    assert_int_equal(sp_data_length(fashion(folder)), 10);
    assert_null(mnist(folder));
    assert_error(SP_ERROR_FORMAT, LABELS ": this is Fashion-MNIST, not MNIST");
}

/* ---- the real one ---- */

static void check_half(sp_dataset *data, int64_t length, const int64_t *labels, int64_t sum_of_first)
{
    assert_int_equal(sp_data_length(data), length);
    for (int i = 0; i < 5; i++) assert_int_equal(sp_item_i64(sp_data_get(data, i).y), labels[i]);
    sp_tensor *x = sp_data_get(data, 0).x;
    const float *values = sp_const_data(x);
    double sum = 0;
    for (int i = 0; i < 784; i++) sum += (double)values[i] * 255;
    assert_close(sum, (double)sum_of_first, 1e-2);
}

static void test_real_mnist(void **state)
{
    (void)state;
    static const int64_t training[] = {5, 0, 4, 1, 9}, test[] = {7, 2, 1, 0, 4};
    const char *folder = real_mnist();
    if (!folder) skip_because("no MNIST in ../shared/data or ../data");
#ifndef SP_HAVE_ZLIB
    skip_because("this build has no zlib");
#endif
    check_half(sp_data_mnist(folder, .no_download = true), 60000, training, 27525);
    const char *words = sp_data_description(sp_data_mnist(folder, .test = true));
    assert_int_equal(strncmp(words, "MNIST, 10000 images, ", 21), 0);
    check_half(sp_data_mnist(folder, .test = true, .no_download = true), 10000, test, 18454);
    assert_null(sp_data_fashion_mnist(folder, .no_download = true));
    assert_error(SP_ERROR_FORMAT, "this is MNIST, not Fashion-MNIST");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        data_test(test_places_below_the_root), data_test(test_variable_and_cache_come_after_the_root),
        data_test(test_cache_in_the_home),     data_test(test_says_where_it_looked),
        data_test(test_the_other_data_set),    data_test(test_real_mnist),
    };
    return sp_test_main(tests);
}
