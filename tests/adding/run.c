/* Runs the samples of one operator, with its gradients: run NAME. Built by tests/test_adding.sh in a copy of the project. */
#include "ops/ops.h"
#include <spusk/spusk.h>
#include <stdio.h>
#include <stdlib.h>

static const sp_op *find(const char *name)
{
    for (int i = 0; i < sp__n_ops; i++)
        if (strcmp(sp__all_ops[i]->name, name) == 0) return sp__all_ops[i];
    return NULL;
}

/* "2 3" as numbers of f64 in the sample's range. */
static sp_tensor *input(const sp_sample_input *in)
{
    int64_t sizes[SP_MAX_DIMS];
    int n = 0;
    char *end;
    for (const char *p = in->shape; n < SP_MAX_DIMS && *p; p = end) sizes[n++] = strtoll(p, &end, 10);
    sp_tensor *x = sp_empty(((sp_dims){sizes, n}), .dtype = SP_F64);
    return sp_requires_grad(sp_uniform_(x, in->low, in->high));
}

static sp_tensor *call(sp_tensor *const *inputs, void *user)
{
    return (*(sp_tensor * (*const *)(sp_tensor *const *)) user)(inputs);
}

static bool passes(const sp_sample *sample)
{
    sp_list *inputs = sp_list_new(NULL, 0);
    for (int i = 0; i < 5 && sample->inputs[i].shape; i++) sp_list_append(inputs, input(&sample->inputs[i]));
    sp_tensor *(*function)(sp_tensor *const *) = sample->call;
    return sp_gradcheck(call, inputs, &function);
}

int main(int argc, char **argv)
{
    const sp_op *op = argc > 1 ? find(argv[1]) : NULL;
    int n = 0;
    for (; op && op->samples[n].call; n++)
        if (!passes(&op->samples[n])) return 1;
    printf("%s: %d samples\n", op ? op->name : "no such operator", n);
    return n == 0 || sp_finish();
}
