/* safetensors: the reference implementation's bytes, every dtype and layout, files that are cut or lie, no disk. */
#include "support/support.h"
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <spusk/spusk.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define REFERENCE SP_TEST_DIR "/fixtures/safetensors/reference.safetensors"

static size_t read_all(const char *path, char *to, size_t room)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t n = fread(to, 1, room, file);
    fclose(file);
    return n;
}

static void write_all(const char *path, const void *data, size_t n)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, n, file), n);
    fclose(file);
}

/* A file of this head and so many zero bytes after it. */
static const char *file_with(const char *head, size_t data_bytes)
{
    char bytes[4096] = {0};
    size_t n = strlen(head);
    assert_true(8 + n + data_bytes < sizeof bytes);
    bytes[0] = (char)(n & 255), bytes[1] = (char)(n >> 8);
    snprintf(bytes + 8, sizeof bytes - 8, "%s", head);
    const char *path = support_path("made.safetensors");
    write_all(path, bytes, 8 + n + data_bytes);
    return path;
}

static bool temporary_left(void)
{
    char command[512];
    snprintf(command, sizeof command, "ls -A '%s' | grep -q '^\\.spusk'", support_folder());
    return system(command) == 0;
}

/* ---- what the reference implementation writes ---- */

static sp_dict *reference_tensors(void)
{
    sp_dict *dict = sp_dict_new();
    const double bias[] = {-1.5, 2.25, 1e300};
    const double half[] = {1, -0.0, (double)INFINITY};
    const int32_t index[] = {INT32_MIN, 7};
    const uint8_t bytes[] = {0, 127, 255};
    const uint8_t mask[] = {1, 0, 1};
    sp_dict_set(dict, "weight", sp_div_scalar(sp_view(sp_arange(0., 6., 1.), 2, 3), 4));
    sp_dict_set(dict, "bias", sp_from_data(bias, SP_DIMS(3), .dtype = SP_F64));
    sp_dict_set(dict, "half", sp_cast(sp_from_data(half, SP_DIMS(3, 1), .dtype = SP_F64), SP_BF16));
    sp_dict_set(dict, "count", sp_scalar_i64(((int64_t)1 << 53) + 1));
    sp_dict_set(dict, "index", sp_from_data(index, SP_DIMS(2), .dtype = SP_I32));
    sp_dict_set(dict, "bytes", sp_from_data(bytes, SP_DIMS(3), .dtype = SP_U8));
    sp_dict_set(dict, "mask", sp_from_data(mask, SP_DIMS(3), .dtype = SP_BOOL));
    sp_dict_set(dict, "empty", sp_empty(SP_DIMS(0, 4)));
    sp_dict_set(dict, "имя \"x\"", sp_vector(3));
    assert_no_error();
    return dict;
}

static void assert_same_dict(const sp_dict *a, const sp_dict *b)
{
    assert_int_equal(sp_dict_length(a), sp_dict_length(b));
    for (int64_t i = 0; i < sp_dict_length(a); i++) {
        sp_tensor *x = sp_dict_get(a, i), *y = sp_dict_find(b, sp_dict_name(a, i));
        assert_non_null(y);
        assert_int_equal(sp_dtype_of(x), sp_dtype_of(y));
        assert_int_equal(sp_ndim(x), sp_ndim(y));
        assert_true(sp_equal(x, y));
    }
}

static void test_reads_the_reference(void **state)
{
    (void)state;
    sp_dict *read = sp_load_tensors(REFERENCE);
    assert_non_null(read);
    assert_same_dict(reference_tensors(), read);
    assert_int_equal(sp_item_i64(sp_dict_find(read, "count")), 9007199254740993);
    assert_true(signbit(sp_item(sp_select(sp_select(sp_dict_find(read, "half"), 0, 1), 0, 0))));
    char note[8];
    assert_int_equal(sp_load_metadata(REFERENCE, "note", note, sizeof note), 19);
    assert_string_equal(note, "made by");
    assert_int_equal(sp_load_metadata(REFERENCE, "other", note, sizeof note), -1);
    assert_int_equal(sp_load_metadata_key(REFERENCE, 0, note, sizeof note), 4);
    assert_string_equal(note, "note");
    assert_int_equal(sp_load_metadata_key(REFERENCE, 1, note, sizeof note), -1);
    assert_no_error();
}

