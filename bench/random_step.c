/* Times training steps of a network that a text describes: bench_random_step NETWORK TENSORS SECONDS [bf16]
 *
 * NETWORK is a file of words: the loss, the optimiser, then a layer a line, its kind and its numbers in the order of
 * `kinds` below. `residual`, layers, `shortcut`, layers and `end` are one layer whose two ways are added. TENSORS is a
 * safetensors file with the parameters and buffers by their names, and batches `x0`, `y0`, `x1`, `y1` …
 * bench/random_networks.py writes both. Prints the first loss and the median time of a step, as JSON. */
#include <spusk/spusk.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST_NUMBERS = 8, MOST_LAYERS = 64, MOST_BATCHES = 8, MOST_STEPS = 1 << 16 };

/* ---- layers with a forward of their own ---- */

typedef struct residual {
    sp_module base;
    sp_module *body, *shortcut;
} residual;

static sp_tensor *residual_forward(sp_module *self, sp_tensor *x)
{
    residual *r = (residual *)self;
    return sp_add(sp_forward(r->body, x), sp_forward(r->shortcut, x));
}

typedef struct attention {
    sp_module base;
    sp_module *project, *out;
    int64_t heads;
} attention;

/* Of (N, places, width), every place to every place. */
static sp_tensor *attention_forward(sp_module *self, sp_tensor *x)
{
    attention *a = (attention *)self;
    const int64_t n = sp_size(x, 0), places = sp_size(x, 1), width = sp_size(x, 2), each = width / a->heads;
    sp_tensor *qkv = sp_reshape(sp_forward(a->project, x), n, places, 3, a->heads, each);
    qkv = sp_permute(qkv, 2, 0, 3, 1, 4);
    sp_tensor *q = sp_select(qkv, 0, 0), *k = sp_select(qkv, 0, 1), *v = sp_select(qkv, 0, 2);
    sp_tensor *heads = sp_transpose(sp_scaled_dot_product_attention(q, k, v), 1, 2);
    return sp_forward(a->out, sp_reshape(heads, n, places, width));
}

static sp_module *new_attention(const double *v)
{
    const int64_t width = (int64_t)v[0];
    attention *a = sp_module_new(attention, .name = "Attention", .forward = attention_forward);
    if (!a) return NULL;
    a->heads = (int64_t)v[1];
    a->project = sp_module_add(&a->base, "project", sp_nn_linear(width, 3 * width));
    a->out = sp_module_add(&a->base, "out", sp_nn_linear(width, width));
    return &a->base;
}

/* ---- kinds of layers ---- */

#define LAYER(name, ...)                                                                                               \
    static sp_module *new_##name(const double *v)                                                                      \
    {                                                                                                                  \
        const int64_t i[MOST_NUMBERS] = {(int64_t)v[0], (int64_t)v[1], (int64_t)v[2], (int64_t)v[3],                   \
                                         (int64_t)v[4], (int64_t)v[5], (int64_t)v[6], (int64_t)v[7]};                  \
        (void)i;                                                                                                       \
        return __VA_ARGS__;                                                                                            \
    }                                                                                                                  \
    _Static_assert(1, "takes the semicolon")
LAYER(linear, sp_nn_linear(i[0], i[1], .no_bias = !i[2]));
LAYER(conv, sp_nn_conv2d(i[0], i[1], i[2], .stride = i[3], .padding = i[4], .dilation = i[5], .groups = i[6],
                         .no_bias = !i[7]));
