/* Movies: written, and decoded again by a program that is not ours (ffmpeg); refused, failed, never closed. */
#include "support/support.h"
#include <math.h>
#include <signal.h>
#include <spusk/spusk.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool have_ffmpeg(void)
{
    return system("ffmpeg -version >/dev/null 2>&1") == 0;
}

static bool can_gif(void)
{
    sp_error_quiet(true);
    bool can = sp_movie_new(support_path("can.gif")) != NULL;
    sp_error_quiet(false);
    sp_error_clear();
    return can;
}

/* All bytes of a file; how many in *size. */
static unsigned char *read_bytes(const char *path, size_t *size)
{
    static unsigned char bytes[1 << 22];
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    *size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    return bytes;
}

/* The movie's frames as ffmpeg decodes them, each once: (n, height, width, 3). */
static unsigned char *decode(const char *path, size_t *size)
{
    char command[2400];
    const char *raw = support_path("decoded");
    snprintf(command, sizeof command,
             "ffmpeg -nostdin -loglevel error -y -i '%s' -fps_mode passthrough -f rawvideo -pix_fmt rgb24 '%s'", path,
             raw);
    assert_int_equal(system(command), 0);
    return read_bytes(raw, size);
}

/* What ffprobe says of a movie's stream, "width=64\n…". */
static const char *probe(const char *path, const char *entries)
{
    static char text[4096];
    char command[2400];
    snprintf(command, sizeof command, "ffprobe -v error -select_streams v:0 -show_entries %s -of default=nw=1 '%s'",
             entries, path);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    text[fread(text, 1, sizeof text - 1, pipe)] = '\0';
    assert_int_equal(pclose(pipe), 0);
    return text;
}

static int files_in_folder(void)
{
    char command[1200];
    snprintf(command, sizeof command, "ls -A '%s' | wc -l", support_folder());
    FILE *pipe = popen(command, "r");
    int n = -1;
    assert_int_equal(fscanf(pipe, "%d", &n), 1);
    pclose(pipe);
    return n;
}

/* (h, w), a bright column that walks. */
static sp_tensor *walking(int64_t h, int64_t w, int64_t at)
{
    sp_tensor *frame = sp_zeros(SP_DIMS(h, w));
    sp_fill_(sp_select(frame, 1, at % w), 1);
    return frame;
}

static void write_walk(const char *path, int n, double fps)
{
    sp_movie *movie = sp_movie_new(path, .fps = fps, .scale = 1);
    for (int i = 0; i < n; i++)
        SP_SCOPE {
            assert_int_equal(sp_movie_frame(movie, walking(16, 20, i)), SP_OK);
        }
    assert_int_equal(sp_movie_close(movie), SP_OK);
}

/* ---- GIF ---- */

static void test_gif_of_greys_is_exact(void **state)
{
    (void)state;
    if (!can_gif()) skip_because("this build has no cgif");
    const char *path = support_path("grey.gif");
    uint8_t levels[3][2][128];
    sp_movie *movie = sp_movie_new(path, .scale = 3);
    for (int k = 0; k < 3; k++)
        for (int i = 0; i < 256; i++) levels[k][i / 128][i % 128] = (uint8_t)(i * (k + 1));
    for (int k = 0; k < 3; k++)
        assert_int_equal(sp_movie_frame(movie, sp_from_data(levels[k], SP_DIMS(2, 128), .dtype = SP_U8)), SP_OK);
    assert_int_equal(access(path, F_OK), -1); /* not before all is there */
    assert_int_equal(sp_movie_close(movie), SP_OK);
    if (!have_ffmpeg()) skip_because("there is no ffmpeg to decode with");
    size_t size;
    const unsigned char *seen = decode(path, &size);
    assert_int_equal(size, 3 * 6 * 384 * 3);
    for (int k = 0; k < 3; k++)
        for (int y = 0; y < 6; y++)
            for (int x = 0; x < 384; x++)
                for (int c = 0; c < 3; c++) assert_int_equal(*seen++, levels[k][y / 3][x / 3]);
}

