/* spusk bench ops: operators one by one, forward and with their backward, each beside the peak that bounds it: of
 * multiply-adds, or of reading and writing memory that lies in the caches. */
#include "bench.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_INPUTS = 4, MOST_CALLS = 20000 };

typedef struct row {
    const char *name, *inputs;
    bool gradient;
    double operations;
    const char *python;
    sp_tensor *(*call)(sp_tensor *const *in);
} row;

#define ROW(name, inputs, gradient, operations, python, ...)                                                           \
    static sp_tensor *call_##name(sp_tensor *const *in)                                                                \
    {                                                                                                                  \
        return __VA_ARGS__;                                                                                            \
    }
#include "bench_ops_rows.h"
#undef ROW
#define ROW(name, inputs, gradient, operations, python, ...) {#name, inputs, gradient, operations, python, call_##name},
static const row rows[] = {
#include "bench_ops_rows.h"
};
#undef ROW
enum { N_ROWS = sizeof rows / sizeof *rows };

/* ---- inputs ---- */

/* Images whose memory has the channels innermost. */
static sp_tensor *images(const int64_t *s)
{
    return sp_permute(sp_randn(SP_DIMS(s[0], s[2], s[3], s[1])), 0, 3, 1, 2);
}

/* A letter and sizes, as bench_ops_rows.h tells; `text` moves behind them. */
static sp_tensor *read_input(const char **text)
{
    const char kind = *(*text)++;
    char *end = NULL;
    const int64_t below = kind == 'i' ? strtoll(*text, &end, 10) : 0;
    int64_t sizes[SP_MAX_DIMS];
    int n = 0;
    if (end) *text = end + 1;
    for (bool more = true; more && n < SP_MAX_DIMS; *text = end + more) {
        sizes[n++] = strtoll(*text, &end, 10);
        more = *end == ',';
    }
    const sp_dims dims = {sizes, n};
    switch (kind) {
    case 'm': return images(sizes);
    case 'u': return sp_uniform_(sp_empty(dims), 0.1, 0.9);
    case 'b': return sp_gt_scalar(sp_randn(dims), 0);
    case 'i': return sp_randint(0, below, dims);
    default: return sp_randn(dims);
    }
}

static int read_inputs(const row *r, sp_tensor *in[MOST_INPUTS])
{
    int n = 0;
    for (const char *at = r->inputs; *at && n < MOST_INPUTS; at += *at == ' ') in[n++] = read_input(&at);
    return n;
}

/* ---- calls ---- */

typedef struct timed {
    const row *row;
    sp_tensor *in[MOST_INPUTS];
    int n;
    sp_list *inputs, *grad_outputs; /* of backward: those that have gradients; NULL for forward alone */
} timed;

/* A call may wait until its result is read, so its first number is read. */
static void read_first(sp_tensor *y)
{
    while (y && sp_ndim(y) > 0) y = sp_select(y, 0, 0);
    (void)sp_item(y);
}

static void run(const timed *t)
{
    SP_SCOPE {
        sp_tensor *y = t->row->call(t->in);
        if (t->inputs) y = sp_list_get(sp_autograd_grad_with(SP_LIST(y), t->inputs, t->grad_outputs), 0);
        SP_NO_GRAD {
            read_first(y);
        }
    }
}

/* The median of the seconds of a call; 0 after an error. */
static double time_of(const timed *t, double seconds)
{
    static double times[MOST_CALLS];
    size_t n = 0;
    for (double end = seconds_now() + seconds; n < MOST_CALLS && (n < 5 || seconds_now() < end); n++) {
        const double began = seconds_now();
        run(t);
        times[n] = seconds_now() - began;
        if (sp_error_status() != SP_OK) return 0;
    }
    return spread_of(times, n).median;
}

static double bytes_of(const sp_tensor *x)
{
    return (double)sp_numel(x) * (double)sp_dtype_size(sp_dtype_of(x));
}

typedef struct figures {
    double forward, both; /* seconds; both: NaN where there is no backward */
    double bytes;         /* read and written by forward */
} figures;

