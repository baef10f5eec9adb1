/* Programs that run beside this one. What they say goes to a file without a name, so that they never wait for a reader.
 */
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ; // NOLINT(readability-redundant-declaration): glibc declares it too, others do not

/* ---- starting ---- */

/* The child starts with ordinary signals, whatever its parent blocks or ignores. */
static void ordinary_signals(posix_spawnattr_t *attributes)
{
    sigset_t none, pipe;
    sigemptyset(&none);
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    posix_spawnattr_setsigmask(attributes, &none);
    posix_spawnattr_setsigdefault(attributes, &pipe);
    posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

static int spawn(sp__process *process, char *const *arguments, const char *folder, int input, int output)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    ordinary_signals(&attributes);
    posix_spawn_file_actions_init(&actions);
    if (input >= 0)
        posix_spawn_file_actions_adddup2(&actions, input, 0);
    else
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, fileno(process->words), 1);
    posix_spawn_file_actions_adddup2(&actions, fileno(process->words), 2);
    if (output >= 0) posix_spawn_file_actions_adddup2(&actions, output, 3);
    if (*folder) posix_spawn_file_actions_addchdir_np(&actions, folder);
    int error = posix_spawnp(&process->id, arguments[0], &actions, &attributes, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return error;
}

int sp__process_start(sp__process *process, char *const *arguments, const char *folder, bool feed, int output)
{
    int pipes[2] = {-1, -1};
    *process = (sp__process){.input = -1};
    if (feed && pipe2(pipes, O_CLOEXEC) != 0) return errno;
    process->words = tmpfile();
    int error = process->words ? spawn(process, arguments, folder, pipes[0], output) : errno;
    if (feed) close(pipes[0]);
    process->input = pipes[1];
    if (error == 0) return 0;
    if (feed) close(pipes[1]);
    if (process->words) fclose(process->words);
    *process = (sp__process){.input = -1};
    return error;
}

/* ---- feeding ---- */

static int write_all(int file, const char *data, size_t bytes)
{
    while (bytes > 0) {
        ssize_t n = write(file, data, bytes);
        if (n < 0 && errno != EINTR) return errno;
        if (n <= 0) continue;
        data += n;
        bytes -= (size_t)n;
    }
    return 0;
}

int sp__process_write(const sp__process *process, const void *data, size_t bytes)
{
    sigset_t pipe, mask, pending;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, &pipe, &mask);
    int error = write_all(process->input, data, bytes);
    const struct timespec now = {0};
    /* The signal of this write goes; one that was waiting before stays. */
    if (error == EPIPE && sigismember(&pending, SIGPIPE) == 0) sigtimedwait(&pipe, NULL, &now);
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
    return error;
}

/* ---- ending ---- */

/* What the file holds as one line; the first size - 1 bytes of it. */
static void read_words(FILE *file, char *text, size_t size)
{
    size_t used = 0;
    int c;
    rewind(file);
    while (used + 1 < size && (c = fgetc(file)) != EOF) {
        bool space = c <= ' ';
        if (!space || (used > 0 && text[used - 1] != ' ')) text[used++] = (char)(space ? ' ' : c);
    }
    while (used > 0 && text[used - 1] == ' ') used--;
    text[used] = '\0';
}

static int wait_for(pid_t child)
{
    int status = 0;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR) return 0; /* the program ignores its children; the result will tell */
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

int sp__process_end(sp__process *process, char *words, size_t size)
{
    if (process->input >= 0) close(process->input);
    int status = wait_for(process->id);
    read_words(process->words, words, size);
    fclose(process->words);
    *process = (sp__process){.input = -1};
    return status;
}

void sp__process_kill(sp__process *process)
{
    char words[2];
    if (!process->id) return;
    kill(process->id, SIGKILL);
    sp__process_end(process, words, sizeof words);
}
