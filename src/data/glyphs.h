/* The strokes of digits, and pictures of them. */
#ifndef SPUSK_DATA_GLYPHS_H
#define SPUSK_DATA_GLYPHS_H

#include <stdbool.h>
#include <stdint.h>

enum { SP__STROKES = 3, SP__STROKE_POINTS = 14, SP__GLYPHS_OF_A_DIGIT = 3 };

/* A smooth line through points. x grows to the right, y down; a digit is about 76 wide and 120 high around (0, 0). */
typedef struct sp__stroke {
    int n;
    bool closed;
    int8_t points[SP__STROKE_POINTS][2];
} sp__stroke;

/* One way to write a digit; a corner is where one stroke ends and another begins. */
typedef struct sp__glyph {
    int n;
    sp__stroke strokes[SP__STROKES];
} sp__glyph;

extern const sp__glyph sp__glyphs[10][SP__GLYPHS_OF_A_DIGIT];

/* Draws example i of a seed's stream (0: training, 1: test) and returns its label. Integers alone, so that the bytes
 * are the same on every machine. */
int sp__draw_digit(uint64_t seed, int stream, int64_t i, uint8_t pixels[28 * 28]);

#endif
