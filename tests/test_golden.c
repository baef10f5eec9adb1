/* Golden hashes: some training steps of the networks that speed is measured on and every operator's cases, forward and
 * backward, at each ISA level. A change of the code that is to change no result must leave all of them as they are.
 *
 * tests/golden/hashes.txt has the committed ones; tools/golden.sh makes them anew. In f32 and f64 all levels with a fused
 * multiply-add share one line, "fused", whoever compiled them. The others, and all of bf16, are a line a level, and are
 * of one compiler and C library, which the file names: under others those are not looked at. */
#include "backends/cpu/cpu.h"
#include "networks.h"
#include "support/cases.h"
#include "support/support.h"
#include "support/training.h"
#include <spusk/spusk.h>
#include <stdlib.h>
#include <string.h>
#if defined(__GLIBC__)
#include <gnu/libc-version.h>
#endif

#if defined(SP_DEBUG) || !defined(__OPTIMIZE__)
static const bool is_release = false;
#else
static const bool is_release = true;
#endif

typedef struct level {
    const char *name;
    bool fuses;
} level;
static const level levels[] = {{"reference", false}, {"generic", false},  {"avx2", true}, {"avx512", true},
                               {"avx512bf16", true}, {"avx512amx", true}, {"neon", true}};
enum { N_LEVELS = sizeof levels / sizeof *levels };

/* ---- hashes ---- */

/* FNV-1a (Fowler, Noll, Vo) of 64 bits. */
static uint64_t hash_bytes(uint64_t hash, const void *data, size_t bytes)
{
    const unsigned char *p = data;
    for (size_t i = 0; i < bytes; i++) hash = (hash ^ p[i]) * UINT64_C(0x100000001B3);
    return hash;
}
static const uint64_t NOTHING = UINT64_C(0xCBF29CE484222325);

/* One NaN is as good as another: processors give them different signs. */
static void plain_nans(sp_dtype dtype, void *data, int64_t n)
{
    float *f = data;
    double *d = data;
    uint16_t *b = data;
    for (int64_t i = 0; i < n; i++) {
        if (dtype == SP_F32 && f[i] != f[i]) memcpy(&f[i], &(uint32_t){0x7FC00000u}, sizeof *f);
        if (dtype == SP_F64 && d[i] != d[i]) memcpy(&d[i], &(uint64_t){UINT64_C(0x7FF8000000000000)}, sizeof *d);
        if (dtype == SP_BF16 && (b[i] & 0x7FFF) > 0x7F80) b[i] = 0x7FC0;
    }
}

static uint64_t hash_tensor(uint64_t hash, sp_tensor *x)
{
    if (!x || x == SP_NONE) return hash_bytes(hash, "none", 4);
    const sp_dtype dtype = sp_dtype_of(x);
    const size_t bytes = (size_t)sp_numel(x) * sp_dtype_size(dtype);
    const sp_dims sizes = sp_sizes(x);
    hash = hash_bytes(hash, &dtype, sizeof dtype);
    hash = hash_bytes(hash, sizes.data, (size_t)sizes.n * sizeof *sizes.data);
    void *data = malloc(bytes ? bytes : 1);
    assert_non_null(data);
    assert_int_equal(sp_copy_out(data, x, bytes), SP_OK);
    plain_nans(dtype, data, sp_numel(x));
    hash = hash_bytes(hash, data, bytes);
    free(data);
    return hash;
}

/* ---- the networks ---- */

static sp_optimizer *adam(sp_list *p)
{
    return sp_optim_adam(p);
}
static sp_optimizer *adadelta(sp_list *p)
{
    return sp_optim_adadelta(p, .lr = 1);
}
static sp_optimizer *sgd(sp_list *p)
{
    return sp_optim_sgd(p, .lr = 0.05, .momentum = 0.9, .weight_decay = 1e-3);
}
static sp_optimizer *rmsprop(sp_list *p)
{
    return sp_optim_rmsprop(p, .lr = 1e-3);
}
static sp_optimizer *adagrad(sp_list *p)
{
    return sp_optim_adagrad(p);
}
static sp_optimizer *nadam(sp_list *p)
{
    return sp_optim_nadam(p);
}
static sp_optimizer *adamax(sp_list *p)
{
    return sp_optim_adamax(p);
}
static sp_optimizer *adamw(sp_list *p)
{
    return sp_optim_adamw(p);
}

