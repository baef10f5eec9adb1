/* spusk bench step: one whole training step of a reference network (gradients zeroed, forward, loss, backward, loss
 * read, optimiser), on digits that lie in memory. The median of several seconds; the quartiles say how steady it was.
 */
#include "bench.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { DIGITS = 8192, MOST_BATCHES = 1024, MOST_STEPS = 1 << 20 };

/* ---- the networks ---- */

typedef struct network {
    sp_module *model, *criterion;
    sp_optimizer *optimizer;
    int64_t features; /* takes (N, features), pixels of the middle; 0: (N, 1, 28, 28) */
    bool reproduces;  /* the target is the input, not the label */
    sp_dtype autocast;
} network;

static const struct {
    const char *name;
    int64_t features;
    bool reproduces, adadelta;
} networks[] = {
    {"mlp", 784, false, false}, {"ae", 784, true, false},    {"cnn", 0, false, false},
    {"convae", 0, true, false}, {"example", 0, false, true}, {"tiny", 8, true, false},
};
#define N_NETWORKS (int)(sizeof networks / sizeof *networks)

/* The network "tiny" does next to no arithmetic, so its step shows the cost of calling operators. */
static network build(int which)
{
    const bool tiny = strcmp(networks[which].name, "tiny") == 0;
    sp_module *model = tiny ? sp_nn_linear(8, 8) : sp_model_by_name(networks[which].name);
    network net = {.model = model, .features = networks[which].features, .reproduces = networks[which].reproduces};
    net.criterion = net.reproduces ? sp_nn_mse_loss() : sp_nn_nll_loss();
    net.optimizer = networks[which].adadelta ? sp_optim_adadelta(sp_parameters(model), .lr = 1)
                                             : sp_optim_adam(sp_parameters(model), .lr = 1e-3);
    return net;
}

/* ---- the digits ---- */

typedef struct digits {
    sp_tensor *x[MOST_BATCHES], *y[MOST_BATCHES];
    int n;
    const sp_dataset *source;
} digits;

static bool load_digits(digits *d, const bench_options *o, const network *net)
{
    dataset_options options = {.name = "mnist", .quiet = o->common.json, .limit = DIGITS};
    sp_dataset *dataset = dataset_open(&o->common, &options, false);
    sp_example all = dataset ? sp_data_all(dataset) : (sp_example){0};
    if (!all.x) return false;
    d->source = dataset;
    sp_tensor *x = net->features ? sp_reshape(all.x, -1, 784) : all.x;
    if (net->features && net->features < 784) x = sp_contiguous(sp_narrow(x, 1, 400, net->features));
    int64_t size = o->batch, whole = sp_size(x, 0) / size;
    d->n = (int)(whole < MOST_BATCHES ? whole : MOST_BATCHES);
    for (int i = 0; i < d->n; i++) {
        d->x[i] = sp_narrow(x, 0, i * size, size);
        d->y[i] = net->reproduces ? d->x[i] : sp_narrow(all.y, 0, i * size, size);
    }
    return sp_error_status() == SP_OK;
}

/* ---- one step, and many ---- */

static double step(const network *net, sp_tensor *x, sp_tensor *y)
{
    double loss = 0;
    SP_AUTOCAST(net->autocast)
    {
        sp_zero_grad(net->optimizer);
        sp_tensor *output = sp_forward(net->model, x);
        sp_tensor *error = sp_forward(net->criterion, output, y);
        sp_backward(error);
        loss = sp_item(error);
        sp_step(net->optimizer);
    }
    return loss;
}

typedef struct figures_of_steps {
    spread us;
    size_t steps;
    double loss;          /* of the last */
    double density;       /* of the gradients that were taken as sparse; NaN: none was */
    int64_t bytes, asked; /* the most that a step had at once, beside weights and digits; blocks asked of the system */
    int64_t resident_bytes; /* the most that the whole process had */
} figures_of_steps;

/* Runs steps for some seconds and writes their times to `times`. False after an error. */
static bool run_steps(figures_of_steps *f, const network *net, const digits *d, double seconds, double *times)
{
    double end = seconds_now() + seconds;
    size_t n = 0;
    while (n < MOST_STEPS && (n < 3 || seconds_now() < end)) {
        double began = seconds_now();
        f->loss = step(net, d->x[n % (size_t)d->n], d->y[n % (size_t)d->n]);
        times[n++] = (seconds_now() - began) * 1e6;
        if (sp_error_status() != SP_OK) return false;
    }
    f->steps = n;
    return true;
}

