/* A small font for captions in pictures. */
#ifndef SPUSK_PLOT_FONT_H
#define SPUSK_PLOT_FONT_H

enum { SP__FONT_WIDTH = 5, SP__FONT_HEIGHT = 8 }; /* the last row is below the line */

/* The rows of an ASCII letter, five bits each, the highest at the left. An unknown letter is a box. */
const unsigned char *sp__glyph(char c);

#endif
