/* gnuplot as a child process. */
#include "gnuplot.h"
#include "process.h"

#include <errno.h>
#include <math.h>
#include <string.h>

void sp__plot_quote(FILE *file, const char *text)
{
    fputc('\'', file);
    for (; *text; text++) {
        if (*text == '\'') fputc('\'', file);
        fputc((unsigned char)*text < ' ' ? ' ' : *text, file);
    }
    fputc('\'', file);
}

/* Letters, digits, and what means nothing to gnuplot; the rest is written as octal numbers. */
static bool harmless(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || strchr(" -._", c) || c > 0x7f;
}

void sp__plot_path(FILE *file, const char *base, const char *ending)
{
    fputs("\"./", file);
    for (; *base; base++)
        if (harmless((unsigned char)*base))
            fputc(*base, file);
        else
            fprintf(file, "\\0%03o", (unsigned)*base & 0xffu);
    fprintf(file, "%s\"", ending);
}

void sp__plot_number(FILE *file, double x)
{
    if (isfinite(x))
        sp__plot_print(file, "%.10g", x);
    else
        fputs("NaN", file);
}

void sp__plot_print(FILE *file, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    sp_vformat(text, sizeof text, format, arguments);
    va_end(arguments);
    fputs(text, file);
}

bool sp__have_gnuplot(void)
{
    const char *const arguments[] = {"gnuplot", "--version", NULL};
    char words[64];
    sp__process gnuplot;
    return sp__process_start(&gnuplot, arguments, false, NULL, 0) == 0 &&
           sp__process_end(&gnuplot, words, sizeof words) == 0;
}

sp_status sp__run_gnuplot(FILE *picture, FILE *script, FILE *data, const char *name)
{
    const char *const arguments[] = {"gnuplot", "-d", SP__PLOT_SCRIPT, NULL};
    FILE *const files[] = {picture, script, data};
    sp__process gnuplot;
    char words[400];
    int error = sp__process_start(&gnuplot, arguments, false, files, 3);
    if (error == ENOENT)
        return sp_raise(SP_ERROR_NOT_FOUND,
                        "no chart was drawn: gnuplot is not installed; its script and data are ready in %s", name);
    if (error != 0) return sp_raise(SP_ERROR_IO, "cannot run gnuplot: %s", strerror(error));
    int status = sp__process_end(&gnuplot, words, sizeof words);
    if (status == 0) return SP_OK;
    return sp_raise(SP_ERROR_IO, "gnuplot failed on %s (status %d): %s", name, status, words);
}
