/* Names of charts and movies that a program would take for a command, an option, a pipe or a pattern: they are names.
 */
#include "support/support.h"
#include <dirent.h>
#include <fcntl.h>
#include <spusk/spusk.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const names[] = {
    "|touch PWNED;#",
    "| touch PWNED; #",
    "<touch PWNED;#",
    "< touch PWNED #",
    " |touch PWNED;#",
    " <touch PWNED;#",
    "'|touch PWNED;#",
    "'; system 'touch PWNED'; '",
    "'.system('touch PWNED').'",
    "\"; system \"touch PWNED\"; \"",
    "\".system(\"touch PWNED\").\"",
    "`touch PWNED`",
    "x`touch PWNED`",
    "$(touch PWNED)",
    "${IFS}touch PWNED",
    "a\nsystem 'touch PWNED'\n#",
    "a\n!touch PWNED\n",
    "!touch PWNED",
    "a\r!touch PWNED\r",
    "a\\\n!touch PWNED\n",
    "\\",
    "a\\",
    "a\\'",
    "a''b",
    "'",
    "\"",
    "''",
    "it's",
    "-",
    "--",
    "-e system('touch PWNED')",
    "-persist",
    "-y",
    "+",
    "++",
    "@PWNED",
    "$data",
    "$#",
    "~",
    "~root",
    "*",
    "?",
    "[a-z]",
    "{a,b}",
    "#",
    "# touch PWNED",
    "a;touch PWNED",
    "a&touch PWNED&",
    "a>PWNED",
    "%d",
    "%s%n",
    "image%03d",
    "pipe:1",
    "concat:a|b",
    "file:a",
    "http:a",
    "fd:3",
    "tee:a|[f=mp4]PWNED",
    " ",
    " a ",
    "a\tb",
    "\033[31mred",
    "\001",
    "a\177b",
    "\xc3\xa9\xe2\x82\xac",
    "\xff\xfe",
    "..a",
    "...",
    "data",
    "set output",
    "7",
    /* NOLINTNEXTLINE(bugprone-suspicious-missing-comma): one name of 250 bytes */
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
    "01234567890123456789012345678901234567890123456789",
};
enum { NAMES = sizeof names / sizeof *names };

static bool have(const char *program)
{
    char command[64];
    snprintf(command, sizeof command, "command -v %s >/dev/null 2>&1", program);
    return system(command) == 0;
}

/* ---- a folder for each name ---- */

static int count_files(const char *folder)
{
    DIR *open = opendir(folder);
    assert_non_null(open);
    int n = -2; /* . and .. */
    while (readdir(open)) n++;
    closedir(open);
    return n;
}

static const char *folder_of(int i, const char *kind)
{
    char name[32];
    snprintf(name, sizeof name, "%s%d", kind, i);
    const char *folder = support_path(name);
    assert_int_equal(mkdir(folder, 0777), 0);
    return folder;
}

static void path_of(char *path, size_t size, const char *folder, const char *name, const char *ending)
{
    assert_true(snprintf(path, size, "%s/%s%s", folder, name, ending) < (int)size);
}

static bool filled(const char *folder, const char *name, const char *ending)
{
    char path[1400];
    struct stat about;
    path_of(path, sizeof path, folder, name, ending);
    return stat(path, &about) == 0 && about.st_size > 0;
}

/* ---- what is drawn ---- */

static sp_series *two_points(void)
{
    sp_series *series = sp_series_new("two");
    sp_series_push(series, 1);
    sp_series_push(series, 2);
    return series;
}

static sp_status draw(const char *kind, const char *path)
{
    sp_series *path_down[] = {two_points()};
    if (strcmp(kind, "lines") == 0) return sp_plot_lines(path, path_down[0]);
    if (strcmp(kind, "scatter") == 0) return sp_plot_scatter(path, sp_eye(2, 2), SP_NONE);
    sp_tensor *values = sp_view(sp_cast(sp_arange(0, 9, 1), SP_F64), 3, 3);
    return sp_plot_contour(path, values, path_down, 1);
}

/* gnuplot on the script that was left, as its user would, in its folder. */
static int run_again(const char *folder, const char *name)
{
    char script[300];
    snprintf(script, sizeof script, "./%s.gp", name);
    pid_t child = fork();
    if (child == 0) {
        if (chdir(folder) == 0) execlp("gnuplot", "gnuplot", "-d", script, (char *)NULL);
        _exit(127);
    }
    int status = -1;
    waitpid(child, &status, 0);
    return status;
}

/* The picture, the data and the script are there under the name, and nothing else. */
static void check_chart(const char *kind, const char *folder, const char *name, bool again)
{
    char path[1400];
    path_of(path, sizeof path, folder, name, ".svg");
    if (draw(kind, path) != SP_OK) fail_msg("%s, '%s': %s", kind, name, sp_error_message());
    if (again) {
        assert_int_equal(unlink(path), 0);
        if (run_again(folder, name) != 0) fail_msg("%s, '%s': the script fails", kind, name);
    }
    if (count_files(folder) != 3 || !filled(folder, name, ".svg") || !filled(folder, name, ".dat") ||
        !filled(folder, name, ".gp"))
        fail_msg("%s, '%s': there are %d files", kind, name, count_files(folder));
}

