/* MNIST (LeCun, Cortes, Burges, 1998) and Fashion-MNIST (Xiao, Rasul, Vollgraf, arXiv:1708.07747): their files, and the
 * data sets that they make. */
#include "data_private.h"
#include "files.h"

#include <stdio.h>

/* ---- the tables ---- */

/* The original host, yann.lecun.com, serves the files no more. */
static const sp__collection mnist = {
    .title = "MNIST",
    .cache = "mnist",
    .places = {"mnist", "MNIST/raw", ""},
    .mirrors = {"https://ossci-datasets.s3.amazonaws.com/mnist", "https://storage.googleapis.com/cvdf-datasets/mnist"},
    .halves =
        {
            {{{"train-images-idx3-ubyte.gz", "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
               "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db", 47040016},
              {"train-labels-idx1-ubyte.gz", "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
               "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5", 60008}},
             {5, 0, 4, 1, 9, 2, 1, 3, 1, 4}},
            {{{"t10k-images-idx3-ubyte.gz", "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
               "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7", 7840016},
              {"t10k-labels-idx1-ubyte.gz", "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
               "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2", 10008}},
             {7, 2, 1, 0, 4, 1, 4, 9, 5, 9}},
        },
};

static const sp__collection fashion = {
    .title = "Fashion-MNIST",
    .cache = "fashion-mnist",
    .places = {"fashion-mnist", "fashion", "FashionMNIST/raw", ""},
    .mirrors = {"http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
                "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion"},
    .halves =
        {
            {{{"train-images-idx3-ubyte.gz", "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84", NULL,
               47040016},
              {"train-labels-idx1-ubyte.gz", "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845", NULL,
               60008}},
             {9, 0, 0, 3, 0, 2, 7, 2, 5, 5}},
            {{{"t10k-images-idx3-ubyte.gz", "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073", NULL,
               7840016},
              {"t10k-labels-idx1-ubyte.gz", "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5", NULL,
               10008}},
             {9, 2, 1, 1, 6, 1, 4, 6, 5, 7}},
        },
};

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
static sp_status check_family(const sp__search *s, const uint8_t *labels, int64_t n)
{
    const sp__collection *other = s->family == &mnist ? &fashion : &mnist;
    size_t size = sizeof other->halves[0].first_labels;
    for (int i = 0; i < 2; i++) {
        if (n < (int64_t)size || memcmp(labels, other->halves[i].first_labels, size) != 0) continue;
        return sp_raise(SP_ERROR_FORMAT, "%s: this is %s, not %s", s->paths[SP__LABELS], other->title,
                        s->family->title);
    }
    return SP_OK;
}

static sp_status read_files(mnist_data *data, const sp__search *s)
{
    sp_scope scope = sp_scope_open();
    sp_tensor *labels = sp__idx_labels(s->paths[SP__LABELS]);
    sp_tensor *images = labels ? sp__idx_images(s->paths[SP__IMAGES]) : NULL;
    sp_status status = images ? SP_OK : sp_error_status();
    if (images && sp_size(images, 0) != sp_size(labels, 0)) {
        status = sp_raise(SP_ERROR_FORMAT, "%s holds %lld images, but %s holds %lld labels", s->paths[SP__IMAGES],
                          (long long)sp_size(images, 0), s->paths[SP__LABELS], (long long)sp_size(labels, 0));
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

/* Other data sets have the same file names. A data set whose checksums are unknown is not called by the name. */
static const char *doubt(const mnist_data *data, const sp__search *s)
{
    static const char *const words[3][3] = {[SP__UNCHECKED] = {"", "", " (the checksum of its labels is another's)"},
                                            [SP__SAME] = {"", "", " (by checksum its images are, its labels are not)"},
                                            [SP__OTHER] = {" (the checksum of its images is another's)",
                                                           " (by checksum its labels are, its images are not)",
                                                           " (the checksums of its images and labels are others)"}};
    const sp__remote *files = s->family->halves[s->test].files;
    const sp__match images = sp__idx_compare(data->bytes, files[SP__IMAGES].content);
    return words[images][sp__idx_compare(data->label_bytes, files[SP__LABELS].content)];
}

/* "MNIST, 60000 images, /path": the length is known only once the files are read. */
static sp_status describe(mnist_data *data, const sp__search *s)
{
    char text[SP__PATH_SIZE + 256];
    const char *images = s->paths[SP__IMAGES], *doubts = doubt(data, s);
    const int folder = (int)(strrchr(images, '/') - images);
    snprintf(text, sizeof text, "%s%s, %lld images, %.*s%s", *doubts ? "unrecognised data under the names of " : "",
             s->family->title, (long long)data->images.length, folder, images, doubts);
    return sp__dataset_describe(&data->images.base, text);
}

static sp_dataset *load(const sp__collection *family, const char *root, const sp_data_options *given)
{
    sp_data_options options;
    sp_options_copy(&options, sizeof options, given);
    sp__search s = {.family = family, .test = options.test};
    if (sp__locate(&s, root, !options.no_download, options.quiet)) return NULL;
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
