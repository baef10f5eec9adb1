/* spusk info FILE: what is in a weights file. */
#include "cli.h"
#include <spusk/extend/text.h>

/* A longer name pushes its own columns to the right, not those of all others. */
enum { MOST_ALIGNED = 100 };

static void write_shape(char *text, size_t size, sp_dims sizes)
{
    size_t used = (size_t)snprintf(text, size, "[");
    for (int d = 0; d < sizes.n; d++)
        used += (size_t)snprintf(text + used, size - used, "%s%lld", d ? ", " : "", (long long)sizes.data[d]);
    snprintf(text + used, size - used, "]");
}

static int64_t elements_of(const sp_safe_file *file, int64_t i)
{
    const sp_dims sizes = sp_safe_sizes(file, i);
    int64_t n = 1;
    for (int d = 0; d < sizes.n; d++) n *= sizes.data[d];
    return n;
}

static void count(const sp_safe_file *file, int64_t *elements, int64_t *bytes)
{
    *elements = *bytes = 0;
    for (int64_t i = 0; i < sp_safe_length(file); i++) {
        *elements += elements_of(file, i);
        *bytes += elements_of(file, i) * (int64_t)sp_dtype_size(sp_safe_dtype(file, i));
    }
}

/* ---- as text ---- */

static int width_of(const char *name)
{
    return (int)sp_printable(name, NULL, 0);
}

static void print_tensors(const sp_safe_file *file)
{
    char shape[256];
    int longest = 4;
    for (int64_t i = 0; i < sp_safe_length(file); i++) {
        const int n = width_of(sp_safe_name(file, i));
        if (n > longest && n <= MOST_ALIGNED) longest = n;
    }
    for (int64_t i = 0; i < sp_safe_length(file); i++) {
        const char *name = sp_safe_name(file, i);
        const int n = width_of(name);
        write_shape(shape, sizeof shape, sp_safe_sizes(file, i));
        fputs("  ", stdout);
        put_text(stdout, name);
        printf("%*s  %-8s  %-16s %10lld\n", n < longest ? longest - n : 0, "", sp_dtype_name(sp_safe_dtype(file, i)),
               shape, (long long)elements_of(file, i));
    }
}

/* Prints the network as PyTorch does. The file of another program may describe a network that this one does not know.
 */
static void print_network(const sp_safe_file *file)
{
    const char *json = sp_safe_metadata(file, "spusk.model");
    sp_module *network = json ? sp_module_outline_from_json(json) : NULL;
    if (network)
        sp_module_print(network);
    else
        puts("no description of a network");
    sp_error_clear();
}

static void print_metadata(const sp_safe_file *file)
{
    for (int64_t i = 0; i < sp_safe_num_metadata(file); i++) {
        const char *key = sp_safe_metadata_key(file, i);
        fputs(i ? "  " : "metadata\n  ", stdout);
        put_text(stdout, key);
        fputs(": ", stdout);
        put_text(stdout, sp_safe_metadata(file, key));
        fputc('\n', stdout);
    }
}

static void print_text(const char *path, const sp_safe_file *file)
{
    int64_t elements, bytes;
    count(file, &elements, &bytes);
    put_text(stdout, path);
    fputc('\n', stdout);
    print_network(file);
    printf("tensors\n");
    print_tensors(file);
    printf("%lld tensors, %lld parameters and buffers, %lld bytes\n", (long long)sp_safe_length(file),
           (long long)elements, (long long)bytes);
    print_metadata(file);
}

/* ---- as JSON ---- */

static void print_json_tensor(const sp_safe_file *file, int64_t i)
{
    char shape[256];
    write_shape(shape, sizeof shape, sp_safe_sizes(file, i));
    fputs("{\"name\":", stdout);
    json_text(stdout, sp_safe_name(file, i));
    printf(",\"dtype\":\"%s\",\"shape\":%s,\"elements\":%lld}", sp_dtype_name(sp_safe_dtype(file, i)), shape,
           (long long)elements_of(file, i));
}

static void print_json_metadata(const sp_safe_file *file)
{
    for (int64_t i = 0; i < sp_safe_num_metadata(file); i++) {
        const char *key = sp_safe_metadata_key(file, i);
        if (i > 0) fputc(',', stdout);
        json_text(stdout, key);
        fputc(':', stdout);
        json_text(stdout, sp_safe_metadata(file, key));
    }
}

static void print_json(const char *path, const sp_safe_file *file)
{
    int64_t elements, bytes;
    count(file, &elements, &bytes);
    fputs("{\"file\":", stdout);
    json_text(stdout, path);
    fputs(",\"tensors\":[", stdout);
    for (int64_t i = 0; i < sp_safe_length(file); i++) {
        if (i > 0) fputc(',', stdout);
        print_json_tensor(file, i);
    }
    printf("],\"elements\":%lld,\"bytes\":%lld,\"metadata\":{", (long long)elements, (long long)bytes);
    print_json_metadata(file);
    fputs("}}\n", stdout);
}

/* ---- about the program itself ---- */

static void print_build(bool json)
{
    static const char *const libraries[] = {
#if SP_HAVE_ZLIB
        "zlib",
#endif
#if SP_HAVE_PNG
        "libpng",
#endif
#if SP_HAVE_CGIF
        "cgif",
#endif
#if SP_HAVE_CURL
        "libcurl",
#endif
#if SP_HAVE_CRYPTO
        "libcrypto",
#endif
#if SP_HAVE_JANSSON
        "jansson",
#endif
#if SP_HAVE_CBLAS
        "cblas",
#endif
        NULL,
    };
    printf(json ? "{\"version\":\"%s\",\"isa\":\"%s\",\"threads\":%d,\"libraries\":["
                : "spusk %s\ninstruction set: %s\nthreads: %d\nbuilt with:",
           sp_version(), sp_isa(), sp_num_threads());
    for (int i = 0; libraries[i]; i++) {
        if (json)
            printf("%s\"%s\"", i ? "," : "", libraries[i]);
        else
            printf(" %s", libraries[i]);
    }
    puts(json ? "]}" : "");
}

static int info(const common *c)
{
    if (c->n_words == 0) return print_build(c->json), EXIT_FINE;
    const sp_safe_file *file = sp_safe_open(c->words[0]);
    if (!file) return EXIT_FAILED;
    if (c->json)
        print_json(c->words[0], file);
    else
        print_text(c->words[0], file);
    return EXIT_FINE;
}

int cmd_info(const command *self, int argc, char **argv)
{
    common c;
    struct poptOption table[] = {POPT_TABLEEND};
    int status = options_read(&c, self, table, argc, argv);
    if (status == -1) status = info(&c);
    options_free(&c);
    return status;
}
