/* MNIST (LeCun, Cortes, Burges, 1998) and Fashion-MNIST (Xiao, Rasul, Vollgraf, arXiv:1708.07747): where their files
 * are looked for, where they are fetched from, and the data sets that they make. */
#include "data_private.h"
#include "files.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- the tables ---- */

enum { IMAGES, LABELS, FILES };
enum { MOST_MIRRORS = 16, PATH_SIZE = 4096 };

/* One half, training or test. */
typedef struct half {
    sp__remote files[FILES];
    uint8_t first_labels[10]; /* tell the data sets apart, whose files have the same names */
} half;

typedef struct collection {
    const char *title;
    const char *cache;      /* its folder in the cache */
    const char *places[4];  /* below a root */
    const char *mirrors[4]; /* tried in turn */
    half halves[2];         /* training, test */
} collection;

/* The original host, yann.lecun.com, serves the files no more. */
static const collection mnist = {
    .title = "MNIST",
    .cache = "mnist",
    .places = {"mnist", "MNIST/raw", ""},
    .mirrors = {"https://ossci-datasets.s3.amazonaws.com/mnist", "https://storage.googleapis.com/cvdf-datasets/mnist"},
    .halves =
        {
            {{{"train-images-idx3-ubyte.gz", "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
               "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"},
              {"train-labels-idx1-ubyte.gz", "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
               "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"}},
             {5, 0, 4, 1, 9, 2, 1, 3, 1, 4}},
            {{{"t10k-images-idx3-ubyte.gz", "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
               "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"},
              {"t10k-labels-idx1-ubyte.gz", "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
               "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"}},
             {7, 2, 1, 0, 4, 1, 4, 9, 5, 9}},
        },
};

static const collection fashion = {
    .title = "Fashion-MNIST",
    .cache = "fashion-mnist",
    .places = {"fashion-mnist", "fashion", "FashionMNIST/raw", ""},
    .mirrors = {"http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
                "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion"},
    .halves =
        {
            {{{"train-images-idx3-ubyte.gz", "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84", NULL},
              {"train-labels-idx1-ubyte.gz", "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845", NULL}},
             {9, 0, 0, 3, 0, 2, 7, 2, 5, 5}},
            {{{"t10k-images-idx3-ubyte.gz", "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073", NULL},
              {"t10k-labels-idx1-ubyte.gz", "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5", NULL}},
             {9, 2, 1, 1, 6, 1, 4, 6, 5, 7}},
        },
};

/* A half that is being looked for. */
typedef struct search {
    const collection *family;
    const half *half;
    char paths[FILES][PATH_SIZE]; /* where its files were found */
    sp__text places;              /* that were looked at */
} search;

typedef enum found { ABSENT, FOUND, BROKEN } found;

/* ---- looking ---- */

/* Finds FOLDER/train-images-idx3-ubyte, with .gz or without, also as some archives name it: train-images.idx3-ubyte. */
static bool find_file(const char *folder, const char *name, char path[PATH_SIZE])
{
    size_t plain = strlen(name) - strlen(".gz");
    for (int form = 0; form < 4; form++) {
        int n = snprintf(path, PATH_SIZE, "%s/%.*s", folder, (int)(form % 2 ? plain : plain + 3), name);
        char *dash = strstr(path + strlen(folder), "-idx");
        if (form >= 2 && dash) *dash = '.';
        if (n < PATH_SIZE && access(path, R_OK) == 0) return true;
    }
    return false;
}

/* Looks into a folder; one of the two files without the other is an error. */
static found find_in(search *s, const char *folder)
{
    bool there[FILES];
    for (int i = 0; i < FILES; i++) there[i] = find_file(folder, s->half->files[i].name, s->paths[i]);
    sp__text_add(&s->places, "%s%s", s->places.length ? ", " : "", folder);
    if (there[IMAGES] == there[LABELS]) return there[IMAGES] ? FOUND : ABSENT;
    int have = there[IMAGES] ? IMAGES : LABELS;
    sp_raise(SP_ERROR_NOT_FOUND, "%s has no %s beside it, packed or not", s->paths[have],
             s->half->files[FILES - 1 - have].name);
    return BROKEN;
}

