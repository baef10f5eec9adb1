/* spusk descent: optimisers walk down a surface from one place; a picture of their paths, a movie, their values. */
#include "descent.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_PATHS 10
#define GRID 161
/* A walk this far from 0 has left for good. */
#define FAR 1e6
/* Values are drawn by their distance from the lowest, on a logarithmic scale that ends here. */
#define SMALL 1e-12

/* ---- walks ---- */

typedef struct walk {
    const rule *rule;
    double lr, clip; /* clip 0: none */
    sp_series *path, *values;
    double end[2], value; /* where it ended */
    int64_t steps;        /* fewer than asked for when it left */
} walk;

typedef struct descent {
    const common *c;
    char *surface, *optimizers, *rates, *start, *name, *movie;
    int steps;
    double clip, fps;
    int both;
    sp_surface *ground;
    const sp_surface_about *about;
    double from[2];
    walk walks[MAX_PATHS];
    int n_walks;
} descent;

static void note(walk *w, int64_t step, const double p[2], double value, double lowest)
{
    sp_series_push_xy(w->path, p[0], p[1]);
    sp_series_push_xy(w->values, (double)step, fmax(value - lowest, SMALL));
    memcpy(w->end, p, sizeof w->end);
    w->value = value;
    w->steps = step;
}

static bool left(const double p[2], double value)
{
    return !isfinite(value) || !(fabs(p[0]) < FAR && fabs(p[1]) < FAR);
}

static void walk_down(const descent *d, walk *w)
{
    sp_tensor *p = sp_from_data(d->from, SP_DIMS(2), .dtype = SP_F64, .requires_grad = true);
    sp_list *parameters = SP_LIST(p);
    sp_optimizer *optimizer = w->rule->make(parameters, w->lr);
    for (int64_t step = 0; step <= d->steps && optimizer && sp_error_status() == SP_OK; step++) {
        bool lost = false;
        SP_SCOPE {
            sp_zero_grad(optimizer);
            sp_tensor *value = sp_surface_value(d->ground, p);
            sp_backward(value);
            double at[2] = {NAN, NAN};
            sp_copy_out(at, p, sizeof at);
            note(w, step, at, sp_item(value), d->about->lowest);
            lost = left(at, w->value);
            if (w->clip > 0) sp_clip_grad_norm_(parameters, w->clip);
            sp_step(optimizer);
        }
        if (lost) break;
    }
}

/* The distance to the nearest minimum. */
static double distance(const descent *d, const walk *w)
{
    double least = INFINITY;
    for (int i = 0; i < d->about->n_minima; i++)
        least = fmin(least, hypot(w->end[0] - d->about->minima[i][0], w->end[1] - d->about->minima[i][1]));
    return least;
}

/* ---- the command line ---- */

/* Reads one number of a list "a,b,c" and moves *text behind it and its comma. False after saying what is wrong. */
static bool take_number(const common *c, const char *option, const char **text, double *number)
{
    char *end = NULL;
    errno = 0;
    *number = strtod(*text, &end);
    if (end == *text || (*end && *end != ',') || !isfinite(*number) || (*end == ',' && !end[1])) {
        complain(c, "%s has '%s'; it takes numbers with commas between", option, *text);
        return false;
    }
    *text = *end ? end + 1 : end;
    return true;
}

static bool add_walk(descent *d, const rule *how, double lr, double clip, bool say_rate)
{
    char label[96];
    if (d->n_walks == MAX_PATHS)
        return complain(d->c, "more than %d paths cannot be told apart; ask for fewer optimizers or rates", MAX_PATHS),
               false;
    int n = snprintf(label, sizeof label, "%s", how->label);
    if (say_rate) n += snprintf(label + n, sizeof label - (size_t)n, ", lr %.4g", lr);
    if (clip > 0 && d->both) snprintf(label + n, sizeof label - (size_t)n, ", clipped");
    walk *w = &d->walks[d->n_walks++];
    *w = (walk){.rule = how, .lr = lr, .clip = clip, .path = sp_series_new(label), .values = sp_series_new(label)};
    return w->path && w->values;
}

/* A walk for each rate, and for each way of clipping. */
static bool add_rule(descent *d, const rule *how)
{
    const char *rates = d->rates;
    bool several = rates && strchr(rates, ',');
    do {
        double lr = rule_default_lr(how, d->about);
        if (rates && !take_number(d->c, "--lr", &rates, &lr)) return false;
        if (!in_range(d->c, "--lr", lr, 1e-12, 1e6)) return false;
        if (d->both && !add_walk(d, how, lr, 0, several)) return false;
        if (!add_walk(d, how, lr, d->clip, several)) return false;
    } while (rates && *rates);
    return true;
}

static bool add_walks(descent *d)
{
    const char *names = d->optimizers;
    for (int i = 0; !names && rule_number(i); i++)
        if (!add_rule(d, rule_number(i))) return false;
    while (names) {
        size_t n = strcspn(names, ",");
        const rule *how = rule_find(d->c, names, n);
        if (!how || !add_rule(d, how)) return false;
        names = names[n] ? names + n + 1 : NULL;
    }
    return true;
}