static void test_gif_loops_at_its_speed(void **state)
{
    (void)state;
    if (!can_gif()) skip_because("this build has no cgif");
    const char *path = support_path("loop.gif");
    write_walk(path, 30, 30);
    size_t size;
    const unsigned char *file = read_bytes(path, &size);
    assert_memory_equal(file, "GIF89a", 6);
    bool loops = false;
    int delays = 0, hundredths = 0;
    for (size_t i = 0; i + 20 < size; i++) {
        if (memcmp(file + i, "NETSCAPE2.0\3\1\0\0", 15) == 0) loops = true;
        if (file[i] != 0x21 || file[i + 1] != 0xf9 || file[i + 2] != 4 || file[i + 7] != 0) continue;
        delays++;
        hundredths += file[i + 4] | file[i + 5] << 8;
    }
    assert_true(loops);
    assert_int_equal(delays, 30);
    assert_int_equal(hundredths, 100); /* 3, 4, 3, 3, 4 …: not 90 */
    sp_movie *movie = sp_movie_new(path, .once = true);
    sp_movie_frame(movie, sp_zeros(SP_DIMS(4, 4)));
    assert_int_equal(sp_movie_close(movie), SP_OK);
    file = read_bytes(path, &size);
    for (size_t i = 0; i + 11 < size; i++) assert_memory_not_equal(file + i, "NETSCAPE2.0", 11);
}

/* Frames that do not change, and a single one. */
static void test_gif_of_equal_frames(void **state)
{
    (void)state;
    if (!can_gif() || !have_ffmpeg()) skip_because("it needs cgif and ffmpeg");
    for (int n = 1; n <= 3; n++) {
        const char *path = support_path("still.gif");
        sp_movie *movie = sp_movie_new(path);
        for (int i = 0; i < n; i++) assert_int_equal(sp_movie_frame(movie, sp_full(SP_DIMS(1, 28, 28), 0.5)), SP_OK);
        assert_int_equal(sp_movie_close(movie), SP_OK);
        size_t size;
        const unsigned char *seen = decode(path, &size);
        assert_true(size >= 280 * 280 * 3); /* 28 pixels are too small to see: ten a pixel */
        assert_int_equal(size % (280 * 280 * 3), 0);
        for (size_t i = 0; i < size; i++) assert_int_equal(seen[i], 128);
    }
}

static void test_gif_of_few_colours_is_exact(void **state)
{
    (void)state;
    if (!can_gif() || !have_ffmpeg()) skip_because("it needs cgif and ffmpeg");
    const char *path = support_path("colours.gif");
    uint8_t frame[3][16][16];
    for (int i = 0; i < 256; i++)
        for (int c = 0; c < 3; c++) frame[c][i / 16][i % 16] = (uint8_t)(c == 0 ? i : c == 1 ? 255 - i : i * 7);
    sp_movie *movie = sp_movie_new(path, .scale = 1);
    sp_movie_frame(movie, sp_from_data(frame, SP_DIMS(3, 16, 16), .dtype = SP_U8));
    assert_int_equal(sp_movie_close(movie), SP_OK);
    size_t size;
    const unsigned char *seen = decode(path, &size);
    assert_int_equal(size, 16 * 16 * 3);
    for (int i = 0; i < 256; i++)
        for (int c = 0; c < 3; c++) assert_int_equal(seen[3 * i + c], frame[c][i / 16][i % 16]);
}

/* 64 by 64 by frames: a plane through the colours, and a thin line of a colour that nothing else has. */
static sp_tensor *gradient(int k)
{
    static uint8_t frame[3][64][64];
    for (int y = 0; y < 64; y++)
        for (int x = 0; x < 64; x++) {
            bool line = x == 32 && k % 2 == 0;
            frame[0][y][x] = (uint8_t)(line ? 255 : 2 * y);
            frame[1][y][x] = (uint8_t)(line ? 0 : 2 * x);
            frame[2][y][x] = (uint8_t)(line ? 255 : 100 + k);
        }
    return sp_from_data(frame, SP_DIMS(3, 64, 64), .dtype = SP_U8);
}