LAYER(transposed, sp_nn_conv_transpose2d(i[0], i[1], i[2], .stride = i[3], .padding = i[4], .no_bias = !i[5]));
LAYER(batch_norm1d, sp_nn_batch_norm1d(i[0]));
LAYER(batch_norm2d, sp_nn_batch_norm2d(i[0]));
LAYER(layer_norm, sp_nn_layer_norm(SP_DIMS(i[0])));
LAYER(embedding, sp_nn_embedding(i[0], i[1]));
LAYER(relu, sp_nn_relu());
LAYER(tanh, sp_nn_tanh());
LAYER(sigmoid, sp_nn_sigmoid());
LAYER(gelu, sp_nn_gelu());
LAYER(silu, sp_nn_silu());
LAYER(leaky_relu, sp_nn_leaky_relu());
LAYER(elu, sp_nn_elu());
LAYER(softplus, sp_nn_softplus());
LAYER(dropout, sp_nn_dropout(v[0]));
LAYER(max_pool, sp_nn_max_pool2d(i[0], .stride = i[1], .padding = i[2]));
LAYER(avg_pool, sp_nn_avg_pool2d(i[0], .stride = i[1], .padding = i[2]));
LAYER(adaptive_avg_pool, sp_nn_adaptive_avg_pool2d(i[0]));
LAYER(flatten, sp_nn_flatten());
LAYER(unflatten, sp_nn_unflatten(1, SP_DIMS(i[0], i[1], i[2])));
LAYER(log_softmax, sp_nn_log_softmax(1));
LAYER(identity, sp_nn_identity());

static const struct {
    const char *name;
    int numbers;
    sp_module *(*make)(const double *numbers);
} kinds[] = {
    {"linear", 3, new_linear},             /* in, out, bias */
    {"conv", 8, new_conv},                 /* in, out, kernel, stride, padding, dilation, groups, bias */
    {"transposed", 6, new_transposed},     /* in, out, kernel, stride, padding, bias */
    {"batch_norm1d", 1, new_batch_norm1d}, /* features */
    {"batch_norm2d", 1, new_batch_norm2d}, /* channels */
    {"layer_norm", 1, new_layer_norm},     /* features */
    {"embedding", 2, new_embedding},       /* rows, width */
    {"attention", 2, new_attention},       /* width, heads */
    {"relu", 0, new_relu},
    {"tanh", 0, new_tanh},
    {"sigmoid", 0, new_sigmoid},
    {"gelu", 0, new_gelu},
    {"silu", 0, new_silu},
    {"leaky_relu", 0, new_leaky_relu},
    {"elu", 0, new_elu},
    {"softplus", 0, new_softplus},
    {"dropout", 1, new_dropout},
    {"max_pool", 3, new_max_pool}, /* kernel, stride, padding */
    {"avg_pool", 3, new_avg_pool},
    {"adaptive_avg_pool", 1, new_adaptive_avg_pool},
    {"flatten", 0, new_flatten},
    {"unflatten", 3, new_unflatten}, /* channels, height, width */
    {"log_softmax", 0, new_log_softmax},
    {"identity", 0, new_identity},
};
enum { N_KINDS = sizeof kinds / sizeof *kinds };

/* ---- reading a network ---- */

static void fail(const char *why, const char *what)
{
    fprintf(stderr, "bench_random_step: %s %s\n", why, what);
    exit(1);
}

static sp_module *read_layer(FILE *file, const char *kind)
{
    double numbers[MOST_NUMBERS] = {0};
    for (int i = 0; i < N_KINDS; i++) {
        if (strcmp(kinds[i].name, kind) != 0) continue;
        for (int j = 0; j < kinds[i].numbers; j++)
            if (fscanf(file, "%lf", &numbers[j]) != 1) fail("too few numbers for", kind);
        /* cppcheck-suppress returnDanglingLifetime ; the module keeps no pointer to the numbers */
        return kinds[i].make(numbers);
    }
    return fail("no layer is called", kind), NULL;
}

static sp_module *read_layers(FILE *file);

static sp_module *read_residual(FILE *file)
{
    residual *r = sp_module_new(residual, .name = "Residual", .forward = residual_forward);
    if (!r) return NULL;
    r->body = sp_module_add(&r->base, "body", read_layers(file));
    r->shortcut = sp_module_add(&r->base, "shortcut", read_layers(file));
    return &r->base;
}

/* Layers up to `shortcut`, `end` or the end of the file. */
static sp_module *read_layers(FILE *file)
{
    sp_module *layers[MOST_LAYERS + 1];
    char kind[32];
    int n = 0;
    while (fscanf(file, "%31s", kind) == 1 && strcmp(kind, "shortcut") != 0 && strcmp(kind, "end") != 0) {
        if (n == MOST_LAYERS) fail("too many layers before", kind);
        layers[n++] = strcmp(kind, "residual") == 0 ? read_residual(file) : read_layer(file, kind);
    }
    layers[n] = sp_last_module_;
    return sp_nn_sequential_until(layers);
}