/* Between them the optimisers that there are. Large networks take fewer steps, of fewer examples. */
typedef struct network {
    const char *name;
    sp_optimizer *(*optimizer)(sp_list *parameters);
    int steps, batch;
} network;

static const network networks[] = {
    {"mlp", adam, 8, 8},         {"ae", adam, 8, 8},           {"cnn", adam, 6, 8},   {"convae", adam, 8, 8},
    {"example", adadelta, 4, 4}, {"logistic", adagrad, 20, 8}, {"lenet", sgd, 4, 4},  {"tanhnet", rmsprop, 20, 8},
    {"wide", adamw, 3, 8},       {"bnnet", nadam, 4, 4},       {"resnet", sgd, 2, 2}, {"mobile", adamax, 4, 4},
    {"gan", adamw, 3, 2},        {"former", adam, 2, 2},
};

typedef struct precision {
    const char *name;
    sp_dtype dtype, autocast;
} precision;
static const precision precisions[] = {
    {"f32", SP_F32, SP_DTYPE_DEFAULT}, {"f64", SP_F64, SP_DTYPE_DEFAULT}, {"bf16", SP_F32, SP_BF16}};

/* ---- steps ---- */

enum { MOST_BATCH = 8, CLASSES = 10, SIDE = 28 };

/* Strokes on black: row and column by the label, each a little elsewhere and as bright as chance says. */
static sp_tensor *images(int step, int batch, sp_dtype dtype)
{
    static double noise[MOST_BATCH * SIDE * SIDE], x[MOST_BATCH * SIDE * SIDE];
    training_uniform(1000 + (uint64_t)step, noise, batch * SIDE * SIDE);
    for (int i = 0; i < batch * SIDE * SIDE; i++) {
        const int image = i / (SIDE * SIDE), row = i / SIDE % SIDE, column = i % SIDE;
        const int label = (step * batch + image) % CLASSES, shift = (step + image) % 3;
        const bool bright = abs(row - 5 - 2 * label + shift) < 2 || abs(column - 24 + 2 * label - shift) < 2;
        x[i] = bright ? 0.5 + noise[i] / 2 : 0;
    }
    return sp_cast(sp_from_data(x, SP_DIMS(batch, 1, SIDE, SIDE), .dtype = SP_F64), dtype);
}

static sp_tensor *labels(int step, int batch)
{
    int64_t y[MOST_BATCH];
    for (int i = 0; i < batch; i++) y[i] = (step * batch + i) % CLASSES;
    return sp_from_data(y, SP_DIMS(batch), .dtype = SP_I64);
}

typedef struct trained {
    const bench_network *network;
    const precision *precision;
    sp_module *model, *criterion;
    sp_optimizer *optimizer;
} trained;

static uint64_t step(uint64_t hash, const trained *t, int batch, int at)
{
    SP_SCOPE {
        SP_AUTOCAST(t->precision->autocast)
        {
            const sp_example e = bench_network_example(t->network, images(at, batch, t->precision->dtype),
                                                       labels(at, batch));
            sp_zero_grad(t->optimizer);
            sp_tensor *output = sp_forward(t->model, e.x);
            sp_tensor *loss = sp_forward(t->criterion, output, e.y);
            assert_int_equal(sp_backward(loss), SP_OK);
            hash = hash_tensor(hash, loss);
            assert_int_equal(sp_step(t->optimizer), SP_OK);
        }
    }
    return hash;
}

static uint64_t train(const network *n, const precision *p)
{
    uint64_t hash = NOTHING;
    SP_SCOPE {
        trained t = {.network = bench_network_by_name(n->name), .precision = p};
        assert_non_null(t.network);
        sp_manual_seed(3);
        t.model = bench_network_make(t.network);
        t.criterion = t.network->criterion();
        assert_int_equal(sp_module_cast(t.model, p->dtype), SP_OK);
        sp_list *parameters = sp_parameters(t.model);
        t.optimizer = n->optimizer(parameters);
        for (int i = 0; i < n->steps; i++) hash = step(hash, &t, n->batch, i);
        for (int64_t i = 0; i < sp_list_length(parameters); i++) hash = hash_tensor(hash, sp_list_get(parameters, i));
    }
    return hash;
}

