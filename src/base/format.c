/* Numbers as text and back, always with a decimal point. During a call the thread has C's locale, which newlocale gives
 * without asking for memory. Other threads keep the program's locale. */
#include "base/base.h"
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct c_locale {
    locale_t own, before;
} c_locale;

static c_locale enter(void)
{
    c_locale c = {.own = newlocale(LC_ALL_MASK, "C", (locale_t)0)};
    if (c.own) c.before = uselocale(c.own);
    return c;
}

static void leave(c_locale c)
{
    if (!c.own) return;
    uselocale(c.before);
    freelocale(c.own);
}

int sp_vformat(char *buffer, size_t size, const char *format, va_list arguments)
{
    c_locale c = enter();
    int length = vsnprintf(buffer, size, format, arguments);
    leave(c);
    return length;
}

int sp_format(char *buffer, size_t size, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = sp_vformat(buffer, size, format, arguments);
    va_end(arguments);
    return length;
}

double sp_parse_double(const char *text, char **end)
{
    c_locale c = enter();
    double number = strtod(text, end);
    leave(c);
    return number;
}
