/* Programs that run beside this one: gnuplot, ffmpeg. */
#ifndef SPUSK_PLOT_PROCESS_H
#define SPUSK_PLOT_PROCESS_H

#include <spusk/extend.h>
#include <stdio.h>
#include <sys/types.h>

typedef struct sp__process {
    pid_t id;    /* 0: none runs */
    int input;   /* where to write what it reads */
    FILE *words; /* what it says, on both of its outputs */
} sp__process;

/* Starts a program of the PATH in a folder ("" for the current one). With `feed` it reads what sp__process_write
 * writes, else nothing. `output`, unless it is -1, is open in it as descriptor 3. Returns an errno, or 0. */
int sp__process_start(sp__process *process, char *const *arguments, const char *folder, bool feed, int output);
/* Returns an errno, or 0; no signal comes when the program has gone. */
int sp__process_write(const sp__process *process, const void *data, size_t bytes);
/* Waits for its end. What it said comes as one line into words, as much as fits. Returns its exit status. */
int sp__process_end(sp__process *process, char *words, size_t size);
/* Ends it at once. */
void sp__process_kill(sp__process *process);

#endif
