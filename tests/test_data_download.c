/* Downloads, from a server of the test's own on the loopback (data/server.py). */
#include "data/data_test.h"
#include "data/files.h"
#ifdef SP_HAVE_ZLIB
#include <zlib.h>
#endif
#include <dirent.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define NAME "file.gz"

static pid_t server;
static int port;
static char served[1024], cache[1100], mirrors[6][128];
static char right[SP__SHA256_TEXT]; /* sum of the file */

/* ---- the server ---- */

static void run_server(int out)
{
    char script[1200];
    snprintf(script, sizeof script, "%s/data/server.py", SP_TEST_DIR);
    dup2(out, STDOUT_FILENO);
    execlp("python3", "python3", script, served, (char *)NULL);
    _exit(127);
}

/* Starts it and reads its port; false when there is no Python. */
static bool start_server(void)
{
    int ends[2];
    char text[16] = "";
    assert_int_equal(pipe(ends), 0);
    server = fork();
    if (!server) run_server(ends[1]);
    close(ends[1]);
    for (size_t n = 0; n + 1 < sizeof text && read(ends[0], text + n, 1) == 1 && text[n] != '\n';) n++;
    close(ends[0]);
    port = atoi(text);
    return port > 0;
}

static int stop_server(void **state)
{
    if (server > 0) {
        kill(server, SIGTERM);
        waitpid(server, NULL, 0);
    }
    server = 0;
    return support_teardown(state);
}

/* The file that is served, and its checksum; the temporary folder is made anew for each test. */
static int prepare(void **state)
{
    int result = isolated(state);
    snprintf(served, sizeof served, "%s", support_path("served"));
    snprintf(cache, sizeof cache, "%s", support_path("cache/deep"));
    mkdir(served, 0777);
    char bytes[20000], path[1200];
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (char)(i * i >> 3);
    snprintf(path, sizeof path, "%s/" NAME, served);
    write_file(path, bytes, sizeof bytes);
    sp__sha256 *sum = sp__sha256_new();
    sp__sha256_add(sum, bytes, sizeof bytes);
    sp__sha256_end(sum, right);
    setenv("SPUSK_DOWNLOAD_TIMEOUT", "2", 1);
    return result;
}
#define download_test(function) cmocka_unit_test_setup_teardown(function, prepare, stop_server)

/* Skips the test where there can be no download. */
#if defined(SP_HAVE_CURL) && defined(SP_HAVE_CRYPTO)
#define need_server()                                                                                                  \
    do {                                                                                                               \
        if (!start_server()) skip_because("no python3 to serve files");                                                \
    } while (0)
#else
#define need_server() skip_because("this build downloads nothing")
#endif

static int files_in(const char *folder)
{
    int n = 0;
    DIR *entries = opendir(folder);
    if (!entries) return 0;
    for (struct dirent *entry; (entry = readdir(entries));)
        n += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(entries);
    return n;
}

/* Downloads from mirrors of the test's server, each named by how it serves. */
static bool download(const sp__remote *file, const char *const *ways, sp__note *troubles)
{
    const char *list[7] = {NULL};
    for (int i = 0; ways[i]; i++) {
        snprintf(mirrors[i], sizeof mirrors[i], "http://127.0.0.1:%d/%s%s", port, ways[i], i % 2 ? "/" : "");
        list[i] = mirrors[i];
    }
    return sp__download(file, list, cache, true, troubles);
}
#define WAYS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void check_arrived(void)
{
    char path[1200], text[SP__SHA256_TEXT], bytes[20000];
    snprintf(path, sizeof path, "%s/" NAME, cache);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fread(bytes, 1, sizeof bytes, file), sizeof bytes);
    assert_int_equal(fgetc(file), EOF);
    assert_int_equal(fclose(file), 0);
    sp__sha256 *sum = sp__sha256_new();
    sp__sha256_add(sum, bytes, sizeof bytes);
    sp__sha256_end(sum, text);
    assert_string_equal(text, right);
    assert_int_equal(files_in(cache), 1);
    assert_int_equal(unlink(path), 0);
}

/* ---- mirrors of all kinds ---- */

static void test_good_mirror(void **state)
{
    (void)state;
    need_server();
    sp__remote file = {NAME, right, NULL, 0};
    sp__note troubles = {0};
    assert_true(download(&file, WAYS("good"), &troubles));
    assert_int_equal(troubles.length, 0);
    check_arrived();
    assert_true(download(&file, WAYS("moved"), &troubles));
    check_arrived();
}

static void test_each_bad_mirror(void **state)
{
    (void)state;
    static const struct {
        const char *way, *words;
    } bad[] = {
        {"absent", "404"},
        {"broken", "wrong checksum of the 20000 bytes"},
        {"short", "wrong checksum of the 10000 bytes"},
        {"cut", "10000"},
        {"slow", "too slow"},
        {"trickle", "too slow"}, /* which would bring MNIST in three quarters of an hour */
    };
    need_server();
    sp__remote file = {NAME, right, NULL, 0};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        sp__note troubles = {0};
        assert_false(download(&file, WAYS(bad[i].way), &troubles));
        if (!strstr(troubles.text, bad[i].words)) fail_msg("%s: %s", bad[i].way, troubles.text);
        assert_int_equal(files_in(cache), 0);
    }
    assert_no_error();
}

/* What goes on unpacking beyond the length that the content can have is not unpacked to its end, whatever its checksum:
 * a file of 64 MB may hold as many GB of zeros. */
