/* What all charts share: the names of their files, what each script begins with, colours and shapes. */
#ifndef SPUSK_PLOT_CHART_H
#define SPUSK_PLOT_CHART_H

#include "gnuplot.h"
#include "process.h"

/* For "losses.png" there are losses.dat (blocks of points with two empty lines between them) and losses.gp (the
 * script). A user can change the script and run it by hand, in their folder: gnuplot ./losses.gp. Each file gets its
 * name when all of it is there. In the script names stand in two lines only, `data = …` and `set output …`. While
 * gnuplot draws for the library these lines are other ones, and no text in a name can reach gnuplot. */
typedef struct sp__chart {
    const char *path; /* the picture's, the caller's */
    char *start;      /* the path without its ending: "plots/losses" */
    const char *base; /* "losses", in it */
    size_t size;      /* bytes of it */
    int terminal;
    FILE *data, *script; /* to be written; without a name */
    long names, behind;  /* where in the script the two lines are */
    sp__signals signals;
} sp__chart;

/* Checks the name's ending; 0 is the default size. To be freed, also after an error. */
sp_status sp__chart_init(sp__chart *chart, const char *path, int width, int height);
void sp__chart_free(sp__chart *chart);

/* The script's first lines: terminal, names, grid. Sizes in pixels, 0 for the default. */
void sp__chart_begin(sp__chart *chart, int width, int height);
/* `set title 'text'`; nothing for NULL. */
void sp__chart_setting(FILE *script, const char *setting, const char *text);
/* `set xrange [low:high]`; nothing for two zeros. */
void sp__chart_range(FILE *script, const char *axis, const double range[2]);

/* Runs gnuplot on script and data. Returns the whole picture, to be closed with sp__store_close. */
FILE *sp__chart_render(sp__chart *chart);
/* Saves data and script, then the picture that gnuplot draws from them. */
sp_status sp__chart_save(sp__chart *chart);

/* Colour i ("#332288") and its pale twin, gnuplot's number of marker i. There are SP__LOOKS of each; they come again
 * after that. */
enum { SP__LOOKS = 10 };
const char *sp__chart_colour(int i);
const char *sp__chart_pale_colour(int i);
int sp__chart_marker(int i);

#endif
