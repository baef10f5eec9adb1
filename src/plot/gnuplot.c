/* gnuplot as a child process. */
#include "gnuplot.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ; // NOLINT(readability-redundant-declaration): glibc declares it too, others do not

void sp__plot_quote(FILE *file, const char *text)
{
    fputc('\'', file);
    for (; *text; text++) {
        if (*text == '\'') fputc('\'', file);
        fputc((unsigned char)*text < ' ' ? ' ' : *text, file);
    }
    fputc('\'', file);
}

void sp__plot_number(FILE *file, double x)
{
    char text[40];
    if (!isfinite(x))
        snprintf(text, sizeof text, "NaN");
    else
        snprintf(text, sizeof text, "%.10g", x);
    /* Some locales write a comma. */
    char *comma = strchr(text, ',');
    if (comma) *comma = '.';
    fputs(text, file);
}

/* The child reads nothing and says what it says into the pipe; it starts with ordinary signals. */
static int spawn(pid_t *child, const char *folder, const char *script, const int pipes[2])
{
    char *arguments[] = {(char[]){"gnuplot"}, (char[]){"-d"}, (char *)(uintptr_t)script, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, pipes[1], 1);
    posix_spawn_file_actions_adddup2(&actions, pipes[1], 2);
    if (*folder) posix_spawn_file_actions_addchdir_np(&actions, folder);
    int error = posix_spawnp(child, "gnuplot", &actions, &attributes, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return error;
}

/* All that comes from the pipe; the first size - 1 bytes of it as one line in text. */
static void listen_to(int pipe, char *text, size_t size)
{
    char chunk[512];
    size_t used = 0;
    ssize_t n;
    while ((n = read(pipe, chunk, sizeof chunk)) > 0 || (n < 0 && errno == EINTR)) {
        for (ssize_t i = 0; i < n && used + 1 < size; i++) {
            bool space = (unsigned char)chunk[i] <= ' ';
            if (!space || (used > 0 && text[used - 1] != ' ')) text[used++] = space ? ' ' : chunk[i];
        }
    }
    text[used] = '\0';
}

static int wait_for(pid_t child)
{
    int status = 0;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR) return 0; /* the program ignores its children; the picture will tell */
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

sp_status sp__run_gnuplot(const char *folder, const char *script)
{
    int pipes[2];
    pid_t child = 0;
    char words[400];
    if (pipe2(pipes, O_CLOEXEC) != 0) return sp_raise(SP_ERROR_IO, "cannot run gnuplot: %s", strerror(errno));
    int error = spawn(&child, folder, script, pipes);
    close(pipes[1]);
    if (error == 0) listen_to(pipes[0], words, sizeof words);
    close(pipes[0]);
    const char *slash = *folder ? "/" : "";
    if (error == ENOENT)
        return sp_raise(SP_ERROR_NOT_FOUND,
                        "no chart was drawn: gnuplot is not installed; its script and data are ready in %s%s%s", folder,
                        slash, script);
    if (error != 0) return sp_raise(SP_ERROR_IO, "cannot run gnuplot: %s", strerror(error));
    int status = wait_for(child);
    if (status == 0) return SP_OK;
    return sp_raise(SP_ERROR_IO, "gnuplot failed on %s%s%s (status %d): %s", folder, slash, script, status, words);
}
