/* What all charts share: the names of their files, what each script begins with, colours and shapes. */
#ifndef SPUSK_PLOT_CHART_H
#define SPUSK_PLOT_CHART_H

#include "gnuplot.h"

/* For "losses.png" there are losses.dat (blocks of points, two empty lines between) and losses.gp (the script), which
 * can be changed and run again by hand: gnuplot losses.gp. */
typedef struct sp__chart {
    const char *path; /* the picture's, the caller's */
    char *folder;     /* "" for the current one */
    char *base;       /* "losses", without the ending */
    int terminal;
    size_t size; /* bytes of each of the two texts */
} sp__chart;

/* Checks the name's ending; 0 is the default size. To be freed, also after an error. */
sp_status sp__chart_init(sp__chart *chart, const char *path, int width, int height);
void sp__chart_free(sp__chart *chart);

/* Opens and closes the file with another ending (".dat", ".gp"). */
FILE *sp__chart_open(const sp__chart *chart, const char *ending);
sp_status sp__chart_close(const sp__chart *chart, FILE *file, const char *ending);

/* The script's first lines: terminal, output, grid. Sizes in pixels, 0 for the default. */
void sp__chart_begin(FILE *script, const sp__chart *chart, int width, int height);
/* The quoted name of the file with that ending. */
void sp__chart_name(FILE *script, const sp__chart *chart, const char *ending);
/* `set title 'text'`; nothing for NULL. */
void sp__chart_setting(FILE *script, const char *setting, const char *text);
/* `set xrange [low:high]`; nothing for two zeros. */
void sp__chart_range(FILE *script, const char *axis, const double range[2]);

/* Runs gnuplot on the script and looks whether the picture is there. */
sp_status sp__chart_draw(const sp__chart *chart);

/* Colour i ("#332288") and its pale twin, gnuplot's number of marker i. There are SP__LOOKS of each; they come again
 * after that. */
#define SP__LOOKS 10
const char *sp__chart_colour(int i);
const char *sp__chart_pale_colour(int i);
int sp__chart_marker(int i);

#endif