static bool measure(figures_of_steps *f, const network *net, const digits *d, double seconds)
{
    double *times = malloc(MOST_STEPS * sizeof *times);
    bool fine = times && run_steps(f, net, d, seconds < 1 ? seconds / 4 : 0.25, times);
    sp_reset_peak_memory();
    sp_sparse_density();
    const sp_memory_stats before = sp_memory();
    fine = fine && run_steps(f, net, d, seconds, times);
    const sp_memory_stats after = sp_memory();
    f->density = sp_sparse_density();
    f->bytes = after.peak_bytes - before.live_bytes;
    f->asked = after.system_calls - before.system_calls;
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) == 0) f->resident_bytes = usage.ru_maxrss * INT64_C(1024);
    if (fine) f->us = spread_of(times, f->steps);
    free(times);
    return fine;
}

/* ---- output ---- */

static void print_json(const bench_options *o, const sp_dataset *source, const figures_of_steps *f)
{
    printf("{\"bench\":\"step\",\"model\":\"%s\",\"batch\":%d,\"threads\":%d,\"precision\":\"%s\",\"median_us\":",
           o->model, o->batch, sp_num_threads(), o->precision);
    json_number(stdout, f->us.median);
    fputs(",\"quartile_us\":[", stdout);
    json_number(stdout, f->us.low);
    fputc(',', stdout);
    json_number(stdout, f->us.high);
    printf("],\"steps\":%zu,\"loss\":", f->steps);
    json_number(stdout, f->loss);
    fputs(",\"density\":", stdout);
    json_number(stdout, f->density);
    json_dataset(stdout, source);
    printf(",\"isa\":\"%s\",\"step_bytes\":%lld,\"resident_bytes\":%lld,\"blocks_asked\":%lld}\n", sp_isa(),
           (long long)f->bytes, (long long)f->resident_bytes, (long long)f->asked);
}

static void print_text(const bench_options *o, const sp_dataset *source, const figures_of_steps *f)
{
    printf("%s, batch %d, %s, %d threads, %s, %s: a step takes %.1f µs (median of %zu; quartiles %.1f and %.1f)\n",
           o->model, o->batch, o->precision, sp_num_threads(), sp_isa(), sp_data_description(source), f->us.median,
           f->steps, f->us.low, f->us.high);
    if (f->density >= 0) printf("sparse gradients had %.1f %% of their places\n", 100 * f->density);
    printf("memory: %.2f MB at most beside weights and digits, %.1f MB resident; %lld blocks asked of the system\n",
           (double)f->bytes / 1e6, (double)f->resident_bytes / 1e6, (long long)f->asked);
}

static int measure_and_print(const bench_options *o, int which)
{
    network net = build(which);
    net.autocast = strcmp(o->precision, "bf16") == 0 ? SP_BF16 : SP_DTYPE_DEFAULT;
    digits *d = calloc(1, sizeof *d);
    figures_of_steps f = {0};
    bool fine = d && sp_error_status() == SP_OK && load_digits(d, o, &net) && measure(&f, &net, d, o->seconds);
    if (fine) (o->common.json ? print_json : print_text)(o, d->source, &f);
    free(d);
    return fine ? EXIT_FINE : EXIT_FAILED;
}

int bench_step(const bench_options *given)
{
    static char f32[] = "f32", mlp[] = "mlp";
    bench_options o = *given;
    if (!o.model) o.model = mlp;
    if (!o.precision) o.precision = f32;
    int which = choose_row(&o.common, "--model", networks, N_NETWORKS, sizeof *networks, o.model);
    if (which < 0 || !in_range(&o.common, "--batch", o.batch, 1, DIGITS) ||
        !in_range(&o.common, "--seconds", o.seconds, 0.001, 3600))
        return EXIT_WRONG_USE;
    if (strcmp(o.precision, f32) != 0 && strcmp(o.precision, "bf16") != 0)
        return complain(&o.common, "--precision is '%s'; there are: f32, bf16", o.precision);
    return measure_and_print(&o, which);
}
