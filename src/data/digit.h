/* From a picture of a digit to its ink: what the files of sp_load_digit share. */
#ifndef SPUSK_DATA_DIGIT_H
#define SPUSK_DATA_DIGIT_H

#include <spusk/extend.h>

/* Grey values, 0 black to 1 white; later how much lighter than the paper, or how much ink. */
typedef struct sp__picture {
    int64_t h, w;
    float *data;
} sp__picture;

typedef struct sp__box {
    int64_t top, left, h, w;
} sp__box;

/* Beyond the picture there is nothing. */
static inline float sp__at(const sp__picture *p, int64_t i, int64_t j)
{
    return i >= 0 && j >= 0 && i < p->h && j < p->w ? p->data[i * p->w + j] : 0;
}

/* Takes the paper off. What is left is the difference from it, where light is positive. Returns the standard deviation
 * of its noise; negative after an error. */
double sp__take_off_paper(sp__picture *p);

/* Takes away thin lines that run across the whole picture; strokes that cross them stay. */
void sp__erase_lines(sp__picture *p, double noise);

/* Turns differences into ink, from 0 (none) to 1 (full), and keeps the strokes of one digit alone. Finds the box around
 * them; box->h is 0 where there is no ink. */
sp_status sp__find_ink(sp__picture *p, double noise, sp__box *box);

#endif