static void test_writes_the_same_bytes(void **state)
{
    (void)state;
    static char ours[4096], theirs[4096];
    const char *path = support_path("ours.safetensors");
    const char *const metadata[] = {"note", "made by safetensors", NULL};
    assert_int_equal(sp_save_tensors(reference_tensors(), path, metadata), SP_OK);
    size_t n = read_all(path, ours, sizeof ours);
    assert_int_equal(n, read_all(REFERENCE, theirs, sizeof theirs));
    assert_memory_equal(ours, theirs, n);
}

/* ---- there and back ---- */

static sp_tensor *laid_out(sp_dtype dtype, int layout)
{
    sp_tensor *x = sp_cast(sp_view(sp_randint(0, 2, SP_DIMS(24)), 4, 6), dtype);
    if (layout == 1) return sp_t(x);
    if (layout == 2) return sp_slice(x, 1, 1, SP_END, 2);
    if (layout == 3) return sp_expand(sp_narrow(x, 0, 1, 1), 3, 6);
    if (layout == 4) return sp_select(sp_select(x, 0, 2), 0, 3);
    if (layout == 5) return sp_narrow(x, 0, 4, 0);
    return x;
}

static void test_every_dtype_and_layout(void **state)
{
    (void)state;
    const char *path = support_path("all.safetensors");
    sp_dict *dict = sp_dict_new();
    for (int dtype = SP_F32; dtype <= SP_BOOL; dtype++)
        for (int layout = 0; layout < 6; layout++) {
            char name[32];
            snprintf(name, sizeof name, "%s.%d", sp_dtype_name((sp_dtype)dtype), layout);
            sp_dict_set(dict, name, laid_out((sp_dtype)dtype, layout));
        }
    assert_int_equal(sp_dict_length(dict), 42);
    assert_int_equal(sp_save_tensors(dict, path, NULL), SP_OK);
    assert_same_dict(dict, sp_load_tensors(path));
    assert_int_equal(sp_save_tensors(sp_dict_new(), path, NULL), SP_OK);
    assert_int_equal(sp_dict_length(sp_load_tensors(path)), 0);
}

static void test_what_cannot_be_saved(void **state)
{
    (void)state;
    const char *path = support_path("no.safetensors");
    sp_dict *dict = sp_dict_new();
    sp_dict_set(dict, "__metadata__", sp_vector(1));
    assert_int_equal(sp_save_tensors(dict, path, NULL), SP_ERROR_ARGUMENT);
    assert_error(SP_ERROR_ARGUMENT, "__metadata__");
    dict = sp_dict_new();
    sp_dict_set(dict, "\xff", sp_vector(1));
    sp_save_tensors(dict, path, NULL);
    assert_error(SP_ERROR_ARGUMENT, "not UTF-8");
    const char *const odd[] = {"key", NULL};
    sp_save_tensors(sp_dict_new(), path, odd);
    assert_error(SP_ERROR_ARGUMENT, "'key' has no value");
    assert_int_equal(access(path, F_OK), -1);
}

/* ---- broken files ---- */

static void test_cut_at_every_byte(void **state)
{
    (void)state;
    static char whole[4096];
    size_t n = read_all(REFERENCE, whole, sizeof whole);
    const char *path = support_path("cut.safetensors");
    for (size_t cut = 0; cut < n; cut++) {
        write_all(path, whole, cut);
        assert_refuses(SP_ERROR_FORMAT, "cut.safetensors is not a right safetensors file", sp_load_tensors(path));
    }
    whole[n] = 0;
    write_all(path, whole, n + 1);
    assert_refuses(SP_ERROR_FORMAT, "1 bytes at its end belong to no tensor", sp_load_tensors(path));
}