static sp_module *criterion_by_name(const char *name)
{
    if (strcmp(name, "nll") == 0) return sp_nn_nll_loss();
    if (strcmp(name, "entropy") == 0) return sp_nn_cross_entropy_loss();
    if (strcmp(name, "mse") == 0) return sp_nn_mse_loss();
    if (strcmp(name, "l1") == 0) return sp_nn_l1_loss();
    if (strcmp(name, "smooth_l1") == 0) return sp_nn_smooth_l1_loss();
    if (strcmp(name, "bce") == 0) return sp_nn_bce_loss();
    return fail("no loss is called", name), NULL;
}

typedef struct trained {
    sp_module *model, *criterion;
    sp_optimizer *optimizer;
    sp_dtype autocast;
    sp_tensor *x[MOST_BATCHES], *y[MOST_BATCHES];
    int batches;
} trained;

static void read_network(trained *t, const char *path)
{
    char loss[32], optimizer[32];
    FILE *file = fopen(path, "r");
    if (!file || fscanf(file, "%31s %31s", loss, optimizer) != 2) fail("cannot read", path);
    t->criterion = criterion_by_name(loss);
    t->model = read_layers(file);
    t->optimizer = sp_optim_by_name(optimizer, sp_parameters(t->model), .lr = 1e-3);
    fclose(file);
}

/* Gives the network its weights, and takes the batches out. */
static void read_tensors(trained *t, const char *path)
{
    sp_dict *all = sp_load_tensors(path), *weights = sp_state_dict(t->model);
    for (int64_t i = 0; i < sp_dict_length(weights); i++) {
        sp_tensor *value = sp_dict_find(all, sp_dict_name(weights, i));
        if (!value) fail("no tensor is called", sp_dict_name(weights, i));
        sp_copy_(sp_dict_get(weights, i), value);
    }
    for (; t->batches < MOST_BATCHES; t->batches++) {
        char x[8], y[8];
        snprintf(x, sizeof x, "x%d", t->batches);
        snprintf(y, sizeof y, "y%d", t->batches);
        t->x[t->batches] = sp_dict_find(all, x);
        t->y[t->batches] = sp_dict_find(all, y);
        if (!t->x[t->batches] || !t->y[t->batches]) break;
    }
    if (t->batches == 0) fail("no batches in", path);
}

/* ---- steps ---- */

static double seconds_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double step(const trained *t, int batch)
{
    double loss = 0;
    SP_SCOPE {
        SP_AUTOCAST(t->autocast)
        {
            sp_zero_grad(t->optimizer);
            sp_tensor *error = sp_forward(t->criterion, sp_forward(t->model, t->x[batch]), t->y[batch]);
            sp_backward(error);
            loss = sp_item(error);
            sp_step(t->optimizer);
        }
    }
    if (sp_error_status() != SP_OK) fail("a step failed:", sp_error_message());
    return loss;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The median of the steps that fit. */
static double measure(const trained *t, double seconds)
{
    static double times[MOST_STEPS];
    const double end = seconds_now() + seconds;
    size_t n = 0;
    while (n < MOST_STEPS && (n < 3 || seconds_now() < end)) {
        const double began = seconds_now();
        step(t, (int)(n % (size_t)t->batches));
        times[n++] = seconds_now() - began;
    }
    qsort(times, n, sizeof *times, compare);
    return times[n / 2];
}

int main(int argc, char **argv)
{
    if (argc < 4) fail("usage:", "bench_random_step NETWORK TENSORS SECONDS [bf16]");
    const double seconds = atof(argv[3]);
    trained t = {.autocast = argc > 4 && strcmp(argv[4], "bf16") == 0 ? SP_BF16 : SP_DTYPE_DEFAULT};
    read_network(&t, argv[1]);
    read_tensors(&t, argv[2]);
    const double loss = step(&t, 0);
    measure(&t, seconds / 4);
    printf("{\"loss\":%.9g,\"median_us\":%.3f}\n", loss, 1e6 * measure(&t, seconds));
    return 0;
}
