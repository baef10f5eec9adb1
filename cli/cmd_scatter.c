/* spusk scatter FILE: the plane of an autoencoder's codes: where the digits lie in it, and what is drawn from each
 * place of it. */
#include "cli.h"

#include <limits.h>
#include <stdlib.h>

typedef struct scatter_options {
    common common;
    char *dataset, *title;
    int grid, all_points;
    dataset_options data;
    char points[PATH_MAX], drawn[PATH_MAX];
} scatter_options;

static bool check(scatter_options *o)
{
    const common *c = &o->common;
    o->data.name = o->dataset ? o->dataset : "mnist";
    return dataset_known(c, o->data.name) && in_range(c, "--grid", o->grid, 2, 100) &&
           in_range(c, "--limit", (double)o->data.limit, 0, 1e12) && make_out(c) &&
           output_path(c, "scatter.png", o->points, sizeof o->points) &&
           output_path(c, "code-grid.png", o->drawn, sizeof o->drawn) && writable(c, o->points) &&
           writable(c, o->drawn);
}

static int compare(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* Where all codes but the outermost fiftieth at either side lie along one axis. */
static bool find_range(sp_tensor *codes, int axis, double *low, double *high)
{
    sp_tensor *along = sp_clone(sp_cast(sp_select(codes, 1, axis), SP_F32));
    float *values = sp_data(along);
    const int64_t n = sp_numel(along);
    if (!values || n == 0) return false;
    qsort(values, (size_t)n, sizeof *values, compare);
    *low = (double)values[n / 50];
    *high = (double)values[n - 1 - n / 50];
    return true;
}

static sp_status draw_grid(const scatter_options *o, sp_module *model, sp_tensor *codes)
{
    double left, right, bottom, top;
    if (!find_range(codes, 0, &left, &right) || !find_range(codes, 1, &bottom, &top)) return sp_error_status();
    sp_tensor *grid = sp_code_grid(o->grid, o->grid, left, right, bottom, top);
    return sp_plot_images(o->drawn, sp_decode(model, grid), .columns = o->grid, .scale = 2, .tight = true);
}

static sp_status draw_points(const scatter_options *o, const sp_example *codes)
{
    return sp_plot_scatter(
        o->points, codes->x, codes->y, .title = o->title ? o->title : "codes of the validation digits",
        .x_label = "first number of the code", .y_label = "second number", .all_points = o->all_points != 0);
}

static int draw(scatter_options *o, sp_module *model)
{
    const common *c = &o->common;
    char more[80];
    sp_dataset *data = dataset_open(c, &o->data, true);
    int64_t size = data ? sp_code_size(model, sp_data_get(data, 0).x) : 0;
    if (size == 0) return EXIT_FAILED;
    if (size != 2) {
        complain(c, "the codes of %s have %lld numbers; only codes of 2 lie in a plane (spusk autoencode --code 2)",
                 c->words[0], (long long)size);
        return EXIT_FAILED;
    }
    sp_example codes = sp_encode_all(model, data);
    if (!codes.x || draw_grid(o, model, codes.x) != SP_OK) return EXIT_FAILED;
    snprintf(more, sizeof more, " (what the decoder draws over the plane, %d by %d)", o->grid, o->grid);
    note_written(c, o->drawn, more);
    /* Last, because it needs gnuplot. */
    if (draw_points(o, &codes) != SP_OK) return EXIT_FAILED;
    snprintf(more, sizeof more, " (%lld digits)", (long long)sp_size(codes.x, 0));
    note_written(c, o->points, more);
    return EXIT_FINE;
}

static int scatter(scatter_options *o)
{
    if (!check(o)) return EXIT_WRONG_USE;
    sp_module *model = load_network(&o->common, o->common.words[0], NULL);
    int status = EXIT_FAILED;
    if (!model || !is_autoencoder(&o->common, model)) return status;
    SP_NO_GRAD {
        status = draw(o, model);
    }
    return status;
}

int cmd_scatter(const command *self, int argc, char **argv)
{
    scatter_options o = {.grid = 20};
    struct poptOption table[] = {
        {"grid", '\0', POPT_ARG_INT, &o.grid, 0, "codes along a side of the picture of decoded codes (20)", "N"},
        {"all-points", '\0', POPT_ARG_NONE, &o.all_points, 0, "axes that hold outliers, too", NULL},
        {"title", '\0', POPT_ARG_STRING, &o.title, 0, "of the scatter", "TEXT"},
        {"dataset", '\0', POPT_ARG_STRING, &o.dataset, 0, "mnist (default), fashion or synthetic", "NAME"},
        {"limit", '\0', POPT_ARG_LONGLONG, &o.data.limit, 0, "as in spusk train: the first N/6 examples (0: all)", "N"},
        POPT_TABLEEND,
    };
    int status = options_read(&o.common, self, table, argc, argv);
    if (status == -1) status = scatter(&o);
    options_free(&o.common);
    return status;
}
