/* The bar that shows how far an epoch is. */
#include "cli.h"

#include <unistd.h>

#define BAR 30
#define REDRAW_SECONDS 0.1

void progress_begin(progress *p, bool wanted, int epoch, int epochs, int64_t batches, int64_t batch_size)
{
    *p = (progress){.on = wanted && isatty(STDERR_FILENO),
                    .epoch = epoch,
                    .epochs = epochs,
                    .batches = batches,
                    .batch_size = batch_size,
                    .began = seconds_now()};
}

void progress_show(progress *p, int64_t batch, double loss)
{
    double now = p->on ? seconds_now() : 0;
    if (!p->on || (now - p->shown < REDRAW_SECONDS && batch + 1 < p->batches)) return;
    p->shown = now;
    char bar[BAR + 1];
    int64_t done = batch + 1, filled = p->batches > 0 ? done * BAR / p->batches : BAR;
    for (int64_t i = 0; i < BAR; i++) bar[i] = i < filled ? '#' : '.';
    bar[BAR] = '\0';
    double rate = now > p->began ? (double)(done * p->batch_size) / (now - p->began) : 0;
    fprintf(stderr, "\repoch %d/%d [%s] %3d %%  loss %.4f  %.0f/s \033[K", p->epoch, p->epochs, bar,
            (int)(p->batches > 0 ? done * 100 / p->batches : 100), loss, rate);
    fflush(stderr);
}

void progress_end(progress *p)
{
    if (p->on) fputs("\r\033[K", stderr);
}
