/* spusk bench ops: operators one by one, at sizes of the reference networks, each beside the peak that bounds it: of
 * multiply-adds, or of reading and writing memory that lies in the caches. */
#include "bench.h"

#include <math.h>
#include <string.h>

/* One operator: `call` makes the result from the operands. A number of operations, or of bytes, belongs to each call.
 */
typedef struct row {
    const char *name;
    sp_tensor *(*call)(sp_tensor *const *in);
    double operations, bytes;
    sp_tensor *in[4];
} row;

enum { MOST_ROWS = 48, MOST_CALLS = 20000 };

typedef struct rows {
    row items[MOST_ROWS];
    int n;
} rows;

static void add(rows *r, const char *name, sp_tensor *(*call)(sp_tensor *const *in), double operations, double bytes,
                sp_tensor *a, sp_tensor *b, sp_tensor *c)
{
    r->items[r->n++] = (row){name, call, operations, bytes, {a, b, c}};
}

#define CALL(name, ...)                                                                                                \
    static sp_tensor *name(sp_tensor *const *in)                                                                       \
    {                                                                                                                  \
        return __VA_ARGS__;                                                                                            \
    }                                                                                                                  \
    _Static_assert(1, "takes the semicolon")
CALL(call_add, sp_add(in[0], in[1]));
CALL(call_mul, sp_mul(in[0], in[1]));
CALL(call_relu, sp_relu(in[0]));
CALL(call_exp, sp_exp(in[0]));
CALL(call_tanh, sp_tanh(in[0]));
CALL(call_sigmoid, sp_sigmoid(in[0]));
CALL(call_gelu, sp_gelu(in[0]));
CALL(call_clone, sp_clone(in[0]));
CALL(call_cast, sp_cast(in[0], SP_BF16));
CALL(call_transpose, sp_contiguous(sp_t(in[0])));
CALL(call_sum, sp_sum(in[0]));
CALL(call_sum_rows, sp_sum_dim(in[0], 0));
CALL(call_argmax, sp_argmax_dim(in[0], 1));
CALL(call_softmax, sp_softmax(in[0], 1));
CALL(call_log_softmax, sp_log_softmax(in[0], 1));
CALL(call_dropout, sp_dropout(in[0], 0.5, true));
CALL(call_nll, sp_nll_loss(in[0], in[1]));
CALL(call_mse, sp_mse_loss(in[0], in[1]));
CALL(call_linear, sp_linear(in[0], in[1], in[2]));
CALL(call_mm, sp_mm(in[0], in[1]));
CALL(call_conv, sp_conv2d(in[0], in[1], in[2], .padding = 1));
CALL(call_pool, sp_max_pool2d(in[0], 2));

/* Element by element and reductions, over a matrix that the second cache holds. */
static void add_streams(rows *r)
{
    const double bytes = 256 * 512 * 4;
    sp_tensor *a = sp_randn(SP_DIMS(256, 512)), *b = sp_randn(SP_DIMS(256, 512));
    add(r, "add", call_add, 0, 3 * bytes, a, b, NULL);
    add(r, "mul", call_mul, 0, 3 * bytes, a, b, NULL);
    add(r, "relu", call_relu, 0, 2 * bytes, a, NULL, NULL);
    add(r, "exp", call_exp, 0, 2 * bytes, a, NULL, NULL);
    add(r, "tanh", call_tanh, 0, 2 * bytes, a, NULL, NULL);
    add(r, "sigmoid", call_sigmoid, 0, 2 * bytes, a, NULL, NULL);
    add(r, "gelu", call_gelu, 0, 2 * bytes, a, NULL, NULL);
    add(r, "clone", call_clone, 0, 2 * bytes, a, NULL, NULL);
    add(r, "cast to bf16", call_cast, 0, 1.5 * bytes, a, NULL, NULL);
    add(r, "transposed copy", call_transpose, 0, 2 * bytes, a, NULL, NULL);
    add(r, "dropout", call_dropout, 0, 2 * bytes, a, NULL, NULL);
    add(r, "sum", call_sum, 0, bytes, a, NULL, NULL);
    add(r, "sum over rows", call_sum_rows, 0, bytes, a, NULL, NULL);
    add(r, "argmax of rows", call_argmax, 0, bytes, a, NULL, NULL);
    add(r, "softmax", call_softmax, 0, 2 * bytes, a, NULL, NULL);
    add(r, "log_softmax", call_log_softmax, 0, 2 * bytes, a, NULL, NULL);
    add(r, "nll_loss", call_nll, 0, 256 * 12, a, sp_zeros(SP_DIMS(256), .dtype = SP_I64), NULL);
    add(r, "mse_loss", call_mse, 0, 2 * bytes, a, b, NULL);
}

