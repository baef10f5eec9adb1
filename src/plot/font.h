/* Letters 5 pixels wide and 7 high, for captions. */
#ifndef SPUSK_PLOT_FONT_H
#define SPUSK_PLOT_FONT_H

#define SP__FONT_WIDTH 5
#define SP__FONT_HEIGHT 7

/* The rows of a character from the top, the leftmost pixel in bit 4. Small letters look like capitals; what the font
 * does not have looks like a box. */
const unsigned char *sp__glyph(char c);

#endif
