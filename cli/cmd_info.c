/* spusk info FILE: what is in a weights file. */
#include "cli.h"

#include <stdlib.h>
#include <string.h>

/* A metadata value, or key number i, to be freed. NULL when there is none. */
static char *metadata_text(const char *path, const char *key, int64_t i)
{
    int64_t n = key ? sp_load_metadata(path, key, NULL, 0) : sp_load_metadata_key(path, i, NULL, 0);
    char *text = n >= 0 ? malloc((size_t)n + 1) : NULL;
    if (!text) return NULL;
    if (key)
        sp_load_metadata(path, key, text, (size_t)n + 1);
    else
        sp_load_metadata_key(path, i, text, (size_t)n + 1);
    return text;
}

static void write_shape(char *text, size_t size, const sp_tensor *x)
{
    sp_dims sizes = sp_sizes(x);
    size_t used = (size_t)snprintf(text, size, "[");
    for (int d = 0; d < sizes.n; d++)
        used += (size_t)snprintf(text + used, size - used, "%s%lld", d ? ", " : "", (long long)sizes.data[d]);
    snprintf(text + used, size - used, "]");
}

static void count(const sp_dict *state, int64_t *elements, int64_t *bytes)
{
    *elements = *bytes = 0;
    for (int64_t i = 0; i < sp_dict_size(state); i++) {
        const sp_tensor *x = sp_dict_get(state, i);
        *elements += sp_numel(x);
        *bytes += sp_numel(x) * (int64_t)sp_dtype_size(sp_dtype_of(x));
    }
}

/* ---- as text ---- */

static void print_tensors(const sp_dict *state)
{
    char shape[256];
    int longest = 4;
    for (int64_t i = 0; i < sp_dict_size(state); i++) {
        int n = (int)strlen(sp_dict_name(state, i));
        if (n > longest) longest = n;
    }
    for (int64_t i = 0; i < sp_dict_size(state); i++) {
        const sp_tensor *x = sp_dict_get(state, i);
        write_shape(shape, sizeof shape, x);
        printf("  %-*s  %-8s  %-16s %10lld\n", longest, sp_dict_name(state, i), sp_dtype_name(sp_dtype_of(x)), shape,
               (long long)sp_numel(x));
    }
}

/* The network as PyTorch prints it; a file of another program may describe one that this one does not know. */
static void print_network(const char *path)
{
    char *json = metadata_text(path, "spusk.model", 0);
    sp_module *network = json ? sp_module_from_json(json) : NULL;
    if (network)
        sp_module_print(network);
    else
        puts("no description of a network");
    free(json);
    sp_error_clear();
}

static void print_metadata(const char *path)
{
    char *key;
    for (int64_t i = 0; (key = metadata_text(path, NULL, i)); i++) {
        char *value = metadata_text(path, key, 0);
        printf("%s  %s: %s\n", i ? "" : "metadata\n", key, value ? value : "");
        free(value);
        free(key);
    }
}

static void print_text(const char *path, const sp_dict *state)
{
    int64_t elements, bytes;
    count(state, &elements, &bytes);
    printf("%s\n", path);
    print_network(path);
    printf("tensors\n");
    print_tensors(state);
    printf("%lld tensors, %lld parameters and buffers, %lld bytes\n", (long long)sp_dict_size(state),
           (long long)elements, (long long)bytes);
    print_metadata(path);
}

/* ---- as JSON ---- */

static void print_json_tensor(const char *name, const sp_tensor *x)
{
    char shape[256];
    write_shape(shape, sizeof shape, x);
    fputs("{\"name\":", stdout);
    json_text(stdout, name);
    printf(",\"dtype\":\"%s\",\"shape\":%s,\"elements\":%lld}", sp_dtype_name(sp_dtype_of(x)), shape,
           (long long)sp_numel(x));
}

static void print_json_metadata(const char *path)
{
    char *key;
    for (int64_t i = 0; (key = metadata_text(path, NULL, i)); i++) {
        char *value = metadata_text(path, key, 0);
        if (i > 0) fputc(',', stdout);
        json_text(stdout, key);
        fputc(':', stdout);
        json_text(stdout, value ? value : "");
        free(value);
        free(key);
    }
}

static void print_json(const char *path, const sp_dict *state)
{
    int64_t elements, bytes;
    count(state, &elements, &bytes);
    fputs("{\"file\":", stdout);
    json_text(stdout, path);
    fputs(",\"tensors\":[", stdout);
    for (int64_t i = 0; i < sp_dict_size(state); i++) {
        if (i > 0) fputc(',', stdout);
        print_json_tensor(sp_dict_name(state, i), sp_dict_get(state, i));
    }
    printf("],\"elements\":%lld,\"bytes\":%lld,\"metadata\":{", (long long)elements, (long long)bytes);
    print_json_metadata(path);
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
    sp_dict *state = sp_load_tensors(c->words[0]);
    if (!state) return EXIT_FAILED;
    if (c->json)
        print_json(c->words[0], state);
    else
        print_text(c->words[0], state);
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