static void test_gif_of_many_colours(void **state)
{
    (void)state;
    if (!can_gif() || !have_ffmpeg()) skip_because("it needs cgif and ffmpeg");
    const char *path = support_path("many.gif");
    sp_movie *movie = sp_movie_new(path, .scale = 1);
    for (int k = 0; k < 4; k++) assert_int_equal(sp_movie_frame(movie, gradient(k)), SP_OK);
    assert_int_equal(sp_movie_close(movie), SP_OK);
    size_t size;
    const unsigned char *seen = decode(path, &size);
    assert_int_equal(size, 4 * 64 * 64 * 3);
    double error = 0;
    for (int k = 0; k < 4; k++)
        for (int i = 0; i < 64 * 64; i++, seen += 3) {
            int y = i / 64, x = i % 64;
            bool line = x == 32 && k % 2 == 0;
            error += abs(seen[0] - (line ? 255 : 2 * y)) + abs(seen[1] - (line ? 0 : 2 * x));
            if (line) assert_true(seen[0] > 220 && seen[1] < 40 && seen[2] > 220);
        }
    assert_true(error / (4 * 64 * 64 * 2) < 3);
}

/* ---- MP4 and page ---- */

static void test_mp4(void **state)
{
    (void)state;
    if (!have_ffmpeg()) skip_because("there is no ffmpeg");
    const char *path = support_path("walk.mp4");
    write_walk(path, 12, 24);
    const char *about = probe(path, "stream=codec_name,width,height,pix_fmt,avg_frame_rate,nb_frames");
    assert_string_equal(about, "codec_name=h264\nwidth=20\nheight=16\npix_fmt=yuv420p\navg_frame_rate=24/1\n"
                               "nb_frames=12\n");
    size_t size;
    const unsigned char *seen = decode(path, &size);
    assert_int_equal(size, 12 * 16 * 20 * 3);
    for (int k = 0; k < 12; k++)
        for (int x = 0; x < 20; x++) {
            int level = seen[((k * 16 + 8) * 20 + x) * 3];
            assert_true(x == k ? level > 200 : level < 60);
        }
    /* faststart: the index comes before the pictures. */
    const unsigned char *file = read_bytes(path, &size);
    size_t moov = 0, mdat = 0;
    for (size_t i = 4; i + 4 < size; i++) {
        if (!moov && memcmp(file + i, "moov", 4) == 0) moov = i;
        if (!mdat && memcmp(file + i, "mdat", 4) == 0) mdat = i;
    }
    assert_true(moov > 0 && mdat > moov);
}

/* Sides that are odd gain a row or a column that repeats the last. */
static void test_mp4_of_odd_size(void **state)
{
    (void)state;
    if (!have_ffmpeg()) skip_because("there is no ffmpeg");
    const char *path = support_path("odd.mp4");
    sp_movie *movie = sp_movie_new(path, .fps = 12.5, .scale = 1);
    for (int k = 0; k < 3; k++) assert_int_equal(sp_movie_frame(movie, sp_ones(SP_DIMS(3, 15, 33))), SP_OK);
    assert_int_equal(sp_movie_close(movie), SP_OK);
    assert_string_equal(probe(path, "stream=width,height,avg_frame_rate"),
                        "width=34\nheight=16\navg_frame_rate=25/2\n");
    size_t size;
    const unsigned char *seen = decode(path, &size);
    for (size_t i = 0; i < size; i++) assert_true(seen[i] > 250);
}

static void test_mp4_has_the_colours(void **state)
{
    (void)state;
    if (!have_ffmpeg()) skip_because("there is no ffmpeg");
    static const double colours[][3] = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}, {0.8, 0.5, 0.2}};
    for (int k = 0; k < 4; k++) {
        const char *path = support_path("colour.mp4");
        sp_tensor *colour = sp_from_data(colours[k], SP_DIMS(3, 1, 1), .dtype = SP_F64);
        sp_movie *movie = sp_movie_new(path, .scale = 1);
        assert_int_equal(sp_movie_frame(movie, sp_expand(colour, 3, 32, 32)), SP_OK);
        assert_int_equal(sp_movie_close(movie), SP_OK);
        size_t size;
        const unsigned char *seen = decode(path, &size);
        for (int c = 0; c < 3; c++) assert_close(seen[3 * 500 + c], colours[k][c] * 255, 6);
    }
}

