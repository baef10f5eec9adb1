/* Files are whole or not there, wherever they are written: killed processes, full disks, links, pipes, long names. */
#include "support/support.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spusk/spusk.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int count_files(const char *beginning)
{
    DIR *folder = opendir(support_folder());
    assert_non_null(folder);
    int n = 0;
    for (const struct dirent *entry; (entry = readdir(folder));)
        n += entry->d_name[0] != '\0' && strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
             strncmp(entry->d_name, beginning, strlen(beginning)) == 0;
    closedir(folder);
    return n;
}

static void touch(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    assert_true(fd >= 0);
    close(fd);
}

static bool holds(const char *path, const char *text)
{
    char bytes[64] = "";
    FILE *file = fopen(path, "rb");
    if (!file) return false;
    size_t n = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    return n == strlen(text) && memcmp(bytes, text, n) == 0;
}

static sp_status save(const char *path)
{
    return sp_save_bytes("new", 3, path);
}

/* ---- what killed processes left ---- */

static void test_leftovers_go(void **state)
{
    (void)state;
    char name[64];
    for (int i = 0; i < 1500; i++) {
        snprintf(name, sizeof name, ".spusk-%ld-%d.tmp", (long)getpid(), i);
        touch(support_path(name));
    }
    assert_int_equal(save(support_path("a.bin")), SP_OK);
    assert_true(holds(support_path("a.bin"), "new"));
    assert_int_equal(count_files(""), 1);
}