/* Whatever one wrong bit does, it does no harm. */
static void test_every_bit_of_the_head_turned(void **state)
{
    (void)state;
    static char whole[4096];
    size_t n = read_all(REFERENCE, whole, sizeof whole);
    const char *path = support_path("bit.safetensors");
    int refused = 0;
    for (size_t bit = 0; bit < 8 * n; bit++) {
        whole[bit / 8] ^= (char)(1 << bit % 8);
        write_all(path, whole, n);
        SP_SCOPE {
            if (!sp_load_tensors(path)) {
                assert_int_not_equal(sp_error_clear(), SP_OK);
                refused++;
            }
        }
        whole[bit / 8] ^= (char)(1 << bit % 8);
    }
    assert_true(refused > 1000);
}

#define ENTRY(dtype, shape, offsets) "{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":" offsets "}"
static const struct {
    const char *head;
    size_t bytes;
    sp_status status;
    const char *words;
} lies[] = {
    {"", 0, SP_ERROR_FORMAT, "does not begin with '{'"},
    {" {}", 0, SP_ERROR_FORMAT, "does not begin with '{'"},
    {"[]", 0, SP_ERROR_FORMAT, "does not begin with '{'"},
    {"{", 0, SP_ERROR_FORMAT, "not right JSON"},
    {"{}{}", 0, SP_ERROR_FORMAT, "not right JSON"},
    {"{\"\xff\":1}", 0, SP_ERROR_FORMAT, "not right JSON: unable to decode byte 0xff"},
    {"{\"a\":1}", 0, SP_ERROR_FORMAT, "'a' is not described by an object"},
    {"{\"a\":{}}", 0, SP_ERROR_FORMAT, "'a' has no dtype"},
    {"{\"a\":" ENTRY("F33", "[1]", "[0,4]") "}", 4, SP_ERROR_FORMAT, "unknown dtype 'F33'"},
    {"{\"a\":" ENTRY("F16", "[2]", "[0,4]") "}", 4, SP_ERROR_UNSUPPORTED, "dtype F16, which spusk does not have"},
    {"{\"a\":" ENTRY("F32", "1", "[0,4]") "}", 4, SP_ERROR_FORMAT, "'a' has no shape"},
    {"{\"a\":" ENTRY("F32", "[-1]", "[0,4]") "}", 4, SP_ERROR_FORMAT, "not made of sizes"},
    {"{\"a\":" ENTRY("F32", "[1.0]", "[0,4]") "}", 4, SP_ERROR_FORMAT, "not made of sizes"},
    {"{\"a\":" ENTRY("F32", "[99999999999999999999]", "[0,4]") "}", 4, SP_ERROR_FORMAT, "not right JSON"},
    {"{\"a\":" ENTRY("F32", "[4611686018427387904,4]", "[0,0]") "}", 0, SP_ERROR_FORMAT, "too large to count"},
    {"{\"a\":" ENTRY("F32", "[1,1,1,1,1,1,1,1,1]", "[0,4]") "}", 4, SP_ERROR_UNSUPPORTED, "9 dimensions"},
    {"{\"a\":" ENTRY("F32", "[1]", "[0]") "}", 4, SP_ERROR_FORMAT, "not two whole numbers"},
    {"{\"a\":" ENTRY("F32", "[1]", "[0,4,8]") "}", 4, SP_ERROR_FORMAT, "not two whole numbers"},
    {"{\"a\":" ENTRY("F32", "[1]", "[-4,0]") "}", 4, SP_ERROR_FORMAT, "lies at bytes -4 to 0 of 4"},
    {"{\"a\":" ENTRY("F32", "[1]", "[4,0]") "}", 4, SP_ERROR_FORMAT, "lies at bytes 4 to 0 of 4"},
    {"{\"a\":" ENTRY("F32", "[2]", "[0,8]") "}", 4, SP_ERROR_FORMAT, "lies at bytes 0 to 8 of 4"},
    {"{\"a\":" ENTRY("F32", "[2]", "[0,4]") "}", 4, SP_ERROR_FORMAT, "needs 8 bytes by its shape and has 4"},
    {"{\"a\":" ENTRY("F32", "[1]", "[4,8]") "}", 8, SP_ERROR_FORMAT, "begins at byte 4, after a gap"},
    {"{\"a\":" ENTRY("F32", "[2]", "[0,8]") ",\"b\":" ENTRY("F32", "[1]", "[4,8]") "}", 8, SP_ERROR_FORMAT,
     "'b' begins at byte 4, inside another"},
    {"{\"a\":" ENTRY("F32", "[1]", "[0,4]") "}", 5, SP_ERROR_FORMAT, "1 bytes at its end"},
    {"{\"a\":" ENTRY("U8", "[1]", "[0,1]") ",\"a\":" ENTRY("U8", "[1]", "[1,2]") "}", 2, SP_ERROR_FORMAT, "duplicate"},
    {"{\"__metadata__\":[]}", 0, SP_ERROR_FORMAT, "__metadata__ is not an object"},
    {"{\"__metadata__\":{\"k\":1}}", 0, SP_ERROR_FORMAT, "'k' is not a string"},
};