/* The page holds the same bytes as the MP4. */
static void test_page(void **state)
{
    (void)state;
    if (!have_ffmpeg()) skip_because("there is no ffmpeg");
    const char *path = support_path("walk.html");
    sp_movie *movie = sp_movie_new(path, .fps = 24, .scale = 1, .title = "a <b> & c");
    for (int i = 0; i < 12; i++) assert_int_equal(sp_movie_frame(movie, walking(16, 20, i)), SP_OK);
    assert_int_equal(sp_movie_close(movie), SP_OK);
    size_t size;
    char *page = (char *)read_bytes(path, &size);
    page[size] = '\0';
    assert_non_null(strstr(page, "<title>a &lt;b&gt; &amp; c</title>"));
    assert_non_null(strstr(page, " loop src=\"data:video/mp4;base64,"));
    assert_non_null(strstr(page, "\"></video>"));
    char command[2400];
    snprintf(command, sizeof command, "sed -n 's/.*base64,\\([^\"]*\\)\".*/\\1/p' '%s' | base64 -d >'%s'", path,
             support_path("inside.mp4"));
    assert_int_equal(system(command), 0);
    assert_string_equal(probe(support_path("inside.mp4"), "stream=width,nb_frames"), "width=20\nnb_frames=12\n");
}

/* ---- frames ---- */

static void test_frames_of_all_kinds(void **state)
{
    (void)state;
    if (!can_gif() || !have_ffmpeg()) skip_because("it needs cgif and ffmpeg");
    const char *path = support_path("kinds.gif");
    const double values[] = {-1, 0, 0.5, 1, 7, (double)NAN, 0.002, (double)INFINITY};
    const uint8_t levels[] = {0, 0, 128, 255, 255, 0, 1, 255};
    sp_tensor *f64 = sp_from_data(values, SP_DIMS(2, 4), .dtype = SP_F64);
    sp_tensor *u8 = sp_from_data(levels, SP_DIMS(4, 2), .dtype = SP_U8);
    sp_movie *movie = sp_movie_new(path, .scale = 1);
    assert_int_equal(sp_movie_frame(movie, f64), SP_OK);
    assert_int_equal(sp_movie_frame(movie, sp_unsqueeze(sp_cast(f64, SP_F32), 0)), SP_OK);
    assert_int_equal(sp_movie_frame(movie, sp_requires_grad(sp_cast(f64, SP_F32))), SP_OK);
    assert_int_equal(sp_movie_frame(movie, sp_view(u8, 2, 4)), SP_OK);
    assert_int_equal(sp_movie_frame(movie, sp_t(sp_contiguous(sp_t(sp_view(u8, 2, 4))))), SP_OK);
    assert_int_equal(sp_movie_close(movie), SP_OK);
    size_t size;
    const unsigned char *seen = decode(path, &size);
    assert_true(size >= 24);
    for (size_t i = 0; i < size; i++) assert_int_equal(seen[i], levels[i / 3 % 8]);
}

static void test_what_is_no_frame(void **state)
{
    (void)state;
    if (!can_gif()) skip_because("this build has no cgif");
    sp_movie *movie = sp_movie_new(support_path("no.gif"));
    sp_movie_frame(movie, sp_zeros(SP_DIMS(5)));
    assert_error(SP_ERROR_SHAPE, "has 1 dimensions, the first of size 5");
    sp_movie_frame(movie, sp_zeros(SP_DIMS(2, 5, 5)));
    assert_error(SP_ERROR_SHAPE, "3 dimensions, the first of size 2");
    sp_movie_frame(movie, sp_zeros(SP_DIMS(0, 5)));
    assert_error(SP_ERROR_SHAPE, "no pixel");
    sp_movie_frame(movie, sp_zeros(SP_DIMS(4, 5), .dtype = SP_I64));
    assert_error(SP_ERROR_DTYPE, "uint8 or floating, not int64");
    sp_movie_frame(movie, sp_zeros(SP_DIMS(1, 9000)));
    assert_error(SP_ERROR_SHAPE, "at most 8192 rows and columns, not 1 by 9000");
    assert_int_equal(sp_movie_frame(movie, sp_zeros(SP_DIMS(4, 5))), SP_OK);
    sp_movie_frame(movie, sp_zeros(SP_DIMS(5, 4)));
    assert_error(SP_ERROR_SHAPE, "frame 1 is (1, 5, 4), those before it are (1, 4, 5)");
    sp_movie_frame(movie, sp_zeros(SP_DIMS(3, 4, 5)));
    assert_error(SP_ERROR_SHAPE, "frame 1 is (3, 4, 5)");
    assert_int_equal(sp_movie_close(movie), SP_OK); /* what was refused did no harm */
    sp_movie_frame(movie, sp_zeros(SP_DIMS(4, 5)));
    assert_error(SP_ERROR_STATE, "is closed");
    sp_movie_close(movie);
    assert_error(SP_ERROR_STATE, "is closed already");
}

