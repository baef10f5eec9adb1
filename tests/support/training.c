#include "support/training.h"
#include "support/support.h"
#include <math.h>
#include <spusk/extend/layer.h>
#include <spusk/spusk.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t word(uint64_t seed, int64_t i)
{
    uint64_t z = seed + (uint64_t)(i + 1) * UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

void training_words(uint64_t seed, uint64_t *out, int64_t n)
{
    for (int64_t i = 0; i < n; i++) out[i] = word(seed, i);
}

void training_uniform(uint64_t seed, double *out, int64_t n)
{
    for (int64_t i = 0; i < n; i++) out[i] = (double)(word(seed, i) >> 11) * 0x1p-53;
}

sp_tensor *training_tensor(uint64_t seed, sp_dims dims, double scale, double shift, sp_dtype dtype)
{
    int64_t n = 1;
    for (int i = 0; i < dims.n; i++) n *= dims.data[i];
    double *values = malloc((size_t)(n > 0 ? n : 1) * sizeof *values);
    training_uniform(seed, values, n);
    for (int64_t i = 0; i < n; i++) values[i] = values[i] * scale + shift;
    sp_tensor *x = sp_cast(sp_from_data(values, dims, .dtype = SP_F64), dtype);
    free(values);
    return x;
}

void training_set_weights(sp_module *model)
{
    uint64_t layers = 0;
    for (int i = 0; i < sp_module_num_children(model); i++) {
        sp_list *parameters = sp_parameters(sp_module_child(model, i));
        if (sp_list_length(parameters) == 0) continue;
        sp_tensor *weight = sp_list_get(parameters, 0);
        const int64_t inputs = sp_numel(weight) / sp_size(weight, 0);
        const double bound = 1 / sqrt((double)inputs);
        for (int64_t k = 0; k < sp_list_length(parameters); k++) {
            SP_NO_GRAD {
                sp_tensor *p = sp_list_get(parameters, k);
                /* (2u - 1)·bound, in that order, as on the other side. */
                sp_tensor *u = training_tensor(100 + 2 * layers + (uint64_t)k, sp_sizes(p), 2, -1, SP_F64);
                assert_non_null(sp_copy_(p, sp_mul_scalar(u, bound)));
            }
        }
        layers++;
    }
}

/* The line of a file that begins with the name; the rest of it, to be freed. */
static char *find_line(const char *file, const char *name)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/fixtures/training/%s", SP_TEST_DIR, file);
    FILE *f = fopen(path, "r");
    if (!f) fail_msg("%s cannot be opened", path);
    size_t size = 1 << 16, n = strlen(name);
    char *line = malloc(size);
    while (fgets(line, (int)size, f)) {
        if (strncmp(line, name, n) != 0 || line[n] != ' ') continue;
        fclose(f);
        memmove(line, line + n, strlen(line + n) + 1);
        return line;
    }
    fclose(f);
    free(line);
    fail_msg("%s has no line %s", path, name);
    return NULL;
}

int training_line(const char *file, const char *name, double *out, int room)
{
    char *line = find_line(file, name), *at = line, *end = NULL;
    int n = 0;
    for (; n < room; n++, at = end) {
        double x = strtod(at, &end);
        if (end == at) break;
        out[n] = x;
    }
    free(line);
    return n;
}