static void test_heads_that_lie(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        assert_refuses(lies[i].status, lies[i].words, sp_load_tensors(file_with(lies[i].head, lies[i].bytes)));
    }
    /* Any byte but 0 is true. */
    const char *path = file_with("{\"a\":" ENTRY("BOOL", "[2]", "[0,2]") "}", 2);
    FILE *file = fopen(path, "r+b");
    assert_int_equal(fseek(file, -1, SEEK_END), 0);
    fputc(7, file);
    fclose(file);
    assert_int_equal(sp_item_i64(sp_sum(sp_dict_get(sp_load_tensors(path), 0))), 1);
}

static void test_head_longer_than_the_file(void **state)
{
    (void)state;
    const char *path = support_path("long.safetensors");
    unsigned char bytes[16] = {9, 0, 0, 0, 0, 0, 0, 0, '{', '}'};
    write_all(path, bytes, 16);
    assert_refuses(SP_ERROR_FORMAT, "its head should take 9 bytes, but only 8 follow", sp_load_tensors(path));
    memset(bytes, 255, 8);
    write_all(path, bytes, 16);
    assert_refuses(SP_ERROR_FORMAT, "its head should take 18446744073709551615 bytes", sp_load_tensors(path));
}

static void test_what_is_no_file(void **state)
{
    (void)state;
    assert_refuses(SP_ERROR_NOT_FOUND, "absent: No such file", sp_load_tensors(support_path("absent")));
    assert_refuses(SP_ERROR_IO, "not a regular file", sp_load_tensors(support_folder()));
    assert_refuses(SP_ERROR_IO, "not a regular file", sp_load_tensors("/dev/zero"));
    assert_refuses(SP_ERROR_ARGUMENT, "needs a name", sp_load_tensors(""));
}

/* ---- writing that fails leaves the old file ---- */

static void test_full_disk(void **state)
{
    (void)state;
    if (access("/dev/full", W_OK) != 0) skip_because("there is no /dev/full");
    assert_int_equal(sp_save_tensors(reference_tensors(), "/dev/full", NULL), SP_ERROR_IO);
    assert_error(SP_ERROR_IO, "cannot write /dev/full: No space left on device");
    struct stat about;
    assert_int_equal(stat("/dev/full", &about), 0);
    assert_true(S_ISCHR(about.st_mode));
}

