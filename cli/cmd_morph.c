/* spusk morph FILE: a closed walk through the codes of some digits, as a movie. */
#include "cli.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_DIGITS = 10000 };

typedef struct morph_options {
    common common;
    char *dataset, *output, *indices, *classes;
    int digits, steps, scale, spherical;
    double fps;
    dataset_options data;
} morph_options;

/* ---- which digits ---- */

/* Reads "3,1,4" as whole numbers from 0 to `most`. Returns how many, or 0 after saying what is wrong. */
static int64_t read_list(const common *c, const char *option, const char *text, double most, int64_t *list)
{
    int64_t n = 0;
    for (const char *at = text; n < MOST_DIGITS; at++) {
        char *end;
        const long long value = strtoll(at, &end, 10);
        if (end == at || (*end && *end != ',')) {
            complain(c, "%s is '%s'; it is numbers with commas between, like 3,1,4", option, text);
            return 0;
        }
        if (!in_range(c, option, (double)value, 0, most)) return 0;
        list[n++] = value;
        at = end;
        if (!*end) return n;
    }
    complain(c, "%s names more than %d digits", option, MOST_DIGITS);
    return 0;
}

/* n different examples, drawn at random. */
static int64_t draw_indices(int64_t n, int64_t length, int64_t *list)
{
    sp_tensor *order = sp_randperm(length);
    for (int64_t i = 0; order && i < n; i++) list[i] = sp_item_i64(sp_select(order, 0, i));
    return order ? n : 0;
}

/* For each class in turn an example of it, drawn at random, none twice while there are others. */
static int64_t draw_of_classes(const common *c, int64_t *list, int64_t n, sp_dataset *data)
{
    const int64_t length = sp_data_length(data);
    sp_tensor *order = sp_randperm(length);
    int64_t at = 0;
    for (int64_t i = 0, tried = 0; order && i < n; at++) {
        const int64_t index = sp_item_i64(sp_select(order, 0, at % length));
        bool found = false;
        SP_SCOPE {
            found = sp_item_i64(sp_data_get(data, index).y) == list[i];
        }
        tried = found ? 0 : tried + 1;
        if (found) list[i++] = index;
        if (tried < length) continue;
        complain(c, "--classes: there is no %lld among the digits", (long long)list[i]);
        return 0;
    }
    return order ? n : 0;
}

static int64_t choose(const morph_options *o, sp_dataset *data, int64_t *list)
{
    const common *c = &o->common;
    const int64_t length = sp_data_length(data);
    int64_t n = o->digits;
    if (o->indices) n = read_list(c, "--indices", o->indices, (double)(length - 1), list);
    if (o->classes) n = read_list(c, "--classes", o->classes, 1e9, list);
    if (n == 0) return 0;
    if (n < 2) {
        complain(c, "a morph of one digit stands still: choose at least 2");
        return 0;
    }
    if (o->indices) return n;
    if (o->classes) return draw_of_classes(c, list, n, data);
    return in_range(c, "--digits", (double)n, 2, (double)length) ? draw_indices(n, length, list) : 0;
}

/* ---- the frames ---- */

static sp_tensor *codes_of(sp_module *model, sp_dataset *data, const int64_t *list, int64_t n)
{
    sp_list *images = sp_list_new(NULL, 0);
    for (int64_t i = 0; i < n; i++)
        if (sp_list_append(images, sp_data_get(data, list[i]).x) != SP_OK) return NULL;
    return sp_encode(model, sp_stack(images, 0));
}

/* NULL after saying what is wrong; then *status is the exit status to end with. */
static sp_tensor *make_frames(const morph_options *o, sp_module *model, int *status)
{
    dataset_options options = o->data;
    sp_dataset *data = dataset_open(&o->common, &options, true);
    int64_t *list = data ? malloc(MOST_DIGITS * sizeof *list) : NULL, n = list ? choose(o, data, list) : 0;
    if (data && !list) complain(&o->common, "out of memory");
    sp_tensor *codes = n ? codes_of(model, data, list, n) : NULL;
    free(list);
    *status = list && n == 0 && sp_error_status() == SP_OK ? EXIT_WRONG_USE : EXIT_FAILED;
    if (n == 0) return NULL;
    sp_tensor *frames = sp_decode(model, sp_morph(codes, o->steps, .spherical = o->spherical != 0));
    if (frames && sp_ndim(frames) == 4 && sp_size(frames, 1) == 1) frames = sp_squeeze_dim(frames, 1);
    return frames;
}

/* ---- the files ---- */