static void check_charts(const char *kind, int turn)
{
    if (!have("gnuplot")) skip_because("there is no gnuplot");
    for (int i = 0; i < NAMES; i++)
        SP_SCOPE {
            check_chart(kind, folder_of(i, kind), names[i], i % 3 == turn || i < 15);
        }
    assert_int_equal(count_files(support_folder()), NAMES);
    assert_int_equal(access("PWNED", F_OK), -1);
}

static void test_lines(void **state)
{
    (void)state;
    check_charts("lines", 0);
}

static void test_scatter(void **state)
{
    (void)state;
    check_charts("scatter", 1);
}

static void test_contour(void **state)
{
    (void)state;
    check_charts("contour", 2);
}

/* A relative name, and a folder that has such a name itself. */
static void test_folders(void **state)
{
    (void)state;
    if (!have("gnuplot")) skip_because("there is no gnuplot");
    int here = open(".", O_RDONLY | O_DIRECTORY);
    assert_int_equal(chdir(support_folder()), 0);
    static const char *const folders[] = {"|touch PWNED;#", "<touch PWNED",     "-e", "'",
                                          "`touch PWNED`",  "a\n!touch PWNED\n"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        assert_int_equal(mkdir(folders[i], 0777), 0);
        check_chart("lines", folders[i], "|touch PWNED;#", true);
    }
    assert_int_equal(draw("lines", "|touch PWNED;#.svg"), SP_OK);
    assert_int_equal(access("|touch PWNED;#.svg", F_OK), 0);
    assert_int_equal(draw("scatter", "-e.png"), SP_OK);
    assert_int_equal(access("-e.png", F_OK), 0);
    assert_int_equal(count_files("."), 6 + 3 + 3);
    assert_int_equal(fchdir(here), 0);
    close(here);
}

/* ---- movies ---- */

static sp_status film(const char *path)
{
    sp_movie *movie = sp_movie_new(path, .scale = 1);
    if (movie) sp_movie_frame(movie, sp_ones(SP_DIMS(16, 16)));
    return movie ? sp_movie_close(movie) : sp_error_status();
}

static void check_movies(const char *ending)
{
    char path[1400];
    for (int i = 0; i + 1 < NAMES; i++) /* the last name is too long for .html */
        SP_SCOPE {
            const char *folder = folder_of(i, "movie");
            path_of(path, sizeof path, folder, names[i], ending);
            if (film(path) != SP_OK) fail_msg("'%s': %s", names[i], sp_error_message());
            if (count_files(folder) != 1 || !filled(folder, names[i], ending)) fail_msg("'%s': files", names[i]);
        }
    assert_int_equal(count_files(support_folder()), NAMES - 1);
    assert_int_equal(access("PWNED", F_OK), -1);
}

static void test_gif(void **state)
{
    (void)state;
    sp_movie *movie = sp_movie_new("m.gif");
    bool can = movie || sp_error_clear() != SP_ERROR_UNSUPPORTED;
    if (!can) skip_because("this build has no cgif");
    check_movies(".gif");
}

static void test_mp4(void **state)
{
    (void)state;
    if (!have("ffmpeg")) skip_because("there is no ffmpeg");
    check_movies(".mp4");
}

static void test_contour_movies(void **state)
{
    (void)state;
    if (!have("gnuplot") || !have("ffmpeg")) skip_because("it needs gnuplot and ffmpeg");
    static const char *const files[] = {"|touch PWNED;#.mp4", "<touch PWNED.html", "-y.mp4", "concat:a|b.mp4"};
    int here = open(".", O_RDONLY | O_DIRECTORY), n = (int)(sizeof files / sizeof *files);
    assert_int_equal(chdir(support_folder()), 0);
    for (int i = 0; i < n; i++)
        SP_SCOPE {
            sp_series *walk[] = {two_points()};
            sp_tensor *values = sp_view(sp_cast(sp_arange(0, 9, 1), SP_F64), 3, 3);
            assert_int_equal(sp_plot_contour_movie(files[i], values, walk, 1, .frames = 2, .width = 600, .height = 200),
                             SP_OK);
            assert_int_equal(access(files[i], F_OK), 0);
        }
    assert_int_equal(count_files("."), n);
    assert_int_equal(fchdir(here), 0);
    close(here);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        sp_test(test_lines), sp_test(test_scatter), sp_test(test_contour),        sp_test(test_folders),
        sp_test(test_gif),   sp_test(test_mp4),     sp_test(test_contour_movies),
    };
    return sp_test_main(tests);
}
