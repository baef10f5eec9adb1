/* What movies and their formats share. */
#ifndef SPUSK_PLOT_MOVIE_H
#define SPUSK_PLOT_MOVIE_H

#include "process.h"
#include <spusk/plot.h>

/* How a kind of file is made. Each function that fails raises an error. */
typedef struct sp__movie_format {
    const char *ending, *name; /* ".gif", "a GIF" */
    double max_fps;
    sp_status (*check)(void);            /* whether this build can write it; NULL: it can */
    sp_status (*begin)(sp_movie *movie); /* at the first frame */
    sp_status (*frame)(sp_movie *movie, const unsigned char *pixels);
    sp_status (*end)(sp_movie *movie); /* writes the file */
} sp__movie_format;

extern const sp__movie_format sp__movie_gif, sp__movie_mp4, sp__movie_html;

struct sp_movie {
    const sp__movie_format *format;
    char *path, *title;
    double fps;
    bool once;
    int64_t scale;                   /* pixels a pixel of a frame; 0: not yet known */
    int64_t frames;                  /* so far */
    int64_t channels, height, width; /* of each frame */
    bool closed, failed;
    FILE *store;        /* without a name: GIF's frames as they came, the encoded MP4 */
    sp__process ffmpeg; /* MP4, HTML */
};

/* The enlarged frame: rows of pixels of `size` bytes each, (height, width), at least the frame's size times the scale.
 * What lies beyond repeats the last row and column. */
void sp__movie_enlarge(const sp_movie *movie, const unsigned char *pixels, int size, unsigned char *to, int64_t height,
                       int64_t width);

#endif
