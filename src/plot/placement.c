/* Axes and labels. */
#include "placement.h"

#include <math.h>
#include <stdbool.h>

/* ---- axes ---- */

void sp__axis_range(const double *sorted, int64_t n, double range[2])
{
    const int64_t beyond = n / 200;
    double low = sorted[0], high = sorted[n - 1], middle = sorted[n - 1 - beyond] - sorted[beyond];
    if (middle > 0 && high - low > 1.25 * middle) {
        low = sorted[beyond];
        high = sorted[n - 1 - beyond];
    }
    double margin = high > low ? 0.04 * (high - low) : fmax(0.04 * fabs(low), 1e-9);
    const bool finite = isfinite(high - low + 2 * margin);
    range[0] = finite ? low - margin : 0;
    range[1] = finite ? high + margin : 0;
}

/* ---- labels ---- */

static double clamp(double x, double high)
{
    return x < 0 ? 0 : x > high ? high : x;
}

/* Pushes two labels apart along the axis where less is needed. Returns whether they overlapped. */
static bool push(sp__label *a, sp__label *b)
{
    double dx = b->x - a->x, dy = b->y - a->y;
    double x = (a->width + b->width) / 2 - fabs(dx), y = (a->height + b->height) / 2 - fabs(dy);
    if (x <= 0 || y <= 0) return false;
    /* A little more than needed, or else rounding might push for ever. */
    double along_x = x < y ? copysign(x / 2 + 0.25, dx) : 0, along_y = x < y ? 0 : copysign(y / 2 + 0.25, dy);
    a->x -= along_x;
    b->x += along_x;
    a->y -= along_y;
    b->y += along_y;
    return true;
}

void sp__labels_apart(sp__label *labels, int n, double width, double height)
{
    enum { MOST_ROUNDS = 500 };
    bool moved = true;
    for (int round = 0; round < MOST_ROUNDS && moved; round++) {
        moved = false;
        for (int i = 0; i < n; i++)
            for (int j = i + 1; j < n; j++) moved |= push(&labels[i], &labels[j]);
        for (int i = 0; i < n && moved; i++) {
            labels[i].x = clamp(labels[i].x, width);
            labels[i].y = clamp(labels[i].y, height);
        }
    }
}