static found look_below(search *s, const char *root)
{
    if (!root || !*root) return ABSENT;
    size_t end = strlen(root);
    while (end > 1 && root[end - 1] == '/') end--;
    for (int i = 0; i < 4 && s->family->places[i]; i++) {
        char folder[PATH_SIZE];
        const char *place = s->family->places[i];
        int n = snprintf(folder, sizeof folder, "%.*s%s%s", (int)end, root, *place ? "/" : "", place);
        if (n >= PATH_SIZE) continue;
        found result = find_in(s, folder);
        if (result != ABSENT) return result;
    }
    return ABSENT;
}

/* $XDG_CACHE_HOME/spusk/mnist, or that in ~/.cache. */
static bool cache_folder(const collection *family, char folder[PATH_SIZE])
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    int n = PATH_SIZE;
    if (cache && *cache == '/')
        n = snprintf(folder, PATH_SIZE, "%s/spusk/%s", cache, family->cache);
    else if (home && *home)
        n = snprintf(folder, PATH_SIZE, "%s/.cache/spusk/%s", home, family->cache);
    return n < PATH_SIZE;
}

/* ---- fetching ---- */

/* The mirrors in use: those of SPUSK_MIRRORS, separated by spaces or commas, else the table's. */
static void list_mirrors(const collection *family, char *wish, size_t size, const char *mirrors[MOST_MIRRORS + 1])
{
    const char *named = getenv("SPUSK_MIRRORS");
    int n = 0;
    if (!named || !*named) {
        for (; n < 4 && family->mirrors[n]; n++) mirrors[n] = family->mirrors[n];
    } else {
        char *rest = NULL;
        snprintf(wish, size, "%s", named);
        for (char *m = strtok_r(wish, " ,\t\n", &rest); m && n < MOST_MIRRORS; m = strtok_r(NULL, " ,\t\n", &rest))
            mirrors[n++] = m;
    }
    mirrors[n] = NULL;
}

/* Has both files in the cache, fetching what is missing there. */
static sp_status fetch(search *s, const char *cache, bool quiet)
{
    char wish[PATH_SIZE];
    const char *mirrors[MOST_MIRRORS + 1];
    list_mirrors(s->family, wish, sizeof wish, mirrors);
    sp__text troubles = {0};
    for (int i = 0; i < FILES; i++) {
        const sp__remote *file = &s->half->files[i];
        if (find_file(cache, file->name, s->paths[i])) continue;
        if (!sp__download(file, mirrors, cache, quiet, &troubles)) {
            return sp_raise(SP_ERROR_NOT_FOUND, "%s is not in %s, and %s could not be downloaded%s", s->family->title,
                            s->places.text, file->name, troubles.length ? troubles.text : ": no mirror is named");
        }
        if (!find_file(cache, file->name, s->paths[i]))
            return sp_raise(SP_ERROR_IO, "%s was downloaded to %s, but is not there", file->name, cache);
    }
    return SP_OK;
}

static sp_status locate(search *s, const char *root, const sp_data_options *options)
{
    found result = look_below(s, root);
    if (result == ABSENT) result = look_below(s, getenv("SPUSK_DATA"));
    if (result != ABSENT) return result == FOUND ? SP_OK : sp_error_status();
    char cache[PATH_SIZE];
    if (!cache_folder(s->family, cache))
        return sp_raise(SP_ERROR_NOT_FOUND, "%s is not in %s, and there is no cache: HOME is not set", s->family->title,
                        s->places.length ? s->places.text : "any place named");
    bool all = true;
    for (int i = 0; i < FILES; i++) all = find_file(cache, s->half->files[i].name, s->paths[i]) && all;
    if (all) return SP_OK;
    sp__text_add(&s->places, "%s%s", s->places.length ? ", " : "", cache);
    if (!options->no_download) return fetch(s, cache, options->quiet);
    return sp_raise(SP_ERROR_NOT_FOUND, "%s is not in %s (and was not to be downloaded)", s->family->title,
                    s->places.text);
}

/* ---- the data set ---- */