/* Somebody writes it: it stays until nobody does. Other things of such a name are not ours. */
static void test_living_files_stay(void **state)
{
    (void)state;
    int fd = open(support_path(".spusk-0123456789abcdef.tmp"), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
    assert_int_equal(mkdir(support_path(".spusk-folder.tmp"), 0777), 0);
    assert_int_equal(mkfifo(support_path(".spusk-pipe.tmp"), 0666), 0);
    touch(support_path("mine"));
    assert_int_equal(symlink("mine", support_path(".spusk-link.tmp")), 0);
    touch(support_path(".spusk-.tmpx"));
    assert_int_equal(save(support_path("a.bin")), SP_OK);
    assert_int_equal(count_files(".spusk-"), 5);
    close(fd);
    assert_int_equal(save(support_path("a.bin")), SP_OK);
    assert_int_equal(count_files(".spusk-"), 4);
    assert_int_equal(access(support_path("mine"), F_OK), 0);
}

/* Many at once into one folder take nothing away from each other. */
static void test_writers_beside_each_other(void **state)
{
    (void)state;
    enum { WRITERS = 4, TIMES = 100 };
    pid_t writers[WRITERS];
    char path[1024];
    for (int w = 0; w < WRITERS; w++) {
        snprintf(path, sizeof path, "%s/%d.bin", support_folder(), w);
        writers[w] = fork();
        if (writers[w] > 0) continue;
        int failed = 0;
        for (int i = 0; i < TIMES; i++) failed += save(path) != SP_OK;
        _exit(failed > 0);
    }
    for (int w = 0; w < WRITERS; w++) {
        int status = -1;
        waitpid(writers[w], &status, 0);
        assert_int_equal(status, 0);
    }
    assert_int_equal(count_files(""), WRITERS);
}

enum { LARGE = 1 << 20 };

static void save_for_ever(void)
{
    static char bytes[LARGE];
    char path[1024], chart[1024];
    snprintf(path, sizeof path, "%s/a.bin", support_folder());
    snprintf(chart, sizeof chart, "%s/a.svg", support_folder());
    sp_series *series = sp_series_new("s");
    for (int i = 0; i < 2000; i++) sp_series_push(series, i);
    for (int i = 0;; i++) {
        memset(bytes, i, sizeof bytes);
        sp_save_bytes(bytes, sizeof bytes, path);
        if (i % 4 == 0) sp_plot_lines(chart, series), sp_error_clear();
    }
}

/* The file is absent, or ends as it must. */
static void check_whole(const char *name, int64_t size, const char *end)
{
    char tail[16] = "";
    struct stat about;
    FILE *file = fopen(support_path(name), "rb");
    if (!file) return;
    assert_int_equal(fstat(fileno(file), &about), 0);
    if (size > 0) assert_int_equal(about.st_size, size);
    long n = (long)strlen(end);
    assert_int_equal(fseek(file, -n, SEEK_END), 0);
    assert_int_equal(fread(tail, 1, (size_t)n, file), n);
    fclose(file);
    assert_string_equal(tail, end);
}

static void test_killed_at_any_moment(void **state)
{
    (void)state;
    unsigned chance = 1;
    for (int kills = 0; kills < 25; kills++) {
        pid_t writer = fork();
        if (writer == 0) save_for_ever();
        chance = chance * 1103515245u + 12345u;
        usleep(2000 + (chance >> 8) % 60000);
        kill(writer, SIGKILL);
        waitpid(writer, NULL, 0);
        check_whole("a.bin", LARGE, "");
        check_whole("a.svg", 0, "</svg>\n\n");
        check_whole("a.dat", 0, "1999 1999\n\n\n");
        check_whole("a.gp", 0, "title 's'\n");
    }
    assert_int_equal(save(support_path("b.bin")), SP_OK);
    assert_int_equal(count_files(".spusk-"), 0);
}

/* ---- links ---- */

static void test_links_stay(void **state)
{
    (void)state;
    struct stat about;
    assert_int_equal(mkdir(support_path("far"), 0777), 0);
    assert_int_equal(symlink("far/second", support_path("first")), 0);
    assert_int_equal(symlink("third", support_path("far/second")), 0);
    for (int there = 0; there < 2; there++) {
        assert_int_equal(sp_save_check(support_path("first")), SP_OK);
        assert_int_equal(access(support_path("far/third"), F_OK), there ? 0 : -1);
        assert_int_equal(save(support_path("first")), SP_OK);
        assert_true(holds(support_path("far/third"), "new"));
        assert_int_equal(lstat(support_path("first"), &about), 0);
        assert_true(S_ISLNK(about.st_mode));
        assert_int_equal(lstat(support_path("far/second"), &about), 0);
        assert_true(S_ISLNK(about.st_mode));
    }
}

static void test_links_to_nothing(void **state)
{
    (void)state;
    assert_int_equal(symlink("no/where", support_path("lost")), 0);
    assert_int_equal(save(support_path("lost")), SP_ERROR_IO);
    assert_error(SP_ERROR_IO, "no/where: No such file or directory");
    assert_int_equal(symlink("round", support_path("round")), 0);
    assert_int_equal(save(support_path("round")), SP_ERROR_IO);
    assert_error(SP_ERROR_IO, strerror(ELOOP));
    assert_int_equal(count_files(""), 2);
}

/* ---- what is no file ---- */

static void test_pipes(void **state)
{
    (void)state;
    const char *path = support_path("pipe");
    char bytes[8] = "";
    assert_int_equal(mkfifo(path, 0666), 0);
    assert_int_equal(save(path), SP_ERROR_IO);
    assert_error(SP_ERROR_IO, "it is a pipe that nobody reads");
    assert_int_equal(sp_save_check(path), SP_ERROR_IO);
    assert_error(SP_ERROR_IO, "it is a pipe that nobody reads");
    int reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    assert_int_equal(save(path), SP_OK);
    assert_int_equal(read(reader, bytes, sizeof bytes), 3);
    assert_string_equal(bytes, "new");
    close(reader);
    assert_int_equal(count_files(""), 1);
}

static void test_what_is_no_file(void **state)
{
    (void)state;
    char path[1100];
    assert_int_equal(save(support_folder()), SP_ERROR_IO);
    assert_error(SP_ERROR_IO, strerror(EISDIR));
    snprintf(path, sizeof path, "%s/no/", support_folder());
    assert_int_equal(save(path), SP_ERROR_IO);
    assert_error(SP_ERROR_IO, "cannot write");
    assert_int_equal(save("/dev/null"), SP_OK);
    assert_int_equal(sp_save_check("/dev/null"), SP_OK);
    assert_int_equal(sp_save_check(""), SP_ERROR_ARGUMENT);
    assert_error(SP_ERROR_ARGUMENT, "needs a name");
    assert_int_equal(count_files(""), 0);
}

/* ---- long names ---- */

/* A path of that length whose folders are there. */
static void make_long(char *path, size_t length)
{
    size_t used = (size_t)snprintf(path, PATH_MAX, "%s", support_folder());
    while (used + 4 < length) {
        size_t n = length - used - 3 < 200 ? length - used - 3 : 200;
        path[used] = '/';
        memset(path + used + 1, 'd', n);
        path[used += n + 1] = '\0';
        assert_int_equal(mkdir(path, 0777), 0);
    }
    memcpy(path + used, "/a", sizeof "/a");
    assert_true(strlen(path) <= length && strlen(path) + 3 > length);
}

static void test_long_names(void **state)
{
    (void)state;
    static char path[PATH_MAX + 300];
    make_long(path, PATH_MAX - 2);
    assert_int_equal(sp_save_check(path), SP_OK);
    assert_int_equal(save(path), SP_OK);
    assert_true(holds(path, "new"));
    memset(path + strlen(path), 'a', 200);
    assert_int_equal(save(path), SP_ERROR_IO);
    assert_error(SP_ERROR_IO, strerror(ENAMETOOLONG));
}

/* ---- a limit on the size of files, which a full disk resembles ---- */

static sp_status save_tensors(const char *path)
{
    return sp_save_state(sp_nn_linear(100, 100), path);
}

static sp_status save_picture(const char *path)
{
    return sp_save_png(sp_rand(SP_DIMS(200, 200)), path);
}

static sp_status save_grid(const char *path)
{
    return sp_plot_images(path, sp_rand(SP_DIMS(4, 50, 50)));
}

static sp_status save_chart(const char *path)
{
    sp_series *series = sp_series_new("s");
    for (int i = 0; i < 2000; i++) sp_series_push(series, i);
    return sp_plot_lines(path, series);
}

static sp_status save_scatter(const char *path)
{
    return sp_plot_scatter(path, sp_randn(SP_DIMS(500, 2)), SP_NONE);
}

static sp_status save_movie(const char *path)
{
    sp_movie *movie = sp_movie_new(path, .scale = 1);
    for (int i = 0; movie && i < 3; i++) sp_movie_frame(movie, sp_rand(SP_DIMS(100, 100)));
    return movie ? sp_movie_close(movie) : sp_error_status();
}

static const struct {
    const char *name;
    sp_status (*save)(const char *path);
} writers[] = {
    {"a.safetensors", save_tensors}, {"a.png", save_picture},   {"grid.png", save_grid},
    {"chart.svg", save_chart},       {"chart.png", save_chart}, {"chart.pdf", save_chart},
    {"scatter.svg", save_scatter},   {"a.gif", save_movie},     {"a.mp4", save_movie},
    {"a.html", save_movie},
};

/* An error, never the end of the process; and an older file stays as it was. */
static void test_limit_on_sizes(void **state)
{
    (void)state;
    struct rlimit old, limit;
    static const rlim_t sizes[] = {0, 100, 900, 2500};
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    for (size_t w = 0; w < sizeof writers / sizeof *writers; w++) {
        assert_int_equal(sp_save_bytes("old", 3, support_path(writers[w].name)), SP_OK);
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
            SP_SCOPE {
                limit = (struct rlimit){sizes[i], old.rlim_max};
                assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
                sp_status status = writers[w].save(support_path(writers[w].name));
                assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
                if (status == SP_OK) fail_msg("%s of at most %d bytes", writers[w].name, (int)sizes[i]);
                assert_true(support_reports() > 0);
                sp_error_clear();
                if (!holds(support_path(writers[w].name), "old")) fail_msg("%s is not the old one", writers[w].name);
            }
    }
    sigset_t waiting;
    sigpending(&waiting);
    assert_int_equal(sigismember(&waiting, SIGXFSZ), 0);
    assert_int_equal(count_files(".spusk-"), 0);
}

static void test_paths_of_one_file(void **state)
{
    (void)state;
    char folder[PATH_MAX], round_about[PATH_MAX];
    assert_int_equal(mkdir(support_path("deep"), 0777), 0);
    assert_int_equal(symlink("deep/new", support_path("link")), 0);
    assert_int_equal(symlink("deep", support_path("folder")), 0);
    snprintf(folder, sizeof folder, "%s/folder/new", support_folder());
    snprintf(round_about, sizeof round_about, "%s/deep/../deep/new", support_folder());
    for (int there = 0; there < 2; there++) {
        assert_true(sp_save_same_file(support_path("link"), folder));
        assert_true(sp_save_same_file(round_about, folder));
        assert_false(sp_save_same_file(support_path("new"), folder));
        assert_false(sp_save_same_file(support_path("no/new"), folder));
        if (!there) assert_int_equal(save(folder), SP_OK);
    }
    assert_true(sp_save_same_file("no/new", "no/new"));
    assert_no_error();
    assert_int_equal(unlink(folder) | unlink(support_path("link")) | unlink(support_path("folder")), 0);
    assert_int_equal(rmdir(support_path("deep")), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        sp_test(test_leftovers_go),
        sp_test(test_living_files_stay),
        sp_test(test_writers_beside_each_other),
        sp_test(test_killed_at_any_moment),
        sp_test(test_links_stay),
        sp_test(test_links_to_nothing),
        sp_test(test_pipes),
        sp_test(test_what_is_no_file),
        sp_test(test_long_names),
        sp_test(test_limit_on_sizes),
        sp_test(test_paths_of_one_file),
    };
    return sp_test_main(tests);
}
