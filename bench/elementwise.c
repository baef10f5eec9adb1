/* What passes over memory: maps, reductions, rows, random fills, optimisers' steps; microseconds and GB/s. */
#include "bench.h"
#include <math.h>

typedef struct pass {
    const char *name;
    void (*run)(void *context);
    void *context;
    double bytes;
} pass;

static void run_map(void *context)
{
    sp__cpu_backend.map(context);
}

static void run_reduce(void *context)
{
    sp__cpu_backend.reduce(context);
}

static void run_rows(void *context)
{
    sp__cpu_backend.rows(context);
}

static void run_fill(void *context)
{
    sp__cpu_backend.fill(context);
}

static void report(const pass *p)
{
    contender c = {p->run, p->context, 0};
    in_turns(&c, 1, SP_F32);
    printf("%-28s %10.2f us %8.1f GB/s\n", p->name, c.median * 1e6, p->bytes / c.median / 1e9);
    fflush(stdout);
}

/* ---- maps of (rows, columns) ---- */

typedef struct shape {
    const char *name;
    int64_t rows, columns;
} shape;

static const shape shapes[] = {{"64x256", 64, 256}, {"64x784", 64, 784}, {"2048x2048", 2048, 2048}};

typedef struct map_case {
    const char *name;
    sp__map_kind kind;
    int inputs;
    bool by_row; /* the last input is a row, broadcast */
} map_case;

static const map_case maps[] = {
    {"add", SP__ADD, 2, false},         {"add a bias", SP__ADD, 2, true},     {"relu", SP__RELU, 1, false},
    {"exp", SP__EXP, 1, false},         {"log", SP__LOG, 1, false},           {"tanh", SP__TANH, 1, false},
    {"sigmoid", SP__SIGMOID, 1, false}, {"gelu", SP__GELU, 1, false},         {"erf", SP__ERF, 1, false},
    {"sin", SP__SIN, 1, false},         {"softplus", SP__SOFTPLUS, 1, false}, {"gt", SP__GT, 2, false},
};

static void bench_map(const map_case *m, const shape *s)
{
    const int64_t n = s->rows * s->columns;
    sp__map call = {
        .kind = m->kind, .ndim = 2, .sizes = {s->rows, s->columns}, .n_operands = m->inputs + 1, .params = {1, 20}};
    for (int i = 0; i <= m->inputs; i++) {
        call.operands[i] = (sp__operand){random_numbers(SP_F32, n, i + 1), 0, SP_F32, {s->columns, 1}};
        if (m->by_row && i == m->inputs) call.operands[i].strides[0] = 0;
    }
    if (m->kind == SP__GT) call.operands[0].dtype = SP_BOOL;
    char name[64];
    snprintf(name, sizeof name, "%s %s", m->name, s->name);
    report(&(pass){name, run_map, &call, 4.0 * (double)n * (m->inputs + 1 - m->by_row)});
    for (int i = 0; i <= m->inputs; i++) free_numbers(call.operands[i].buffer, n * 4);
}

/* ---- reductions, rows, fills ---- */

static void bench_sum(const shape *s, bool rows, bool columns)
{
    const int64_t n = s->rows * s->columns;
    sp__reduce call = {.kind = SP__SUM, .ndim = 2, .sizes = {s->rows, s->columns}, .reduced = {rows, columns}};
    call.in = (sp__operand){random_numbers(SP_F32, n, 1), 0, SP_F32, {s->columns, 1}};
    call.out = (sp__operand){random_numbers(SP_F32, n, 2),
                             0,
                             SP_F32,
                             {rows      ? 0
                              : columns ? 1
                                        : s->columns,
                              columns ? 0 : 1}};
    char name[64];
    snprintf(name, sizeof name, "sum of %s %s", rows && columns ? "all" : rows ? "rows" : "columns", s->name);
    report(&(pass){name, run_reduce, &call, 4.0 * (double)n});
    free_numbers(call.in.buffer, n * 4), free_numbers(call.out.buffer, n * 4);
}