typedef struct mnist_data {
    sp__images images;
    sp_tensor *bytes, *label_bytes; /* u8 (n, 28, 28), u8 (n) */
    const uint8_t *pixels, *labels; /* their memory */
} mnist_data;

/* NOLINTNEXTLINE(readability-non-const-parameter): other data sets write to the scratch. */
static const uint8_t *mnist_image(sp__images *images, int64_t i, uint8_t *scratch, int64_t *label)
{
    (void)scratch;
    const mnist_data *data = (const mnist_data *)images;
    *label = data->labels[i];
    return data->pixels + i * SP__PIXELS;
}

static void mnist_destroy(sp_dataset *dataset)
{
    mnist_data *data = (mnist_data *)dataset;
    sp_drop(data->images.transform);
    sp_drop(data->bytes);
    sp_drop(data->label_bytes);
}

static const sp__data_type mnist_type = {
    .length = sp__images_length,
    .get = sp__images_get,
    .batch = sp__images_batch,
    .destroy = mnist_destroy,
};

/* The files of both data sets have the same names, so a root can hold the wrong one. */
static sp_status check_family(const search *s, const uint8_t *labels, int64_t n)
{
    const collection *other = s->family == &mnist ? &fashion : &mnist;
    size_t size = sizeof s->half->first_labels;
    for (int i = 0; i < 2; i++) {
        if (n < (int64_t)size || memcmp(labels, other->halves[i].first_labels, size) != 0) continue;
        return sp_raise(SP_ERROR_FORMAT, "%s: this is %s, not %s", s->paths[LABELS], other->title, s->family->title);
    }
    return SP_OK;
}

static sp_status read_files(mnist_data *data, const search *s)
{
    sp_scope scope = sp_scope_open();
    sp_tensor *labels = sp__idx_labels(s->paths[LABELS]);
    sp_tensor *images = labels ? sp__idx_images(s->paths[IMAGES]) : NULL;
    sp_status status = images ? SP_OK : sp_error_status();
    if (images && sp_size(images, 0) != sp_size(labels, 0)) {
        status = sp_raise(SP_ERROR_FORMAT, "%s holds %lld images, but %s holds %lld labels", s->paths[IMAGES],
                          (long long)sp_size(images, 0), s->paths[LABELS], (long long)sp_size(labels, 0));
    }
    if (!status) status = check_family(s, sp_const_data(labels), sp_size(labels, 0));
    if (!status) {
        data->bytes = sp_retain(images);
        data->label_bytes = sp_retain(labels);
        data->pixels = sp_const_data(images);
        data->labels = sp_const_data(labels);
        data->images.length = sp_size(images, 0);
    }
    sp_scope_close(&scope);
    return status;
}

/* "MNIST, 60000 images, /path": the length is known only once the files are read. */
static sp_status describe(mnist_data *data, const search *s)
{
    char text[PATH_SIZE + 64];
    const char *images = s->paths[IMAGES];
    int folder = (int)(strrchr(images, '/') - images);
    snprintf(text, sizeof text, "%s, %lld images, %.*s", s->family->title, (long long)data->images.length, folder,
             images);
    return sp__dataset_describe(&data->images.base, text);
}

static sp_dataset *load(const collection *family, const char *root, const sp_data_options *given)
{
    sp_data_options options;
    sp_options_copy(&options, sizeof options, given);
    search s = {.family = family, .half = &family->halves[options.test]};
    if (locate(&s, root, &options)) return NULL;
    mnist_data *data = sp__dataset_new(&mnist_type, sizeof *data, SP__IMAGE_CLASSES, "%s", family->title);
    if (!data) return NULL;
    data->images.image = mnist_image;
    if (!sp__images_set_transform(&data->images, options.transform) && !read_files(data, &s) && !describe(data, &s))
        return &data->images.base;
    sp_release(data);
    return NULL;
}

sp_dataset *(sp_data_mnist)(const char *root, const sp_data_options *options)
{
    return load(&mnist, root, options);
}

sp_dataset *(sp_data_fashion_mnist)(const char *root, const sp_data_options *options)
{
    return load(&fashion, root, options);
}