static bool read_start(descent *d)
{
    const char *text = d->start;
    memcpy(d->from, d->about->start, sizeof d->from);
    if (!text) return true;
    if (!take_number(d->c, "--start", &text, &d->from[0])) return false;
    if (!*text) return complain(d->c, "--start takes two numbers: X,Y"), false;
    if (!take_number(d->c, "--start", &text, &d->from[1])) return false;
    return *text ? (complain(d->c, "--start takes two numbers: X,Y"), false) : true;
}

static bool known_movie(const common *c, const char *kind)
{
    static const char *const kinds[] = {"gif", "mp4", "html", "none"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kind, kinds[i]) == 0) return true;
    complain(c, "--movie is '%s'; it can be gif, mp4, html or none", kind);
    return false;
}

static bool known_surface(const common *c, const char *name)
{
    char names[256] = "";
    size_t used = 0;
    for (int i = 0; sp_surface_name(i); i++) {
        if (strcmp(sp_surface_name(i), name) == 0) return true;
        used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", i ? ", " : "", sp_surface_name(i));
    }
    complain(c, "--surface is '%s'; there are: %s", name, names);
    return false;
}

static bool check(const descent *d)
{
    const common *c = d->c;
    if (!known_surface(c, d->surface)) return false;
    if (d->steps != -1 && !in_range(c, "--steps", d->steps, 1, 1000000)) return false;
    if (!in_range(c, "--fps", d->fps, 0.1, 50)) return false;
    if (d->clip != 0 && !in_range(c, "--clip", d->clip, 1e-12, 1e12)) return false;
    if (d->both && d->clip == 0) return complain(c, "--both compares with clipping, so it needs --clip"), false;
    return known_movie(c, d->movie);
}

/* ---- what comes out ---- */

static void print_json(const descent *d, const walk *w)
{
    fputs("{\"surface\":", stdout);
    json_text(stdout, d->surface);
    fputs(",\"optimizer\":", stdout);
    json_text(stdout, w->rule->name);
    printf(",\"lr\":%.10g,\"clip\":", w->lr);
    json_number(stdout, w->clip > 0 ? w->clip : (double)NAN);
    printf(",\"steps\":%lld,\"start\":[%.10g,%.10g],\"end\":[", (long long)w->steps, d->from[0], d->from[1]);
    json_number(stdout, w->end[0]);
    fputc(',', stdout);
    json_number(stdout, w->end[1]);
    fputs("],\"value\":", stdout);
    json_number(stdout, w->value);
    fputs(",\"distance\":", stdout);
    json_number(stdout, distance(d, w));
    fputs("}\n", stdout);
}

static void print_text(const descent *d)
{
    printf("%s: %s\n%d steps from (%g, %g)\n\n", d->about->title, d->about->formula, d->steps, d->from[0], d->from[1]);
    printf("%-24s %10s  %-24s %12s %10s\n", "", "lr", "end", "value", "distance");
    for (int i = 0; i < d->n_walks; i++) {
        const walk *w = &d->walks[i];
        char end[64];
        snprintf(end, sizeof end, "(%.4g, %.4g)", w->end[0], w->end[1]);
        printf("%-24s %10.4g  %-24s %12.4g %10.3g", sp_series_name(w->path), w->lr, end, w->value, distance(d, w));
        printf(left(w->end, w->value) ? "  left after %lld steps\n" : "\n", (long long)w->steps);
    }
}

static bool file_name(const descent *d, const char *ending, char *path, size_t size)
{
    char name[PATH_MAX];
    const char *start = d->name ? d->name : d->surface;
    if ((size_t)snprintf(name, sizeof name, "%s%s", start, ending) < sizeof name)
        return output_path(d->c, name, path, size);
    complain(d->c, "--name is too long");
    return false;
}

/* Prints the name of a file that was written. An error has been reported. */
static bool tell(const descent *d, sp_status status, const char *path)
{
    if (status == SP_OK) note_written(d->c, path, "");
    sp_error_clear();
    return status == SP_OK;
}

static sp_series *minima(const sp_surface_about *about)
{
    sp_series *marks = sp_series_new(about->n_minima > 1 ? "minima" : "minimum");
    for (int i = 0; i < about->n_minima; i++) sp_series_push_xy(marks, about->minima[i][0], about->minima[i][1]);
    return marks;
}

