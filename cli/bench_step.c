/* spusk bench step: one whole training step of a reference network (gradients zeroed, forward, loss, backward, loss
 * read, optimiser), on digits that lie in memory. The median of several seconds; the quartiles say how steady it was.
 */
#include "bench.h"
#include "networks.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { DIGITS = 8192, MOST_BATCHES = 1024, MOST_STEPS = 1 << 20 };

/* ---- the digits ---- */

typedef struct digits {
    sp_example batches[MOST_BATCHES];
    int n;
    const sp_dataset *source;
} digits;

static bool load_digits(digits *d, const bench_options *o, const bench_network *network)
{
    dataset_options options = {.name = "mnist", .quiet = o->common.json, .limit = DIGITS};
    sp_dataset *dataset = dataset_open(&o->common, &options, false);
    sp_example all = dataset ? sp_data_all(dataset) : (sp_example){0};
    if (!all.x) return false;
    d->source = dataset;
    const int64_t size = o->batch, whole = sp_size(all.x, 0) / size;
    d->n = (int)(whole < MOST_BATCHES ? whole : MOST_BATCHES);
    for (int i = 0; i < d->n; i++)
        d->batches[i] = bench_network_example(network, sp_narrow(all.x, 0, i * size, size),
                                              sp_narrow(all.y, 0, i * size, size));
    return sp_error_status() == SP_OK;
}

/* ---- one step, and many ---- */

/* What a step works with. */
typedef struct trained {
    sp_module *model, *criterion;
    sp_optimizer *optimizer;
    sp_dtype autocast;
} trained;

static trained make(const bench_network *network, sp_dtype autocast)
{
    trained t = {.autocast = autocast};
    t.model = bench_network_make(network);
    t.criterion = network->criterion();
    t.optimizer = network->optimizer(sp_parameters(t.model));
    return t;
}

static double step(const trained *t, const sp_example *batch)
{
    double loss = 0;
    SP_AUTOCAST(t->autocast)
    {
        sp_zero_grad(t->optimizer);
        sp_tensor *output = sp_forward(t->model, batch->x);
        sp_tensor *error = sp_forward(t->criterion, output, batch->y);
        sp_backward(error);
        loss = sp_item(error);
        sp_step(t->optimizer);
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
static bool run_steps(figures_of_steps *f, const trained *t, const digits *d, double seconds, double *times)
{
    double end = seconds_now() + seconds;
    size_t n = 0;
    while (n < MOST_STEPS && (n < 3 || seconds_now() < end)) {
        double began = seconds_now();
        f->loss = step(t, &d->batches[n % (size_t)d->n]);
        times[n++] = (seconds_now() - began) * 1e6;
        if (sp_error_status() != SP_OK) return false;
    }
    f->steps = n;
    return true;
}

static bool measure(figures_of_steps *f, const trained *t, const digits *d, double seconds)
{
    double *times = malloc(MOST_STEPS * sizeof *times);
    bool fine = times && run_steps(f, t, d, seconds < 1 ? seconds / 4 : 0.25, times);
    sp_reset_peak_memory();
    sp_sparse_density();
    const sp_memory_stats before = sp_memory();
    fine = fine && run_steps(f, t, d, seconds, times);
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

static int measure_and_print(const bench_options *o, const bench_network *network)
{
    const trained t = make(network, strcmp(o->precision, "bf16") == 0 ? SP_BF16 : SP_DTYPE_DEFAULT);
    digits *d = calloc(1, sizeof *d);
    figures_of_steps f = {0};
    bool fine = d && sp_error_status() == SP_OK && load_digits(d, o, network) && measure(&f, &t, d, o->seconds);
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
    int which = choose_row(&o.common, "--model", bench_networks, n_bench_networks, sizeof *bench_networks, o.model);
    if (which < 0) return EXIT_WRONG_USE;
    if (o.batch == OWN_BATCH) o.batch = bench_networks[which].batch;
    if (!in_range(&o.common, "--batch", o.batch, 1, DIGITS) ||
        !in_range(&o.common, "--seconds", o.seconds, 0.001, 3600))
        return EXIT_WRONG_USE;
    if (strcmp(o.precision, f32) != 0 && strcmp(o.precision, "bf16") != 0)
        return complain(&o.common, "--precision is '%s'; there are: f32, bf16", o.precision);
    return measure_and_print(&o, &bench_networks[which]);
}
