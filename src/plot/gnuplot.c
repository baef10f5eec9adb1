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

void sp__plot_number(FILE *file, double x)
{
    char text[40];
    if (!isfinite(x))
        snprintf(text, sizeof text, "NaN");
    else
        snprintf(text, sizeof text, "%.10g", x);
    /* Some locales write a comma. */
    char *comma = strchr(text, ',');
    if (comma) *comma = '.';
    fputs(text, file);
}

bool sp__have_gnuplot(void)
{
    char *arguments[] = {(char[]){"gnuplot"}, (char[]){"--version"}, NULL}, words[64];
    sp__process gnuplot;
    return sp__process_start(&gnuplot, arguments, "", false, -1) == 0 &&
           sp__process_end(&gnuplot, words, sizeof words) == 0;
}

sp_status sp__run_gnuplot(const char *folder, const char *script)
{
    char *arguments[] = {(char[]){"gnuplot"}, (char[]){"-d"}, (char *)(uintptr_t)script, NULL};
    sp__process gnuplot;
    char words[400];
    const char *slash = *folder ? "/" : "";
    int error = sp__process_start(&gnuplot, arguments, folder, false, -1);
    if (error == ENOENT)
        return sp_raise(SP_ERROR_NOT_FOUND,
                        "no chart was drawn: gnuplot is not installed; its script and data are ready in %s%s%s", folder,
                        slash, script);
    if (error != 0) return sp_raise(SP_ERROR_IO, "cannot run gnuplot: %s", strerror(error));
    int status = sp__process_end(&gnuplot, words, sizeof words);
    if (status == 0) return SP_OK;
    return sp_raise(SP_ERROR_IO, "gnuplot failed on %s%s%s (status %d): %s", folder, slash, script, status, words);
}
