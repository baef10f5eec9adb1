/* Text for people and for programs. */
#include "cli.h"

#include <langinfo.h>
#include <locale.h>
#include <math.h>
#include <spusk/extend/text.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

void json_number(FILE *file, double x)
{
    if (isfinite(x))
        fprintf(file, "%.10g", x);
    else
        fputs("null", file);
}

/* The length in bytes of the character that begins here. */
static int character_length(const char *text)
{
    int n = 1;
    while (n < 4 && (text[0] & 0x80) && ((unsigned char)text[n] & 0xc0) == 0x80) n++;
    return n;
}

/* Writes the character that begins here as a terminal can show it; returns its length. */
static int show_character(const char *text, char shown[24])
{
    const int n = character_length(text);
    char one[8] = "";
    memcpy(one, text, (size_t)n);
    sp_printable(one, shown, 24);
    return n;
}

void put_text(FILE *file, const char *text)
{
    char shown[24];
    while (*text) {
        text += show_character(text, shown);
        fputs(shown, file);
    }
}

/* Bytes that are no UTF-8 become U+FFFD. Characters that a terminal would obey are escaped here too. */
void json_text(FILE *file, const char *text)
{
    char shown[24];
    fputc('"', file);
    for (int n = 0; *text; text += n) {
        n = show_character(text, shown);
        if (*text == '"' || *text == '\\')
            fprintf(file, "\\%c", *text);
        else if (strncmp(shown, "\\x", 2) != 0)
            fputs(shown, file);
        else
            fprintf(file, "\\u%04x", *text & 0x80 ? 0xfffdu : (unsigned)*text);
    }
    fputc('"', file);
}

/* ---- images as characters ---- */

static double pixel(const float *image, int64_t h, int64_t w, int64_t i, int64_t j)
{
    double x = i < h ? (double)image[i * w + j] : 0;
    return x > 0 ? (x < 1 ? x : 1) : 0;
}

/* Two rows a line, in the terminal's 24 greys (232 to 255). */
static void draw_blocks(FILE *file, const float *image, int64_t h, int64_t w)
{
    for (int64_t i = 0; i < h; i += 2) {
        fputs("  ", file);
        for (int64_t j = 0; j < w; j++)
            fprintf(file, "\033[38;5;%d;48;5;%dm\u2580", 232 + (int)(pixel(image, h, w, i, j) * 23),
                    232 + (int)(pixel(image, h, w, i + 1, j) * 23));
        fputs("\033[0m\n", file);
    }
}

static void draw_shades(FILE *file, const float *image, int64_t h, int64_t w, bool utf8)
{
    static const char *const blocks[] = {" ", "\u2591", "\u2592", "\u2593", "\u2588"};
    static const char *const letters[] = {" ", ".", "+", "%", "@"};
    for (int64_t i = 0; i < h; i++) {
        fputs("  ", file);
        for (int64_t j = 0; j < w; j++) {
            int level = (int)(pixel(image, h, w, i, j) * 4 + 0.5);
            const char *shade = utf8 ? blocks[level] : letters[level];
            fprintf(file, "%s%s", shade, shade);
        }
        fputc('\n', file);
    }
}

void draw_image(FILE *file, sp_tensor *image)
{
    sp_tensor *values = sp_contiguous(sp_cast(image, SP_F32));
    const float *data = values ? sp_const_data(values) : NULL;
    if (!data) return;
    /* Only the locale of characters is set: a comma in numbers would spoil JSON. */
    (void)setlocale(LC_CTYPE, "");
    bool utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    if (utf8 && isatty(fileno(file)))
        draw_blocks(file, data, sp_size(image, 0), sp_size(image, 1));
    else
        draw_shades(file, data, sp_size(image, 0), sp_size(image, 1), utf8);
}
