/* A progress bar for downloads. */
#include "files.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { WIDTH = 30, REDRAW_MS = 100 };

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void sp__progress_begin(sp__progress *progress, const char *label, bool quiet)
{
    *progress = (sp__progress){.label = label, .on = !quiet && isatty(STDERR_FILENO) == 1};
}

void sp__progress_show(sp__progress *progress, int64_t done, int64_t total)
{
    static const char full[] = "##############################";
    if (!progress->on) return;
    int64_t now = now_ms();
    if (progress->drawn_at && now - progress->drawn_at < REDRAW_MS) return;
    progress->drawn_at = now;
    char megabytes[32], of[32];
    sp_format(megabytes, sizeof megabytes, "%.1f", (double)done / 1e6);
    sp_format(of, sizeof of, "%.1f", (double)total / 1e6);
    if (total <= 0) {
        fprintf(stderr, "\r\033[K%s  %s MB", progress->label, megabytes);
        return;
    }
    int filled = (int)(done >= total ? WIDTH : done * WIDTH / total);
    fprintf(stderr, "\r\033[K%s  [%.*s%*s]  %s of %s MB", progress->label, filled, full, WIDTH - filled, "", megabytes,
            of);
    fflush(stderr);
}

void sp__progress_end(sp__progress *progress)
{
    if (progress->on && progress->drawn_at) fprintf(stderr, "\r\033[K");
}
