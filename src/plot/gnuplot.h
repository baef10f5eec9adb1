/* Running gnuplot, and writing for it. */
#ifndef SPUSK_PLOT_GNUPLOT_H
#define SPUSK_PLOT_GNUPLOT_H

#include <spusk/extend.h>
#include <spusk/plot.h>
#include <stdio.h>

/* Writes text as a gnuplot string in single quotes: quotes doubled, control characters as spaces. */
void sp__plot_quote(FILE *file, const char *text);
/* Writes a number in the C locale; NaN for what cannot be drawn. */
void sp__plot_number(FILE *file, double x);
/* Whether it can be run at all. */
bool sp__have_gnuplot(void);
/* Runs gnuplot on a script in a folder ("" for the current one). Its own words are part of the error. */
sp_status sp__run_gnuplot(const char *folder, const char *script);

#endif