/* The products and convolutions of the reference networks at a batch of 64. */
static void add_products(rows *r)
{
    static const int sizes[][2] = {{784, 256}, {3136, 128}, {9216, 128}};
    static const char *const names[] = {"linear 784 to 256", "linear 3136 to 128", "linear 9216 to 128"};
    for (int i = 0; i < 3; i++) {
        const int in = sizes[i][0], out = sizes[i][1];
        add(r, names[i], call_linear, 2.0 * 64 * in * out, 0, sp_randn(SP_DIMS(64, in)),
            sp_t(sp_randn(SP_DIMS(in, out))), sp_randn(SP_DIMS(out)));
    }
    add(r, "mm 512×512×512", call_mm, 2.0 * 512 * 512 * 512, 0, sp_randn(SP_DIMS(512, 512)),
        sp_randn(SP_DIMS(512, 512)), NULL);
    add(r, "conv2d 1 to 32, 28×28", call_conv, 2.0 * 64 * 784 * 9 * 32, 0, sp_randn(SP_DIMS(64, 1, 28, 28)),
        sp_randn(SP_DIMS(32, 1, 3, 3)), sp_randn(SP_DIMS(32)));
    add(r, "conv2d 32 to 64, 14×14", call_conv, 2.0 * 64 * 196 * 9 * 32 * 64, 0, sp_randn(SP_DIMS(64, 32, 14, 14)),
        sp_randn(SP_DIMS(64, 32, 3, 3)), sp_randn(SP_DIMS(64)));
    sp_tensor *images = sp_conv2d(sp_randn(SP_DIMS(64, 1, 28, 28)), sp_randn(SP_DIMS(32, 1, 3, 3)), SP_NONE,
                                  .padding = 1);
    add(r, "max_pool2d of 32, 28×28", call_pool, 0, 64.0 * 32 * 784 * 4 * 1.3125, images, NULL, NULL);
}

/* A call may wait until its result is read, so its first number is read. */
static void read_first(sp_tensor *y)
{
    while (y && sp_ndim(y) > 0) y = sp_select(y, 0, 0);
    (void)sp_item(y);
}

/* The median time of a call; 0 after an error. */
static double time_of(const row *r, double seconds)
{
    static double times[MOST_CALLS];
    size_t n = 0;
    for (double end = seconds_now() + seconds; n < MOST_CALLS && (n < 5 || seconds_now() < end); n++) {
        const double began = seconds_now();
        SP_SCOPE {
            read_first(r->call(r->in));
        }
        times[n] = seconds_now() - began;
        if (sp_error_status() != SP_OK) return 0;
    }
    return spread_of(times, n).median;
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

static void print_row(const common *c, const row *r, double seconds, double peak)
{
    const bool product = r->operations > 0;
    const double speed = (product ? r->operations : r->bytes) / seconds;
    const char *unit = product ? "GF/s" : "GB/s";
    if (!c->json) {
        printf("%-25s %10.2f µs %8.1f %s %6.1f %% of %.1f\n", r->name, seconds * 1e6, speed / 1e9, unit,
               100 * speed / peak, peak / 1e9);
        return;
    }
    fputs("{\"bench\":\"ops\",\"op\":", stdout);
    json_text(stdout, r->name);
    printf(",\"threads\":%d,\"median_us\":%.3f,\"speed\":%.2f,\"unit\":\"%s\",\"peak\":%.2f}\n", sp_num_threads(),
           seconds * 1e6, speed / 1e9, unit, peak / 1e9);
}

int bench_ops(const bench_options *o)
{
    const common *c = &o->common;
    rows r = {.n = 0};
    if (!in_range(c, "--seconds", o->seconds, 0.001, 3600)) return EXIT_WRONG_USE;
    add_streams(&r);
    add_products(&r);
    if (sp_error_status() != SP_OK) return EXIT_FAILED;
    const double flops = sp_measure_peak(SP_F32, sp_num_threads()), bytes = copy_peak() * sp_num_threads();
    if (!c->json)
        printf("operators in f32, medians; %d threads, %s; beside the measured peak of multiply-adds, or of copying in "
               "the caches\n",
               sp_num_threads(), sp_isa());
    SP_NO_GRAD {
        for (int i = 0; i < r.n; i++) {
            const double seconds = time_of(&r.items[i], o->seconds / r.n);
            if (seconds > 0) print_row(c, &r.items[i], seconds, r.items[i].operations > 0 ? flops : bytes);
        }
    }
    return sp_error_status() == SP_OK ? EXIT_FINE : EXIT_FAILED;
}
