/* Running gnuplot, and writing for it. */
#ifndef SPUSK_PLOT_GNUPLOT_H
#define SPUSK_PLOT_GNUPLOT_H

#include <spusk/extend.h>
#include <spusk/plot.h>
#include <stdio.h>

/* Writes text as a gnuplot string in single quotes: quotes doubled, control characters as spaces. */
void sp__plot_quote(FILE *file, const char *text);
/* Writes the name of a file in the current folder as a path, "./losses.dat", so that no part of it is taken for a
 * command. */
void sp__plot_path(FILE *file, const char *base, const char *ending);
/* Writes a number; NaN for what cannot be drawn. */
void sp__plot_number(FILE *file, double x);
/* As fprintf, up to 1023 bytes, with a point in numbers. */
void sp__plot_print(FILE *file, const char *format, ...) SP_PRINTF(2, 3);
/* Whether it can be run at all. */
bool sp__have_gnuplot(void);
/* Runs gnuplot on three files, whatever their names: it draws the picture (descriptor 3) by the script (4) from the
 * data (5). An error contains its words and the final path of the script. */
#define SP__PLOT_PICTURE "/dev/fd/3"
#define SP__PLOT_SCRIPT "/dev/fd/4"
#define SP__PLOT_DATA "/dev/fd/5"
sp_status sp__run_gnuplot(FILE *picture, FILE *script, FILE *data, const char *name);

#endif
