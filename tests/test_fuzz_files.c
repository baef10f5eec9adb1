/* Files changed at random, the same way each time: every reader gives an object or an error, and takes memory in
 * proportion to the file. */
#include "data/files.h"
#include "support/support.h"
#include <spusk/extend.h>
#include <spusk/spusk.h>
#include <spusk/train.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM = 1 << 16, ROUNDS = 3000, MOST_MEMORY = 1 << 24 };

static unsigned char right[ROOM], changed[2 * ROOM];

static size_t read_all(const char *path)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    const size_t n = fread(right, 1, ROOM, file);
    assert_true(n > 0 && n < ROOM);
    fclose(file);
    return n;
}

static void write_all(const char *path, size_t n)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(changed, 1, n, file), n);
    fclose(file);
}

/* ---- changes ---- */

static uint64_t state;

static size_t draw(size_t n)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return n ? (size_t)(state >> 33) % n : 0;
}

static const char *interesting(void)
{
    static const char *const pieces[] = {"9223372036854775807",
                                         "-1",
                                         "1e999",
                                         "18446744073709551616",
                                         "0",
                                         "[]",
                                         "{}",
                                         "null",
                                         "\"",
                                         "\\u0000",
                                         "\x1b[2J",
                                         "\xff\xff\xff\xff",
                                         "4294967295",
                                         "1048576"};
    return pieces[draw(sizeof pieces / sizeof *pieces)];
}

/* Takes `gone` bytes out at a place and puts others there. */
static size_t splice(size_t n, size_t at, size_t gone, const void *bytes, size_t length)
{
    memmove(changed + at + length, changed + at + gone, n - at - gone);
    memcpy(changed + at, bytes, length);
    return n - gone + length;
}

static size_t change_once(size_t n)
{
    unsigned char copy[64];
    const size_t at = draw(n), length = 1 + draw(sizeof copy < n - at ? sizeof copy : n - at);
    const char *piece = interesting();
    switch (draw(6)) {
    case 0: changed[at] ^= (unsigned char)(1 << draw(8)); return n;
    case 1: changed[at] = (unsigned char)draw(256); return n;
    case 2: return at + 1;
    case 3: return n > length ? splice(n, at, length, "", 0) : n;
    case 4: memcpy(copy, changed + at, length); return splice(n, draw(n), 0, copy, length);
    default: return splice(n, at, draw(2) ? 0 : length, piece, strlen(piece));
    }
}

/* Most of the changes to a head leave its announced length wrong, and are refused for that alone. */
static void mend_length(size_t n)
{
    if (n < 16 || draw(4) == 0) return;
    for (size_t end = n; end > 8; end--)
        if (changed[end - 1] == '}') {
            for (int i = 0; i < 8; i++) changed[i] = (unsigned char)((end - 8) >> 8 * i);
            return;
        }
}

/* Nor would a PNG's chunks be looked at with wrong checksums. */
static void mend_checksums(size_t n)
{
    for (size_t at = 8; at + 12 <= n;) {
        const size_t length = (size_t)changed[at] << 24 | (size_t)changed[at + 1] << 16 | (size_t)changed[at + 2] << 8 |
                              changed[at + 3];
        if (length > n - at - 12) return;
        uint32_t crc = 0xffffffff;
        for (size_t i = at + 4; i < at + 8 + length; i++) {
            crc ^= changed[i];
            for (int k = 0; k < 8; k++) crc = crc & 1 ? 0xedb88320 ^ crc >> 1 : crc >> 1;
        }
        for (int i = 0; i < 4; i++) changed[at + 8 + length + (size_t)i] = (unsigned char)(~crc >> (24 - 8 * i));
        at += 12 + length;
    }
}

/* ---- the loop ---- */

/* Reads the file; whether there was an object. */
typedef bool reader(const char *path);

static void fuzz(const char *path, reader *read, void (*mend)(size_t n))
{
    const size_t whole = read_all(path);
    int objects = 0, errors = 0;
    SP_SCOPE {
        assert_true(read(path));
    }
    state = 1;
    for (int i = 0; i < ROUNDS; i++)
        SP_SCOPE {
            size_t n = whole;
            memcpy(changed, right, n);
            for (size_t k = 1 + draw(4); k > 0; k--) n = change_once(n);
            if (mend) mend(n);
            write_all(path, n);
            sp_reset_peak_memory();
            const bool object = read(path);
            const bool error = sp_error_clear() != SP_OK;
            assert_true(object != error);
            assert_true(sp_memory().peak_bytes < MOST_MEMORY);
            objects += object;
            errors += error;
        }
    assert_true(objects > 0 && errors > ROUNDS / 10);
}

/* ---- the readers ---- */