static void test_file_size_limit(void **state)
{
    (void)state;
    const char *path = support_path("limited.safetensors");
    sp_dict *small = sp_dict_new(), *large = sp_dict_new();
    sp_dict_set(small, "x", sp_vector(1, 2));
    sp_dict_set(large, "x", sp_zeros(SP_DIMS(5000)));
    assert_int_equal(sp_save_tensors(small, path, NULL), SP_OK);
    struct rlimit old, limit;
    getrlimit(RLIMIT_FSIZE, &old);
    limit = old;
    limit.rlim_cur = 1000;
    setrlimit(RLIMIT_FSIZE, &limit);
    sp_status status = sp_save_tensors(large, path, NULL); /* SIGXFSZ must not end the test */
    setrlimit(RLIMIT_FSIZE, &old);
    assert_int_equal(status, SP_ERROR_IO);
    assert_error(SP_ERROR_IO, "limited.safetensors: File too large");
    assert_false(temporary_left());
    assert_same_dict(small, sp_load_tensors(path));
}

static void test_unwritable(void **state)
{
    (void)state;
    sp_dict *dict = reference_tensors();
    sp_save_tensors(dict, support_path("no/such/folder/x"), NULL);
    assert_error(SP_ERROR_IO, "No such file or directory");
    sp_save_tensors(dict, support_folder(), NULL);
    assert_error(SP_ERROR_IO, "Is a directory");
    sp_save_tensors(dict, "", NULL);
    assert_error(SP_ERROR_ARGUMENT, "needs a name");
    if (geteuid() == 0) return; /* root may write everywhere */
    const char *path = support_path("locked");
    write_all(path, "old", 3);
    chmod(path, 0400);
    sp_save_tensors(dict, path, NULL);
    assert_error(SP_ERROR_IO, "Permission denied");
}

static void test_links_and_modes_stay(void **state)
{
    (void)state;
    const char *file = support_path("file"), *link = support_path("link");
    write_all(file, "old", 3);
    chmod(file, 0640);
    assert_int_equal(symlink(file, link), 0);
    assert_int_equal(sp_save_tensors(reference_tensors(), link, NULL), SP_OK);
    struct stat about;
    assert_int_equal(lstat(link, &about), 0);
    assert_true(S_ISLNK(about.st_mode));
    assert_int_equal(stat(file, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0640);
    assert_non_null(sp_load_tensors(file));
    assert_false(temporary_left());
}

/* ---- no memory ---- */

static bool save_and_load(void *context)
{
    const char *path = context;
    sp_dict *dict = sp_dict_new();
    bool fine = sp_dict_set(dict, "a", sp_ones(SP_DIMS(3, 4))) == SP_OK &&
                sp_dict_set(dict, "b", sp_t(sp_ones(SP_DIMS(2, 3)))) == SP_OK;
    const char *const metadata[] = {"z", "1", "a", "2", NULL};
    return fine && sp_save_tensors(dict, path, metadata) == SP_OK && sp_load_tensors(path) != NULL;
}

static void test_each_allocation_fails(void **state)
{
    (void)state;
    char path[512];
    snprintf(path, sizeof path, "%s", support_path("memory.safetensors"));
    assert_true(support_fail_each_allocation(save_and_load, path) > 10);
    assert_false(temporary_left());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        sp_test(test_reads_the_reference),    sp_test(test_writes_the_same_bytes),
        sp_test(test_every_dtype_and_layout), sp_test(test_what_cannot_be_saved),
        sp_test(test_cut_at_every_byte),      sp_test(test_every_bit_of_the_head_turned),
        sp_test(test_heads_that_lie),         sp_test(test_head_longer_than_the_file),
        sp_test(test_what_is_no_file),        sp_test(test_full_disk),
        sp_test(test_file_size_limit),        sp_test(test_unwritable),
        sp_test(test_links_and_modes_stay),   sp_test(test_each_allocation_fails),
    };
    return sp_test_main(tests);
}