static void test_gzip_bomb(void **state)
{
    (void)state;
#ifndef SP_HAVE_ZLIB
    skip_because("this build has no zlib");
#else
    need_server();
    enum { ZEROS = 1 << 20 };
    char path[1200], content[SP__SHA256_TEXT];
    char *zeros = calloc(1, ZEROS);
    assert_non_null(zeros);
    snprintf(path, sizeof path, "%s/" NAME, served);
    gzFile to = gzopen(path, "wb9");
    assert_int_equal(gzwrite(to, zeros, ZEROS), ZEROS);
    assert_int_equal(gzclose(to), Z_OK);
    sp__sha256 *sum = sp__sha256_new();
    sp__sha256_add(sum, zeros, ZEROS);
    sp__sha256_end(sum, content);
    free(zeros);
    sp__remote file = {NAME, right, content, ZEROS};
    sp__note troubles = {0};
    assert_true(download(&file, WAYS("good"), &troubles));
    snprintf(path, sizeof path, "%s/" NAME, cache);
    assert_int_equal(unlink(path), 0);
    file.bytes = ZEROS / 4;
    assert_false(download(&file, WAYS("good"), &troubles));
    assert_non_null(strstr(troubles.text, "wrong checksum"));
#endif
}

static void test_mirrors_in_turn(void **state)
{
    (void)state;
    need_server();
    sp__remote file = {NAME, right, NULL, 0};
    sp__note troubles = {0};
    assert_true(download(&file, WAYS("absent", "broken", "cut", "short", "good"), &troubles));
    check_arrived();
    int named = 0;
    for (const char *at = troubles.text; (at = strstr(at, "http://")); at++) named++;
    assert_int_equal(named, 4);
}

static void test_nobody_answers(void **state)
{
    (void)state;
    need_server();
    stop_server(state);
    prepare(state);
    sp__remote file = {NAME, right, NULL, 0};
    sp__note troubles = {0};
    assert_false(download(&file, WAYS("good"), &troubles));
    assert_true(troubles.length > 0);
    assert_int_equal(files_in(cache), 0);
}

static void test_folder_that_cannot_be_made(void **state)
{
    (void)state;
    need_server();
    sp__remote file = {NAME, right, NULL, 0};
    sp__note troubles = {0};
    snprintf(cache, sizeof cache, "%s/" NAME "/below", served);
    assert_false(download(&file, WAYS("good"), &troubles));
    assert_non_null(strstr(troubles.text, "cannot be made: Not a directory"));
}

static void test_full_disk(void **state)
{
    (void)state;
    need_server();
    sp__remote file = {NAME, right, NULL, 0};
    sp__note troubles = {0};
    struct rlimit before, small;
    getrlimit(RLIMIT_FSIZE, &before);
    small = (struct rlimit){5000, before.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    bool good = download(&file, WAYS("good"), &troubles);
    setrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, SIG_DFL);
    assert_false(good);
    assert_non_null(strstr(troubles.text, "cannot be written: File too large"));
    assert_int_equal(files_in(cache), 0);
}

/* Several processes at once: each ends with the whole file there. */
static void test_several_processes(void **state)
{
    (void)state;
    need_server();
    pid_t children[4];
    sp__remote file = {NAME, right, NULL, 0};
    for (int i = 0; i < 4; i++) {
        children[i] = fork();
        if (children[i]) continue;
        sp__note troubles = {0};
        _exit(!download(&file, WAYS("broken", "good"), &troubles));
    }
    for (int i = 0; i < 4; i++) {
        int status;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
    check_arrived();
}

/* Whoever is killed meanwhile leaves nothing: a part that stays would stay for ever. */
static void test_killed(void **state)
{
    (void)state;
    need_server();
    sp__remote file = {NAME, right, NULL, 0};
    sp__note troubles = {0};
    pid_t child = fork();
    if (!child) _exit(!download(&file, WAYS("slow"), &troubles));
    usleep(700000); /* the server sends a few bytes, and waits */
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    assert_int_equal(files_in(cache), 0);
    assert_true(download(&file, WAYS("good"), &troubles));
    check_arrived();
}

/* ---- the whole way ---- */

/* MNIST as the repository's neighbour has it: packed anew, so that its content's checksum decides. */
static void test_mnist_from_mirrors(void **state)
{
    (void)state;
    const char *real = real_mnist();
    if (!real) skip_because("no MNIST to serve");
    need_server();
    stop_server(state);
    prepare(state);
    snprintf(served, sizeof served, "%s", real);
    assert_true(start_server());
    char list[300];
    snprintf(list, sizeof list, "http://127.0.0.1:%d/absent, http://127.0.0.1:%d/broken\thttp://127.0.0.1:%d/good/",
             port, port, port);
    setenv("SPUSK_MIRRORS", list, 1);
    sp_dataset *data = sp_data_mnist(NULL, .test = true, .quiet = true);
    assert_int_equal(sp_data_length(data), 10000);
    assert_int_equal(files_in(support_path("cache/spusk/mnist")), 2);
    assert_null(sp_data_fashion_mnist(NULL, .test = true, .quiet = true));
    assert_error(SP_ERROR_NOT_FOUND, "/good/: wrong checksum of the");
    assert_int_equal(files_in(support_path("cache/spusk/fashion-mnist")), 0);
    setenv("SPUSK_MIRRORS", "http://127.0.0.1:9", 1);
    assert_int_equal(sp_data_length(sp_data_mnist("", .test = true, .quiet = true)), 10000); /* from the cache */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        download_test(test_good_mirror),    download_test(test_each_bad_mirror),
        download_test(test_gzip_bomb),      download_test(test_mirrors_in_turn),
        download_test(test_nobody_answers), download_test(test_folder_that_cannot_be_made),
        download_test(test_full_disk),      download_test(test_several_processes),
        download_test(test_killed),         download_test(test_mnist_from_mirrors),
    };
    return sp_test_main(tests);
}