static void bench_softmax(int64_t outer, int64_t n)
{
    const int64_t all = outer * n;
    sp__rows call = {.kind = SP__LOG_SOFTMAX, .outer = outer, .n = n, .inner = 1};
    call.in = (sp__operand){.buffer = random_numbers(SP_F32, all, 1), .dtype = SP_F32};
    call.out = (sp__operand){.buffer = random_numbers(SP_F32, all, 2), .dtype = SP_F32};
    char name[64];
    snprintf(name, sizeof name, "log_softmax %lldx%lld", (long long)outer, (long long)n);
    report(&(pass){name, run_rows, &call, 8.0 * (double)all});
    free_numbers(call.in.buffer, all * 4), free_numbers(call.out.buffer, all * 4);
}

static void bench_fill(const char *what, sp__fill_kind kind, const shape *s)
{
    const int64_t n = s->rows * s->columns;
    sp__fill call = {.kind = kind,
                     .out = {.buffer = random_numbers(SP_F32, n, 1), .dtype = SP_F32},
                     .n = n,
                     .a = 0.5,
                     .b = 2,
                     .seed = 1};
    char name[64];
    snprintf(name, sizeof name, "%s %s", what, s->name);
    report(&(pass){name, run_fill, &call, 4.0 * (double)n});
    free_numbers(call.out.buffer, n * 4);
}

/* ---- Adam over the parameters of 784→256→128→10 ---- */

typedef struct steps {
    sp__update calls[6];
    sp_update_numbers numbers;
} steps;

static void run_steps(void *context)
{
    const steps *s = context;
    sp__cpu_backend.update(s->calls, 6);
}

static void bench_adam(void)
{
    static const int64_t sizes[6] = {784 * 256, 256, 256 * 128, 128, 128 * 10, 10};
    steps s = {
        .numbers = {
            .lr = 1e-3, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8, .bias_correction1 = 0.1, .bias_correction2 = 0.001}};
    double bytes = 0;
    for (int i = 0; i < 6; i++) {
        sp__operand buffers[4];
        for (int k = 0; k < 4; k++)
            buffers[k] = (sp__operand){.buffer = random_numbers(SP_F32, sizes[i], k + 1), .dtype = SP_F32};
        const sp__map square = {.kind = SP__SQUARE,
                                .ndim = 1,
                                .sizes = {sizes[i]},
                                .n_operands = 2,
                                .operands = {{buffers[3].buffer, 0, SP_F32, {1}}, {buffers[3].buffer, 0, SP_F32, {1}}}};
        sp__cpu_backend.map(&square);
        s.calls[i] = (sp__update){.rule = SP_UPDATE_ADAM,
                                  .dtype = SP_F32,
                                  .n = sizes[i],
                                  .parameter = buffers[0],
                                  .grad = buffers[1],
                                  .state = {buffers[2], buffers[3]},
                                  .numbers = &s.numbers};
        bytes += 28.0 * (double)sizes[i];
    }
    report(&(pass){"adam 784-256-128-10", run_steps, &s, bytes});
}

int main(int argc, char **argv)
{
    const char *only = argc > 1 ? argv[1] : "";
    enum { SHAPES = sizeof shapes / sizeof *shapes };
    printf("%s, %d threads\n", sp_isa(), sp_num_threads());
    for (size_t i = 0; i < sizeof maps / sizeof *maps; i++)
        for (int s = 0; s < SHAPES && strstr(maps[i].name, only); s++) bench_map(&maps[i], &shapes[s]);
    for (int s = 0; s < SHAPES && strstr("sum", only); s++) {
        bench_sum(&shapes[s], true, true);
        bench_sum(&shapes[s], true, false);
        bench_sum(&shapes[s], false, true);
    }
    if (strstr("softmax", only)) bench_softmax(64, 10), bench_softmax(64, 1000), bench_softmax(4096, 1024);
    for (int s = 0; s < SHAPES && strstr("fill", only); s++) {
        bench_fill("uniform", SP__FILL_UNIFORM, &shapes[s]);
        bench_fill("normal", SP__FILL_NORMAL, &shapes[s]);
        bench_fill("dropout's mask", SP__FILL_BERNOULLI_SCALE, &shapes[s]);
    }
    if (strstr("adam", only)) bench_adam();
    return 0;
}