static void test_what_is_no_movie(void **state)
{
    (void)state;
    assert_null(sp_movie_new("morph.avi"));
    assert_error(SP_ERROR_ARGUMENT, "ends in .gif, .mp4 or .html, not as 'morph.avi'");
    assert_null(sp_movie_new("a.gif/morph"));
    assert_error(SP_ERROR_ARGUMENT, "ends in");
    assert_null(sp_movie_new("folder/.gif"));
    assert_error(SP_ERROR_ARGUMENT, "ends in");
    assert_null(sp_movie_new("m.gif", .fps = 51));
    assert_error(SP_ERROR_ARGUMENT, "a GIF has 0.01 to 50 frames a second, not 51");
    assert_null(sp_movie_new("m.mp4", .fps = -1));
    assert_error(SP_ERROR_ARGUMENT, "an MP4 has 0.01 to 240 frames a second, not -1");
    assert_null(sp_movie_new("m.mp4", .fps = (double)NAN));
    assert_error(SP_ERROR_ARGUMENT, "frames a second, not nan");
    assert_null(sp_movie_new("m.mp4", .scale = 65));
    assert_error(SP_ERROR_ARGUMENT, "scale is 1 to 64, not 65");
    sp_movie_close(sp_movie_new(support_path("none.mp4")));
    assert_error(SP_ERROR_STATE, "it has no frame");
}

/* ---- failures ---- */

static char *search_path(void)
{
    const char *path = getenv("PATH");
    return strdup(path ? path : "");
}

static void test_without_ffmpeg(void **state)
{
    (void)state;
    sp_movie *movie = sp_movie_new(support_path("m.mp4"));
    char *path = search_path();
    setenv("PATH", "/nonexistent", 1);
    sp_status status = sp_movie_frame(movie, sp_zeros(SP_DIMS(4, 4)));
    setenv("PATH", path, 1);
    free(path);
    assert_int_equal(status, SP_ERROR_NOT_FOUND);
    assert_error(SP_ERROR_NOT_FOUND, "m.mp4 was not written: ffmpeg is not installed");
    sp_movie_frame(movie, sp_zeros(SP_DIMS(4, 4)));
    assert_error(SP_ERROR_STATE, "failed at a frame before");
    sp_movie_close(movie);
    assert_error(SP_ERROR_STATE, "m.mp4 was not written: a frame of it failed");
    assert_int_equal(files_in_folder(), 0);
}

/* An ffmpeg of our own, in front of the search path; the former path comes back with restore_path. */
static char *put_in_front(const char *script_text)
{
    const char *script = support_path("ffmpeg");
    char text[1200];
    FILE *file = fopen(script, "w");
    fputs(script_text, file);
    fclose(file);
    snprintf(text, sizeof text, "chmod +x '%s'", script);
    assert_int_equal(system(text), 0);
    char *path = search_path();
    snprintf(text, sizeof text, "%s:%s", support_folder(), path);
    setenv("PATH", text, 1);
    return path;
}

static void restore_path(char *path)
{
    setenv("PATH", path, 1);
    free(path);
}

/* It dies while it is fed: an error with its words, and no SIGPIPE. */
static void test_ffmpeg_that_dies(void **state)
{
    (void)state;
    char *path = put_in_front("#!/bin/sh\necho 'Unknown   encoder\nlibx264' >&2\nexit 7\n");
    sp_movie *movie = sp_movie_new(support_path("m.mp4"), .scale = 1);
    sp_status status = SP_OK;
    for (int i = 0; i < 100 && status == SP_OK; i++)
        SP_SCOPE {
            status = sp_movie_frame(movie, sp_zeros(SP_DIMS(200, 200)));
        }
    restore_path(path);
    assert_int_equal(status, SP_ERROR_IO);
    assert_error(SP_ERROR_IO, "ffmpeg failed (status 7): Unknown encoder libx264");
    sp_movie_close(movie);
    assert_error(SP_ERROR_STATE, "a frame of it failed");
    sigset_t pending;
    sigpending(&pending);
    assert_int_equal(sigismember(&pending, SIGPIPE), 0);
    assert_int_equal(files_in_folder(), 1); /* the script */
}

