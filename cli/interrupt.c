/* Ctrl-C asks for a clean end, and so does every other signal that ends a program. */
#include "cli.h"

#include <signal.h>

static volatile sig_atomic_t seen;

static void note(int number)
{
    (void)number;
    seen = 1;
}

void interrupt_watch(void)
{
    /* The handler is reset after the first signal: a user who presses twice means it. */
    struct sigaction before, action = {.sa_flags = (int)(SA_RESETHAND | SA_RESTART)};
    action.sa_handler = note;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    /* It comes twice when a terminal closes, from the kernel and from the shell. */
    action.sa_flags = SA_RESTART;
    sigaction(SIGHUP, NULL, &before);
    if (before.sa_handler != SIG_IGN) sigaction(SIGHUP, &action, NULL);
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL);
}

void interrupt_forget(void)
{
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    struct sigaction hangup;
    sigaction(SIGHUP, NULL, &hangup);
    if (hangup.sa_handler != SIG_IGN) signal(SIGHUP, SIG_DFL);
}

bool interrupted(void)
{
    return seen != 0;
}