static bool read_tensors(const char *path)
{
    return sp_load_tensors(path) != NULL;
}

static bool read_module(const char *path)
{
    const sp_module *module = sp_load_module(path);
    if (module) sp_module_to_string(module, NULL, 0);
    return module != NULL;
}

static bool read_head(const char *path)
{
    const sp_safe_file *file = sp_safe_open(path);
    const char *json = file ? sp_safe_metadata(file, "spusk.model") : NULL;
    if (json && !sp_module_outline_from_json(json)) sp_error_clear();
    return file != NULL;
}

static bool read_png(const char *path)
{
    return sp_load_png(path, 3) != NULL;
}

static bool read_images(const char *path)
{
    return sp__idx_images(path) != NULL;
}

static sp_module *network(void)
{
    return sp_nn_sequential(sp_nn_conv2d(1, 2, 3, .padding = 1), sp_nn_batch_norm2d(2), sp_nn_max_pool2d(2),
                            sp_nn_flatten(), sp_nn_linear(8, 2), sp_nn_dropout(0.5));
}

static void test_safetensors(void **test)
{
    (void)test;
    const char *path = support_path("net.safetensors");
    sp_save_state(network(), path);
    fuzz(path, read_tensors, NULL);
    sp_save_state(network(), path);
    fuzz(path, read_module, NULL);
    sp_save_state(network(), path);
    fuzz(path, read_head, NULL);
}

/* A head alone, so that its length can be mended: the description is what is changed. */
static void test_descriptions(void **test)
{
    (void)test;
    const char *path = support_path("head.safetensors");
    char json[2048];
    sp_module_to_json(sp_nn_sequential(sp_nn_max_pool2d(2, .stride = 2), sp_nn_leaky_relu(.negative_slope = 0.3),
                                       sp_nn_upsample(.scale_factor = 2), sp_nn_zero_pad2d(1)),
                      json, sizeof json);
    const char *const metadata[] = {"spusk.model", json, NULL};
    sp_dict *none = sp_dict_new();
    sp_save_tensors(none, path, metadata);
    fuzz(path, read_module, mend_length);
    sp_save_tensors(none, path, metadata);
    fuzz(path, read_head, mend_length);
}

static void test_pictures(void **test)
{
    (void)test;
    const char *path = support_path("picture.png");
    sp_save_png(sp_rand(SP_DIMS(3, 20, 20)), path);
    fuzz(path, read_png, mend_checksums);
    sp_save_png(sp_rand(SP_DIMS(20, 20)), path);
    fuzz(path, read_png, mend_checksums);
}

static void test_idx(void **test)
{
    (void)test;
    const char *path = support_path("images-idx3-ubyte");
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    static const unsigned char head[16] = {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 28, 0, 0, 0, 28}, image[28 * 28];
    assert_int_equal(fwrite(head, 1, sizeof head, file), sizeof head);
    assert_int_equal(fwrite(image, 1, sizeof image, file), sizeof image);
    assert_int_equal(fwrite(image, 1, sizeof image, file), sizeof image);
    fclose(file);
    fuzz(path, read_images, NULL);
}

/* ---- checkpoints: into parts that are there already, and must stay as they were when the file is refused ---- */

static struct {
    sp_module *model;
    sp_optimizer *optimizer;
    sp_scheduler *scheduler;
} parts;

static bool read_checkpoint(const char *path)
{
    /* Bytes: a weight that an earlier file brought may be NaN. */
    float before[6], after[6];
    sp_copy_out(before, sp_module_get(parts.model, "weight"), sizeof before);
    const bool loaded = sp_load_checkpoint(parts.model, parts.optimizer, parts.scheduler, path) >= 0;
    const bool pending = sp_error_status() != SP_OK;
    const sp_status status = sp_error_clear();
    sp_copy_out(after, sp_module_get(parts.model, "weight"), sizeof after);
    if (!loaded) assert_memory_equal(after, before, sizeof before);
    if (pending) sp_raise(status, "it was refused");
    return loaded;
}

static void test_checkpoints(void **test)
{
    (void)test;
    const char *path = support_path("run.checkpoint");
    parts.model = sp_nn_linear(3, 2);
    parts.optimizer = sp_optim_adam(sp_parameters(parts.model));
    parts.scheduler = sp_lr_scheduler_step_lr(parts.optimizer, 2);
    assert_int_equal(sp_save_checkpoint(parts.model, parts.optimizer, parts.scheduler, 3, path), SP_OK);
    fuzz(path, read_checkpoint, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        sp_test(test_safetensors), sp_test(test_descriptions), sp_test(test_pictures),
        sp_test(test_idx),         sp_test(test_checkpoints),
    };
    return sp_test_main(tests);
}
