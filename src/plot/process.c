/* Programs that run beside this one. Their output goes to a file without a name, so that they never wait for a reader.
 */
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ; // NOLINT(readability-redundant-declaration): glibc declares it too, others do not

/* ---- signals ---- */

static sigset_t writing_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    sigaddset(&set, SIGXFSZ);
    return set;
}

void sp__signals_hold(sp__signals *signals)
{
    const sigset_t set = writing_signals();
    sigpending(&signals->waiting);
    pthread_sigmask(SIG_BLOCK, &set, &signals->mask);
}

/* What was waiting before stays. */
void sp__signals_release(const sp__signals *signals)
{
    const struct timespec now = {0};
    sigset_t ours = writing_signals();
    for (int signal = 1; signal < NSIG; signal++)
        if (sigismember(&signals->waiting, signal) == 1) sigdelset(&ours, signal);
    while (sigtimedwait(&ours, NULL, &now) > 0) {}
    pthread_sigmask(SIG_SETMASK, &signals->mask, NULL);
}

/* ---- starting ---- */

/* The child starts with ordinary signals, whatever its parent blocks or ignores. */
static int ordinary_signals(posix_spawnattr_t *attributes)
{
    sigset_t none, pipe;
    sigemptyset(&none);
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    int error = posix_spawnattr_setsigmask(attributes, &none);
    if (error == 0) error = posix_spawnattr_setsigdefault(attributes, &pipe);
    if (error == 0) error = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    return error;
}

/* The descriptors of the child: its input, the file of its words twice, the files. Each is first copied to a high
 * number, since the program may have opened one under a number that another gets. */
typedef struct descriptors {
    int from[3 + SP__PROCESS_FILES], n;
} descriptors;

static int lift(descriptors *all, int file)
{
    int copy = fcntl(file, F_DUPFD_CLOEXEC, 3 + SP__PROCESS_FILES);
    if (copy < 0) return errno;
    all->from[all->n++] = copy;
    return 0;
}

static int lift_all(descriptors *all, const sp__process *process, int input, FILE *const *files, int n)
{
    int error = lift(all, input);
    if (error == 0) error = lift(all, fileno(process->words));
    if (error == 0) error = lift(all, fileno(process->words));
    for (int i = 0; i < n && error == 0; i++) error = lift(all, fileno(files[i]));
    return error;
}

static int spawn_with(sp__process *process, const char *const *arguments, const descriptors *all,
                      posix_spawn_file_actions_t *actions)
{
    posix_spawnattr_t attributes;
    int error = posix_spawnattr_init(&attributes);
    if (error != 0) return error;
    error = ordinary_signals(&attributes);
    for (int i = 0; i < all->n && error == 0; i++) error = posix_spawn_file_actions_adddup2(actions, all->from[i], i);
    if (error == 0)
        error = posix_spawnp(&process->id, arguments[0], actions, &attributes, (char *const *)(uintptr_t)arguments,
                             environ);
    posix_spawnattr_destroy(&attributes);
    return error;
}

/* A program that lacks one of its files would read or write another's, so it does not start. */
static int spawn(sp__process *process, const char *const *arguments, const descriptors *all)
{
    posix_spawn_file_actions_t actions;
    int error = posix_spawn_file_actions_init(&actions);
    if (error != 0) return error;
    error = spawn_with(process, arguments, all, &actions);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

static int start(sp__process *process, const char *const *arguments, int input, FILE *const *files, int n)
{
    descriptors all = {.n = 0};
    process->words = tmpfile();
    if (!process->words) return errno;
    int error = lift_all(&all, process, input, files, n);
    if (error == 0) error = spawn(process, arguments, &all);
    for (int i = 0; i < all.n; i++) close(all.from[i]);
    return error;
}

int sp__process_start(sp__process *process, const char *const *arguments, bool feed, FILE *const *files, int n)
{
    int pipes[2] = {-1, -1};
    *process = (sp__process){.input = -1};
    if (feed ? pipe2(pipes, O_CLOEXEC) != 0 : (pipes[0] = open("/dev/null", O_RDONLY | O_CLOEXEC)) < 0) return errno;
    int error = start(process, arguments, pipes[0], files, n);
    close(pipes[0]);
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
    sp__signals signals;
    sp__signals_hold(&signals);
    int error = write_all(process->input, data, bytes);
    sp__signals_release(&signals);
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
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int sp__process_end(sp__process *process, char *words, size_t size)
{
    if (process->input >= 0) close(process->input);
    int status = wait_for(process->id);
    read_words(process->words, words, size);
    if (!*words && status > 128) snprintf(words, size, "%s", strsignal(status - 128));
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