/* ---- operators ---- */

/* The gradients of Σ y·w, for weights w that differ. */
static uint64_t hash_gradients(uint64_t hash, const test_case *c, sp_tensor *const *in, sp_tensor *y)
{
    sp_tensor *weights = training_tensor(5, sp_sizes(y), 1, 0.5, sp_dtype_of(y));
    sp_backward(sp_sum(sp_mul(y, weights)));
    for (int i = 0; i < c->n; i++)
        if (c->inputs[i].grad) hash = hash_tensor(hash, sp_grad(in[i]));
    return hash;
}

static uint64_t hash_case(uint64_t hash, const test_case *c, layout how)
{
    sp_tensor *in[CASE_MAX_INPUTS];
    if (!case_inputs(c, how, in)) fail_msg("no inputs: %s", sp_error_message());
    for (int i = 0; i < c->n; i++)
        if (c->inputs[i].grad) sp_requires_grad(in[i]);
    sp_tensor *y = case_sample(c)->call(in);
    hash = hash_tensor(hash, y);
    if (y && sp_needs_grad(y)) hash = hash_gradients(hash, c, in, y);
    sp_error_clear();
    return hash;
}

static bool has_bf16(const test_case *c)
{
    for (int i = 0; i < c->n; i++)
        if (c->inputs[i].dtype == SP_BF16) return true;
    return false;
}

typedef enum cases_with { ANY_DTYPE, NO_BF16, BF16 } cases_with;

/* NOTHING where there are no such cases. */
static uint64_t run_operator(const sp_op *op, cases_with which)
{
    int n;
    test_case *cases = cases_of(op, &n);
    uint64_t hash = NOTHING;
    for (int i = 0; i < n; i++)
        for (int how = 0; how < LAYOUT_COUNT; how++) {
            if (cases[i].kind == CASE_SHAPE || (which && has_bf16(&cases[i]) != (which == BF16))) continue;
            SP_SCOPE {
                hash = hash_case(hash, &cases[i], (layout)how);
            }
        }
    free(cases);
    return hash;
}

/* ---- the committed hashes ---- */

static FILE *written; /* NULL: compare; else every hash goes here */
static bool same_maker;
static int seen;

/* The shared lines that were written, with which the next levels are compared. */
static char fresh[400][120];
static int n_fresh;

/* The compiler and the C library. */
static const char *made_by(void)
{
    static char text[100];
    const char *c = "unknown";
#if defined(__GLIBC__)
    c = gnu_get_libc_version();
#endif
#if defined(__clang__)
    snprintf(text, sizeof text, "clang %d, libc %s", __clang_major__, c);
#else
    snprintf(text, sizeof text, "gcc %d, libc %s", __GNUC__, c);
#endif
    return text;
}

/* What follows these words and a colon, where the line begins with them. */
static bool take_rest(const char *line, const char *words, char *rest, size_t room)
{
    const size_t length = strlen(words);
    if (strncmp(line, words, length) != 0 || line[length] != ':') return false;
    snprintf(rest, room, "%.*s", (int)strcspn(line + length + 2, "\n"), line + length + 2);
    return true;
}

/* The rest of the line of the file, or of what was just written; false when there is none. */
static bool find_line(const char *words, char *rest, size_t room)
{
    char line[200];
    bool found = false;
    for (int i = 0; written && i < n_fresh && !found; i++) found = take_rest(fresh[i], words, rest, room);
    if (written) return found;
    FILE *file = fopen(SP_TEST_DIR "/golden/hashes.txt", "r");
    while (file && !found && fgets(line, sizeof line, file)) found = take_rest(line, words, rest, room);
    if (file) fclose(file);
    return found;
}

static bool write_line(const char *words, const char *hash, bool shared)
{
    assert_true(n_fresh < (int)(sizeof fresh / sizeof *fresh));
    if (shared) snprintf(fresh[n_fresh++], sizeof *fresh, "%.90s: %.20s", words, hash);
    return fprintf(written, "%s: %s\n", words, hash) > 0;
}