static void make_backward(timed *t, sp_tensor *y)
{
    sp_tensor *inputs[MOST_INPUTS + 1];
    int n = 0;
    for (int i = 0; i < t->n; i++)
        if (sp_dtype_is_floating_point(sp_dtype_of(t->in[i]))) inputs[n++] = sp_requires_grad(t->in[i]);
    inputs[n] = sp_last_;
    t->inputs = sp_list_until(inputs);
    t->grad_outputs = SP_LIST(sp_randn_like(y));
}

static figures measure(const row *r, double seconds)
{
    figures f = {.both = (double)NAN};
    SP_SCOPE {
        timed t = {.row = r};
        t.n = read_inputs(r, t.in);
        SP_NO_GRAD {
            sp_tensor *y = r->call(t.in);
            f.bytes = bytes_of(y);
            for (int i = 0; i < t.n; i++) f.bytes += bytes_of(t.in[i]);
            f.forward = time_of(&t, seconds);
        }
        if (r->gradient) {
            make_backward(&t, r->call(t.in));
            f.both = time_of(&t, seconds);
        }
    }
    return f;
}

/* What a copy by the C library reads and writes in a second, in memory that the second cache holds, on one thread. */
static double copy_peak(void)
{
    enum { BYTES = 1 << 18, TURNS = 2000 };
    static char from[BYTES], to[BYTES];
    double best = 0;
    for (int k = 0; k < 5; k++) {
        const double began = seconds_now();
        for (int i = 0; i < TURNS; i++) {
            memcpy(to, from, BYTES);
            from[i] = to[BYTES - 1 - i]; /* or the compiler would copy once */
        }
        best = fmax(best, 2.0 * BYTES * TURNS / (seconds_now() - began));
    }
    return best;
}

/* ---- output ---- */

static void print_json(const row *r, const figures *f, double speed, const char *unit, double peak)
{
    fputs("{\"bench\":\"ops\",\"op\":", stdout);
    json_text(stdout, r->name);
    fputs(",\"inputs\":", stdout);
    json_text(stdout, r->inputs);
    fputs(",\"python\":", stdout);
    json_text(stdout, r->python);
    printf(",\"threads\":%d,\"median_us\":%.3f,\"speed\":%.2f,\"unit\":\"%s\",\"peak\":%.2f,\"both_us\":",
           sp_num_threads(), f->forward * 1e6, speed / 1e9, unit, peak / 1e9);
    json_number(stdout, f->both * 1e6);
    puts("}");
}

static void print_row(const common *c, const row *r, const figures *f, double peak)
{
    const bool product = r->operations > 0;
    const double speed = (product ? r->operations : f->bytes) / f->forward;
    const char *unit = product ? "GF/s" : "GB/s";
    if (c->json) {
        print_json(r, f, speed, unit, peak);
        return;
    }
    printf("%-32s %9.2f µs %8.1f %s %6.1f %% of %.1f", r->name, f->forward * 1e6, speed / 1e9, unit, 100 * speed / peak,
           peak / 1e9);
    if (r->gradient) printf("; with backward %9.2f µs", f->both * 1e6);
    putchar('\n');
}

int bench_ops(const bench_options *o)
{
    const common *c = &o->common;
    if (!in_range(c, "--seconds", o->seconds, 0.001, 3600)) return EXIT_WRONG_USE;
    const double flops = sp_measure_peak(SP_F32, sp_num_threads()), bytes = copy_peak() * sp_num_threads();
    if (!c->json)
        printf("operators in f32, medians; %d threads, %s; beside the measured peak of multiply-adds, or of copying in "
               "the caches\n",
               sp_num_threads(), sp_isa());
    for (int i = 0; i < N_ROWS && sp_error_status() == SP_OK; i++) {
        const figures f = measure(&rows[i], o->seconds / (2 * N_ROWS));
        if (f.forward > 0) print_row(c, &rows[i], &f, rows[i].operations > 0 ? flops : bytes);
    }
    return sp_error_status() == SP_OK ? EXIT_FINE : EXIT_FAILED;
}