static void test_ffmpeg_that_fails_at_the_end(void **state)
{
    (void)state;
    const char *old = support_path("old.mp4");
    assert_int_equal(sp_save_bytes("old", 3, old), SP_OK);
    for (int code = 0; code < 2; code++) {
        char *path = put_in_front(code ? "#!/bin/sh\ncat >/dev/null\nexit 1\n" : "#!/bin/sh\nexec cat >/dev/null\n");
        sp_movie *movie = sp_movie_new(old);
        assert_int_equal(sp_movie_frame(movie, sp_zeros(SP_DIMS(4, 4))), SP_OK);
        assert_int_equal(sp_movie_close(movie), SP_ERROR_IO);
        restore_path(path);
        assert_error(SP_ERROR_IO, code ? "ffmpeg failed (status 1): it does not say why" : "wrote nothing");
    }
    size_t size;
    assert_memory_equal(read_bytes(old, &size), "old", 3);
    assert_int_equal(size, 3);
}

static void test_never_closed(void **state)
{
    (void)state;
    SP_SCOPE {
        sp_movie *gif = can_gif() ? sp_movie_new(support_path("m.gif")) : NULL;
        if (gif) sp_movie_frame(gif, sp_zeros(SP_DIMS(4, 4)));
        if (have_ffmpeg()) sp_movie_frame(sp_movie_new(support_path("m.mp4")), sp_zeros(SP_DIMS(4, 4)));
    }
    assert_int_equal(files_in_folder(), 0);
}

static void test_full_disk(void **state)
{
    (void)state;
    if (access("/dev/full", W_OK) != 0) skip_because("there is no /dev/full");
    if (!can_gif()) skip_because("this build has no cgif");
    const char *path = support_path("full.gif");
    assert_int_equal(symlink("/dev/full", path), 0);
    sp_movie *movie = sp_movie_new(path);
    sp_movie_frame(movie, sp_zeros(SP_DIMS(4, 4)));
    assert_int_equal(sp_movie_close(movie), SP_ERROR_IO);
    assert_error(SP_ERROR_IO, "No space left on device");
    movie = sp_movie_new(support_path("no/where.gif"));
    sp_movie_frame(movie, sp_zeros(SP_DIMS(4, 4)));
    sp_movie_close(movie);
    assert_error(SP_ERROR_IO, "No such file or directory");
}

static bool make_gif(void *context)
{
    sp_movie *movie = sp_movie_new(context, .scale = 1);
    for (int k = 0; movie && k < 2; k++)
        if (sp_movie_frame(movie, gradient(k)) != SP_OK) return false;
    return sp_movie_close(movie) == SP_OK;
}

static void test_each_allocation_fails(void **state)
{
    (void)state;
    if (!can_gif()) skip_because("this build has no cgif");
    char path[1024];
    snprintf(path, sizeof path, "%s", support_path("m.gif"));
    assert_true(support_fail_each_allocation(make_gif, path) > 10);
    if (!have_ffmpeg()) return;
    snprintf(path, sizeof path, "%s", support_path("m.mp4"));
    assert_true(support_fail_each_allocation(make_gif, path) > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        sp_test(test_gif_of_greys_is_exact),
        sp_test(test_gif_loops_at_its_speed),
        sp_test(test_gif_of_equal_frames),
        sp_test(test_gif_of_few_colours_is_exact),
        sp_test(test_gif_of_many_colours),
        sp_test(test_mp4),
        sp_test(test_mp4_of_odd_size),
        sp_test(test_mp4_has_the_colours),
        sp_test(test_page),
        sp_test(test_frames_of_all_kinds),
        sp_test(test_what_is_no_frame),
        sp_test(test_what_is_no_movie),
        sp_test(test_without_ffmpeg),
        sp_test(test_ffmpeg_that_dies),
        sp_test(test_ffmpeg_that_fails_at_the_end),
        sp_test(test_never_closed),
        sp_test(test_full_disk),
        sp_test(test_each_allocation_fails),
    };
    return sp_test_main(tests);
}
