/* Only what is absent is absent: files that are there and cannot be read, and parts of a data set, are errors, and
 * never another data set. */
#include "data/data_test.h"

/* A cache with the little test half in it; returns its folder. */
static const char *cache(void)
{
    static char folder[1024];
    for (const char *const *part = (const char *const[]){"cache", "cache/spusk", "cache/spusk/mnist", NULL}; *part;
         part++)
        mkdir(support_path(*part), 0777);
    snprintf(folder, sizeof folder, "%s", little_mnist("cache/spusk/mnist", 10));
    return folder;
}

static sp_dataset *digits(const char *root)
{
    return sp_data_digits(root, .test = true, .no_download = true, .length = 7);
}

/* Takes the images away, or puts something else in their place. */
static void spoil(const char *folder, const char *with)
{
    char path[1200];
    snprintf(path, sizeof path, "%s/" IMAGES, folder);
    assert_int_equal(unlink(path), 0);
    if (strcmp(with, "a folder") == 0)
        assert_int_equal(mkdir(path, 0777), 0);
    else if (strcmp(with, "a pipe") == 0)
        assert_int_equal(mkfifo(path, 0666), 0);
    else if (strcmp(with, "nothing") != 0)
        assert_int_equal(symlink(with, path), 0);
}

static void test_what_cannot_be_read(void **state)
{
    (void)state;
    static const struct {
        const char *with, *words;
    } bad[] = {
        {"a folder", IMAGES ": is not a regular file"},        {"a pipe", IMAGES ": is not a regular file"},
        {"/not/there", IMAGES ": is a broken link"},           {IMAGES, "symbolic links"},
        {"/proc/self/mem", IMAGES ": cannot be read: "}, /* a regular file whose reading fails */
        {"nothing", LABELS " has no " IMAGES ".gz beside it"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *folder = cache();
        spoil(folder, bad[i].with);
        assert_null(digits(NULL));
        assert_error(SP_ERROR_IO, bad[i].words);
        assert_null(digits(folder));
        assert_true(sp_error_clear() != SP_OK);
        support_teardown(NULL);
        isolated(NULL);
    }
}

/* A link to a disk that is not mounted is no empty place. */
static void test_folder_that_is_gone(void **state)
{
    (void)state;
    mkdir(support_path("cache"), 0777);
    mkdir(support_path("cache/spusk"), 0777);
    assert_int_equal(symlink("/not/there", support_path("cache/spusk/mnist")), 0);
    assert_null(digits(NULL));
    assert_error(SP_ERROR_IO, "cache/spusk/mnist: is a broken link");
}

/* The test half alone serves whoever asks for it, and is half a data set for who wants the training half. */
static void test_the_other_half(void **state)
{
    (void)state;
    const char *folder = cache();
    assert_int_equal(sp_data_length(digits(NULL)), 7);
    assert_non_null(strstr(sp_data_description(digits(NULL)), "MNIST"));
    assert_null(sp_data_digits(NULL, .no_download = true));
    assert_error(SP_ERROR_IO, " has no train-images-idx3-ubyte.gz beside it");
    assert_null(sp_data_digits(NULL)); /* the download fails, and the half is still no whole */
    assert_error(SP_ERROR_IO, "MNIST is not whole in ");
    assert_null(sp_data_digits(folder));
    assert_error(SP_ERROR_NOT_FOUND, "beside it");
}

static void test_named_folders_serve(void **state)
{
    (void)state;
    assert_non_null(strstr(sp_data_description(digits(NULL)), "synthetic"));
    assert_no_error();
    assert_null(digits(support_path("empty")));
    assert_error(SP_ERROR_NOT_FOUND, "that folder was named");
    setenv("SPUSK_DATA", support_path("empty"), 1);
    assert_null(digits(NULL));
    assert_error(SP_ERROR_NOT_FOUND, "SPUSK_DATA names that folder");
    assert_int_equal(sp_data_length(digits("synthetic")), 7);
}

/* Other data sets come under MNIST's names, and are not called MNIST. */
static void test_recognised_by_checksum(void **state)
{
    (void)state;
#ifndef SP_HAVE_CRYPTO
    skip_because("this build has no libcrypto");
#else
    const char *words = sp_data_description(sp_data_mnist(little_mnist("other", 10), .test = true));
    assert_non_null(strstr(words, "unrecognised data under the names of MNIST, 10 images, "));
    assert_non_null(strstr(words, "(the checksums of its images and labels are others)"));
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        data_test(test_what_cannot_be_read), data_test(test_folder_that_is_gone),    data_test(test_the_other_half),
        data_test(test_named_folders_serve), data_test(test_recognised_by_checksum),
    };
    return sp_test_main(tests);
}
