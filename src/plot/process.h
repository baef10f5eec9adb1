/* Programs that run beside this one: gnuplot, ffmpeg. */
#ifndef SPUSK_PLOT_PROCESS_H
#define SPUSK_PLOT_PROCESS_H

#include <signal.h>
#include <spusk/extend.h>
#include <stdio.h>
#include <sys/types.h>

/* A pipe that nobody reads and a limit on file sizes are errors like others, not the end of the process. From
 * sp__signals_hold to sp__signals_release their signals are blocked on this thread, and those that came in between are
 * dropped. */
typedef struct sp__signals {
    sigset_t mask, waiting; /* as the caller had them */
} sp__signals;

void sp__signals_hold(sp__signals *signals);
void sp__signals_release(const sp__signals *signals);

typedef struct sp__process {
    pid_t id;    /* 0: none runs */
    int input;   /* where to write what it reads */
    FILE *words; /* what it says, on both of its outputs */
} sp__process;

/* Starts a program of the PATH. With `feed` it reads what sp__process_write writes, or else nothing. It has the files
 * as descriptors 3, 4, …, so it needs no name that a user chose. There are at most SP__PROCESS_FILES. Returns an errno,
 * or 0. */
enum { SP__PROCESS_FILES = 3 };
int sp__process_start(sp__process *process, const char *const *arguments, bool feed, FILE *const *files, int n);
/* Returns an errno, or 0. No signal comes when the program has gone. */
int sp__process_write(const sp__process *process, const void *data, size_t bytes);
/* Waits for its end. `words` gets its output as one line, as much as fits. Returns its exit status. */
int sp__process_end(sp__process *process, char *words, size_t size);
/* Ends it at once. */
void sp__process_kill(sp__process *process);

#endif