/* Whether the hash is the committed one; prints what differs. */
static bool check_hash(const level *at, const char *part, const char *name, bool bf16, uint64_t hash)
{
    char words[100], now[20], committed[20] = "";
    const bool shared = at->fuses && !bf16;
    seen++;
    snprintf(words, sizeof words, "%s %s %s", shared ? "fused" : at->name, part, name);
    snprintf(now, sizeof now, "%016llx", (unsigned long long)hash);
    const bool found = find_line(words, committed, sizeof committed);
    if (written && !found) return write_line(words, now, shared);
    if (found && strcmp(committed, now) == 0) return true;
    print_error("%s at level %s: %s, committed %s\n", words, at->name, now, found ? committed : "none");
    return false;
}

/* Whether a hash is one that this compiler and C library must give. */
static bool is_looked_at(const level *at, bool bf16)
{
    return same_maker || (at->fuses && !bf16);
}

/* ---- tests: one for each level and part ---- */

static int check_networks(const level *at)
{
    int wrong = 0;
    for (size_t i = 0; i < sizeof networks / sizeof *networks; i++)
        for (size_t p = 0; p < sizeof precisions / sizeof *precisions; p++) {
            const bool bf16 = precisions[p].autocast == SP_BF16;
            char name[60];
            if (!is_looked_at(at, bf16)) continue;
            snprintf(name, sizeof name, "%s-%s", networks[i].name, precisions[p].name);
            wrong += !check_hash(at, "network", name, bf16, train(&networks[i], &precisions[p]));
        }
    return wrong;
}

static int check_operators(const level *at)
{
    int wrong = 0;
    for (int i = 0; i < 2 * sp__n_ops; i++) {
        const sp_op *op = sp__all_ops[i / 2];
        const bool bf16 = i % 2 == 1;
        char name[60];
        if (!op->samples || !is_looked_at(at, bf16) || (bf16 && !at->fuses)) continue;
        const uint64_t hash = run_operator(op, !at->fuses ? ANY_DTYPE : bf16 ? BF16 : NO_BF16);
        snprintf(name, sizeof name, "%s%s", op->name, bf16 ? "-bf16" : "");
        if (hash != NOTHING) wrong += !check_hash(at, "operator", name, bf16, hash);
    }
    return wrong;
}

static void check_level(const level *at, int (*check)(const level *at))
{
    if (!is_release) skip_because("only what the release build computes is hashed");
    if (!same_maker && !at->fuses) skip_because("the level's hashes are another compiler's or C library's");
    if (!sp__cpu_set_level(at->name)) skip_because("this machine lacks the level");
    seen = 0;
    const int wrong = check(at);
    sp__cpu_set_level(NULL);
    assert_true(seen > 0);
    if (wrong) fail_msg("%d of %d hashes are not the committed ones", wrong, seen);
}

static void test_networks(void **state)
{
    check_level(*state, check_networks);
}

static void test_operators(void **state)
{
    check_level(*state, check_operators);
}

/* test_golden --write FILE writes the hashes of what this machine computes. */
int main(int argc, char **argv)
{
    static char names[2 * N_LEVELS][60];
    char maker[100] = "";
    struct CMUnitTest tests[2 * N_LEVELS];
    if (argc == 3 && strcmp(argv[1], "--write") == 0) written = fopen(argv[2], "w");
    if (argc > 1 && !written) return fputs("usage: test_golden [--write FILE]\n", stderr), 2;
    if (written) fprintf(written, "made by: %s\n", made_by());
    same_maker = written || (find_line("made by", maker, sizeof maker) && strcmp(maker, made_by()) == 0);
    for (int i = 0; i < 2 * N_LEVELS; i++) {
        const bool is_network = i % 2 == 0;
        snprintf(names[i], sizeof names[i], "%s: %s", levels[i / 2].name, is_network ? "networks" : "operators");
        tests[i] = (struct CMUnitTest){names[i], is_network ? test_networks : test_operators, support_setup,
                                       support_teardown, (void *)(uintptr_t)&levels[i / 2]};
    }
    cmocka_set_message_output(CM_OUTPUT_TAP);
    const int failed = _cmocka_run_group_tests("golden", tests, 2 * N_LEVELS, NULL, NULL);
    if (written && fclose(written) != 0) return fputs("test_golden: the file was not written whole\n", stderr), 1;
    return failed;
}