static bool draw_paths(const descent *d)
{
    char picture[PATH_MAX], movie[PATH_MAX], title[160], ending[16];
    sp_series *paths[MAX_PATHS];
    for (int i = 0; i < d->n_walks; i++) paths[i] = d->walks[i].path;
    snprintf(title, sizeof title, "%s, %d steps%s", d->about->title, d->steps,
             d->clip > 0 && !d->both ? ", gradients clipped" : "");
    snprintf(ending, sizeof ending, ".%s", d->movie);
    if (!file_name(d, ".png", picture, sizeof picture) || !file_name(d, ending, movie, sizeof movie)) return false;
    sp_contour_options options = {
        .size = sizeof options,
        .title = title,
        .x_label = "x",
        .y_label = "y",
        .x_range = {d->about->x_range[0], d->about->x_range[1]},
        .y_range = {d->about->y_range[0], d->about->y_range[1]},
        .marks = minima(d->about),
        .fps = d->fps,
    };
    sp_tensor *values = sp_surface_grid(d->ground, GRID);
    bool good = tell(d, (sp_plot_contour)(picture, values, paths, d->n_walks, &options), picture);
    if (!good || strcmp(d->movie, "none") == 0) return good;
    return tell(d, (sp_plot_contour_movie)(movie, values, paths, d->n_walks, &options), movie);
}

static bool draw_values(const descent *d)
{
    char path[PATH_MAX];
    sp_series *values[MAX_PATHS];
    for (int i = 0; i < d->n_walks; i++) values[i] = d->walks[i].values;
    if (!file_name(d, "-values.png", path, sizeof path)) return false;
    const sp_plot_options options = {.size = sizeof options,
                                     .title = d->about->title,
                                     .x_label = "step",
                                     .y_label = "height above the lowest point",
                                     .log_y = true,
                                     .legend = SP_LEGEND_OUTSIDE};
    return tell(d, (sp_plot_lines)(path, (sp_series_list){values, d->n_walks}, &options), path);
}

static bool check_outputs(const descent *d)
{
    char path[PATH_MAX], movie[16];
    const bool film = strcmp(d->movie, "none") != 0;
    snprintf(movie, sizeof movie, ".%s", d->movie);
    const char *const endings[] = {".png", "-values.png", film ? movie : NULL};
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (endings[i] && (!file_name(d, endings[i], path, sizeof path) || !writable(d->c, path))) return false;
    return true;
}

static int descend(descent *d)
{
    if (!check(d) || !make_out(d->c)) return EXIT_WRONG_USE;
    d->ground = sp_surface_by_name(d->surface);
    d->about = d->ground ? sp_surface_about_of(d->ground) : NULL;
    if (!d->about) return EXIT_FAILED;
    if (d->steps == -1) d->steps = d->about->steps;
    if (!read_start(d) || !add_walks(d)) return EXIT_WRONG_USE;
    if (!check_outputs(d)) return EXIT_WRONG_USE;
    for (int i = 0; i < d->n_walks; i++)
        SP_SCOPE {
            walk_down(d, &d->walks[i]);
        }
    if (sp_error_status() != SP_OK) return EXIT_FAILED;
    for (int i = 0; d->c->json && i < d->n_walks; i++) print_json(d, &d->walks[i]);
    if (!d->c->json) print_text(d);
    bool drawn = draw_values(d);
    return draw_paths(d) && drawn ? EXIT_FINE : EXIT_FAILED;
}

int cmd_descent(const command *self, int argc, char **argv)
{
    common c;
    descent d = {.c = &c, .steps = -1, .fps = 20};
    struct poptOption table[] = {
        {"surface", '\0', POPT_ARG_STRING, &d.surface, 0,
         "beale (default), rosenbrock, rastrigin, saddle, ravine, cliff, plateau, net", "NAME"},
        {"optimizer", '\0', POPT_ARG_STRING, &d.optimizers, 0,
         "some of sgd, momentum, nesterov, adagrad, adadelta, rmsprop, adam, amsgrad, adamax, nadam, with commas "
         "between "
         "(default: all)",
         "LIST"},
        {"lr", '\0', POPT_ARG_STRING, &d.rates, 0, "learning rate, or several (default: what suits each optimizer)",
         "LIST"},
        {"steps", '\0', POPT_ARG_INT, &d.steps, 0, "steps to walk (default: the surface's own, some hundreds)", "N"},
        {"start", '\0', POPT_ARG_STRING, &d.start, 0, "where to begin (default: the surface's own)", "X,Y"},
        {"clip", '\0', POPT_ARG_DOUBLE, &d.clip, 0, "clip gradients to this norm (0: not)", "NORM"},
        {"both", '\0', POPT_ARG_NONE, &d.both, 0, "walk with and without clipping", NULL},
        {"movie", '\0', POPT_ARG_STRING, &d.movie, 0, "gif (default), mp4, html or none", "KIND"},
        {"fps", '\0', POPT_ARG_DOUBLE, &d.fps, 0, "frames of the movie a second (default 20)", "N"},
        {"name", '\0', POPT_ARG_STRING, &d.name, 0, "what the files are called (default: the surface)", "NAME"},
        POPT_TABLEEND,
    };
    int status = options_read(&c, self, table, argc, argv);
    char beale[] = "beale", gif[] = "gif", *surface = d.surface, *movie = d.movie;
    if (!d.surface) d.surface = beale;
    if (!d.movie) d.movie = gif;
    if (status == -1) status = descend(&d);
    d.surface = surface;
    d.movie = movie;
    options_free(&c);
    return status;
}
