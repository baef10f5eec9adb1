/* The data sets by name, and what happens when MNIST is not to be had. */
#include "cli.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef sp_dataset *opener(const char *root, const sp_data_options *options);

static sp_dataset *open_synthetic(const char *root, const sp_data_options *options)
{
    (void)root;
    return (sp_data_synthetic_digits)(options);
}

static sp_dataset *open_mnist(const char *root, const sp_data_options *options)
{
    return (sp_data_mnist)(root, options);
}

static sp_dataset *open_fashion(const char *root, const sp_data_options *options)
{
    return (sp_data_fashion_mnist)(root, options);
}

static const struct {
    const char *name;
    opener *open;
    bool replaceable; /* synthetic digits can stand in for it */
} kinds[] = {
    {"mnist", open_mnist, true},
    {"fashion", open_fashion, false},
    {"synthetic", open_synthetic, false},
};
#define N_KINDS (int)(sizeof kinds / sizeof *kinds)

static int find(const common *c, const char *name)
{
    return choose_row(c, "--dataset", kinds, N_KINDS, sizeof *kinds, name);
}

bool dataset_known(const common *c, const char *name)
{
    struct stat about;
    if (find(c, name) < 0) return false;
    if (!c->data || (stat(c->data, &about) == 0 && S_ISDIR(about.st_mode))) return true;
    complain(c, "--data is '%s', which is not a folder", c->data);
    return false;
}

static void ignore(sp_status status, const char *message, void *user)
{
    (void)status, (void)message, (void)user;
}

static void report(sp_status status, const char *message, void *user)
{
    (void)user;
    fprintf(stderr, "spusk: %s%s\n", status == SP_WARNING ? "warning: " : "", message);
}

/* A folder that the user named must hold the data, and data that is there but broken is an error to report. Digits are
 * drawn only where nobody has named a folder and nothing is found. */
static bool may_replace(const common *c, sp_status status)
{
    const char *variable = getenv("SPUSK_DATA");
    return status == SP_ERROR_NOT_FOUND && !c->data && !(variable && *variable);
}

static sp_dataset *open_or_replace(const common *c, dataset_options *options, const sp_data_options *data)
{
    int kind = find(c, options->name);
    if (kind < 0) return NULL;
    if (!kinds[kind].replaceable) return kinds[kind].open(c->data, data);
    sp_set_error_handler(ignore, NULL);
    sp_dataset *dataset = kinds[kind].open(c->data, data);
    sp_set_error_handler(report, NULL);
    if (dataset) return dataset;
    if (!may_replace(c, sp_error_status())) {
        report(sp_error_status(), sp_error_message(), NULL);
        return NULL;
    }
    fprintf(stderr, "spusk: no MNIST (%s); drawing synthetic digits instead\n", sp_error_message());
    sp_error_clear();
    options->name = "synthetic";
    return open_synthetic(NULL, data);
}

/* Distortions come before the normalisation, because beyond an image they read 0, the value of its background. */
static bool choose_transform(const dataset_options *options, bool validation, sp_transform **transform)
{
    const bool distorts = !validation && options->augment && *options->augment;
    sp_transform *distort = distorts ? sp_transform_by_name(options->augment) : NULL, *normalize = NULL;
    if (options->normal.std > 0) normalize = sp_transform_normalize(options->normal.mean, options->normal.std);
    *transform = distort && normalize ? sp_transform_compose(distort, normalize) : distort ? distort : normalize;
    return sp_error_status() == SP_OK;
}

void print_data(const sp_dataset *train, const sp_dataset *validation)
{
    fputs("data: ", stdout);
    put_text(stdout, sp_data_description(train));
    printf("; %lld to validate\n", (long long)sp_data_length(validation));
}

void json_dataset(FILE *file, const sp_dataset *dataset)
{
    fputs(",\"data\":", file);
    json_text(file, sp_data_description(dataset));
}

sp_loader *evaluation_loader(sp_dataset *dataset, int workers)
{
    return sp_data_loader(dataset, .batch_size = 1000, .num_workers = workers);
}

sp_dataset *dataset_open(const common *c, dataset_options *options, bool validation)
{
    long long limit = validation && options->limit > 0 ? (options->limit + 5) / 6 : options->limit;
    sp_data_options data = {
        .size = sizeof data, .test = validation, .quiet = options->quiet, .length = limit, .seed = (uint64_t)c->seed};
    if (!choose_transform(options, validation, &data.transform)) return NULL;
    sp_dataset *dataset = open_or_replace(c, options, &data);
    if (!dataset || limit == 0 || sp_data_length(dataset) <= limit) return dataset;
    return sp_data_subset(dataset, sp_arange((int64_t)0, (int64_t)limit, (int64_t)1));
}