static sp_status write_movie(const morph_options *o, sp_tensor *frames, const char *path)
{
    sp_status status = SP_OK;
    char length[80];
    SP_SCOPE {
        sp_movie *movie = sp_movie_new(path, .fps = o->fps, .scale = o->scale, .title = "A morph through digits");
        for (int64_t i = 0; movie && i < sp_size(frames, 0) && status == SP_OK; i++)
            status = sp_movie_frame(movie, sp_select(frames, 0, i));
        if (status == SP_OK) status = movie ? sp_movie_close(movie) : sp_error_status();
    }
    const long long n = (long long)sp_size(frames, 0);
    snprintf(length, sizeof length, " (%lld frames, %.4g s)", n, (double)n / o->fps);
    if (status == SP_OK) note_written(&o->common, path, length);
    return status;
}

/* The GIF comes first, because it needs nothing but the library. The library has said what the other formats lack; that
 * is no failure. */
static int write_all(const morph_options *o, sp_tensor *frames)
{
    static const char *const names[] = {"morph.gif", "morph.mp4", "morph.html"};
    char path[PATH_MAX];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!output_path(&o->common, names[i], path, sizeof path)) return EXIT_WRONG_USE;
        if (write_movie(o, frames, path) == SP_OK) continue;
        const sp_status status = sp_error_clear();
        if (i > 0 && (status == SP_ERROR_NOT_FOUND || status == SP_ERROR_UNSUPPORTED)) break;
        return EXIT_FAILED;
    }
    return EXIT_FINE;
}

static bool check_outputs(const morph_options *o)
{
    static const char *const names[] = {"morph.gif", "morph.mp4", "morph.html"};
    const common *c = &o->common;
    char path[PATH_MAX];
    if (!make_out(c)) return false;
    for (int i = 0; i < (o->output ? 1 : 3); i++) {
        const char *name = o->output ? o->output : names[i];
        if (!output_path(c, name, path, sizeof path) || !writable(c, path)) return false;
    }
    return true;
}

static bool check(morph_options *o)
{
    const common *c = &o->common;
    o->data.name = o->dataset ? o->dataset : "mnist";
    if (o->indices && o->classes) {
        complain(c, "--indices and --classes both choose the digits: give one of them");
        return false;
    }
    if (o->digits == 1) {
        complain(c, "a morph of one digit stands still: choose at least 2");
        return false;
    }
    return dataset_known(c, o->data.name) && in_range(c, "--digits", o->digits, 2, MOST_DIGITS) &&
           in_range(c, "--steps", o->steps, 1, 10000) && in_range(c, "--fps", o->fps, 0.1, 200) &&
           in_range(c, "--scale", o->scale, 0, 64) && in_range(c, "--limit", (double)o->data.limit, 0, 1e12) &&
           check_outputs(o);
}

static int morph(morph_options *o)
{
    if (!check(o)) return EXIT_WRONG_USE;
    sp_module *model = load_network(&o->common, o->common.words[0], NULL);
    int status = EXIT_FAILED;
    if (!model || !is_autoencoder(&o->common, model)) return status;
    SP_NO_GRAD {
        char path[PATH_MAX];
        sp_tensor *frames = make_frames(o, model, &status);
        if (frames && !o->output) status = write_all(o, frames);
        if (frames && o->output && output_path(&o->common, o->output, path, sizeof path))
            status = write_movie(o, frames, path) == SP_OK ? EXIT_FINE : EXIT_FAILED;
    }
    return status;
}

int cmd_morph(const command *self, int argc, char **argv)
{
    morph_options o = {.digits = 30, .steps = 20, .fps = 20};
    struct poptOption table[] = {
        {"digits", '\0', POPT_ARG_INT, &o.digits, 0, "how many of the validation half, drawn at random (30)", "N"},
        {"indices", '\0', POPT_ARG_STRING, &o.indices, 0, "these instead, by their numbers: 5,71,8", "LIST"},
        {"classes", '\0', POPT_ARG_STRING, &o.classes, 0, "one of each of these instead: 0,1,2,3", "LIST"},
        {"steps", '\0', POPT_ARG_INT, &o.steps, 0, "from one digit to the next (20)", "N"},
        {"spherical", '\0', POPT_ARG_NONE, &o.spherical, 0, "along arcs around the origin, not straight lines", NULL},
        {"fps", '\0', POPT_ARG_DOUBLE, &o.fps, 0, "frames a second (20)", "X"},
        {"scale", '\0', POPT_ARG_INT, &o.scale, 0, "pixels a pixel (10)", "N"},
        {"dataset", '\0', POPT_ARG_STRING, &o.dataset, 0, "mnist (default), fashion or synthetic", "NAME"},
        {"limit", '\0', POPT_ARG_LONGLONG, &o.data.limit, 0, "as in spusk train: the first N/6 examples (0: all)", "N"},
        {"output", 'o', POPT_ARG_STRING, &o.output, 0, "one file, by its end .gif, .mp4 or .html (all three)", "FILE"},
        POPT_TABLEEND,
    };
    int status = options_read(&o.common, self, table, argc, argv);
    if (status == -1) status = morph(&o);
    options_free(&o.common);
    return status;
}
