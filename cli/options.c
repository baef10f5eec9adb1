/* The command line, by tables. */
#include "cli.h"

#include <spusk/extend/text.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

int complain(const common *c, const char *format, ...)
{
    char text[1024], shown[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    sp_printable(text, shown, sizeof shown);
    fprintf(stderr, "spusk %s: %s\n", c->command->name, shown);
    return EXIT_WRONG_USE;
}

int choose_row(const common *c, const char *option, const void *rows, int n, size_t row_size, const char *name)
{
    char names[256];
    const int i = sp_name_find(rows, n, row_size, name, strlen(name), names, sizeof names);
    if (i < 0) complain(c, "%s is '%s'; there are: %s", option, name, names);
    return i;
}

bool in_range(const common *c, const char *option, double value, double low, double high)
{
    if (value >= low && value <= high) return true;
    complain(c, "%s is %.10g; it can be %.10g to %.10g", option, value, low, high);
    return false;
}

static int read_words(common *c, poptContext context)
{
    const char *word;
    while ((word = poptGetArg(context))) {
        if (c->n_words == c->command->max_words) return complain(c, "what should '%s' be?", word);
        c->words[c->n_words] = strdup(word);
        if (!c->words[c->n_words++]) return complain(c, "out of memory");
    }
    if (c->n_words < c->command->min_words) return complain(c, "it needs %s", c->command->words);
    return -1;
}

/* "--lr abc": popt names the value alone where it is a word of its own. */
static const char *bad_option(poptContext context, int argc, char **argv, char *text, size_t size)
{
    const char *bad = poptBadOption(context, POPT_BADOPTION_NOALIAS);
    for (int i = 2; *bad != '-' && i < argc; i++) {
        if (strcmp(argv[i], bad) != 0 || argv[i - 1][0] != '-') continue;
        snprintf(text, size, "%s %s", argv[i - 1], bad);
        return text;
    }
    return bad;
}

/* The type of the option that a word names without "=" and a value; POPT_ARG_NONE for no option. */
static unsigned type_of(const struct poptOption *table, const char *word)
{
    for (; table->longName; table++)
        if (strncmp(word, "--", 2) == 0 && strcmp(word + 2, table->longName) == 0)
            return table->argInfo & POPT_ARG_MASK;
    return POPT_ARG_NONE;
}

/* popt takes an empty word for 0. */
static bool numbers_have_digits(const common *c, const struct poptOption *shared, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        char name[64];
        const char *equals = strchr(argv[i], '=');
        const bool empty = equals ? !equals[1] : i + 1 < argc && !*argv[i + 1];
        if (!empty) continue;
        snprintf(name, sizeof name, "%.*s", equals ? (int)(equals - argv[i]) : 63, argv[i]);
        const unsigned type = type_of(c->own, name) | type_of(shared, name);
        if (type == POPT_ARG_NONE || type == POPT_ARG_STRING) continue;
        complain(c, "%s: invalid numeric value: it is empty", name);
        return false;
    }
    return true;
}

static int read_all(common *c, poptContext context, int argc, char **argv)
{
    char text[256];
    int code = poptGetNextOpt(context);
    if (code < -1)
        return complain(c, "%s: %s; see spusk %s --help", bad_option(context, argc, argv, text, sizeof text),
                        poptStrerror(code), c->command->name);
    if (!c->help) return read_words(c, context);
    printf("spusk %s: %s\n\n", c->command->name, c->command->summary);
    poptPrintHelp(context, stdout, 0);
    return EXIT_FINE;
}

static int apply(const common *c)
{
    if (!in_range(c, "--seed", (double)c->seed, 0, 9e18)) return EXIT_WRONG_USE;
    if (c->threads != -1 && !in_range(c, "--threads", c->threads, 1, 1024)) return EXIT_WRONG_USE;
    if (c->device && strcmp(c->device, "cpu") != 0)
        return complain(c, "--device is '%s'; this build has: cpu", c->device);
    if (c->threads != -1 && sp_set_num_threads(c->threads) != SP_OK) return EXIT_FAILED;
    sp_manual_seed((uint64_t)c->seed);
    return -1;
}

int options_read(common *c, const command *self, struct poptOption *own, int argc, char **argv)
{
    *c = (common){.command = self, .threads = -1, .own = own};
    struct poptOption shared[] = {
        {"help", 'h', POPT_ARG_NONE, &c->help, 0, "this text", NULL},
        {"seed", '\0', POPT_ARG_LONGLONG, &c->seed, 0, "of everything random (default 0)", "N"},
        {"threads", '\0', POPT_ARG_INT, &c->threads, 0, "threads to compute with (default: the processors)", "N"},
        {"device", '\0', POPT_ARG_STRING, &c->device, 0, "where to compute: cpu", "NAME"},
        {"data", '\0', POPT_ARG_STRING, &c->data, 0, "folder that holds data sets (default: SPUSK_DATA, the cache)",
         "DIR"},
        {"json", '\0', POPT_ARG_NONE, &c->json, 0, "figures as JSON, one object a line", NULL},
        {"out", '\0', POPT_ARG_STRING, &c->out, 0, "folder to write into (default: the current one)", "DIR"},
        POPT_TABLEEND,
    };
    struct poptOption table[] = {
        {NULL, '\0', POPT_ARG_INCLUDE_TABLE, own, 0, "Options:", NULL},
        {NULL, '\0', POPT_ARG_INCLUDE_TABLE, shared, 0, "Options of every command:", NULL},
        POPT_TABLEEND,
    };
    char usage[128], name[64];
    snprintf(name, sizeof name, "spusk %s", self->name);
    snprintf(usage, sizeof usage, "[OPTIONS] %s", self->words);
    char *first = argv[0];
    argv[0] = name; /* for the help */
    poptContext context = poptGetContext(NULL, argc, (const char **)argv, table, 0);
    int code = context ? EXIT_WRONG_USE : complain(c, "out of memory");
    if (context) poptSetOtherOptionHelp(context, usage);
    if (context && numbers_have_digits(c, shared, argc, argv)) code = read_all(c, context, argc, argv);
    if (context) poptFreeContext(context);
    argv[0] = first;
    return code == -1 ? apply(c) : code;
}

void options_free(common *c)
{
    for (struct poptOption *option = c->own; option->longName || option->shortName; option++)
        if ((option->argInfo & POPT_ARG_MASK) == POPT_ARG_STRING) free(*(char **)option->arg);
    free(c->device);
    free(c->data);
    free(c->out);
    for (int i = 0; i < c->n_words; i++) free(c->words[i]);
}
