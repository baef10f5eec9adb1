/* What backwards share: summing over broadcast dimensions, numbers as operands. */
#include "autograd/autograd.h"
#include <spusk/reductions.h>
#include <spusk/views.h>
#include <string.h>

sp_tensor *sp__sum_to(sp_tensor *x, sp_dims dims)
{
    int64_t summed[SP_MAX_DIMS];
    int n = 0;
    if (sp__check_tensor(x, "a backward", "gradient")) return NULL;
    int lead = x->ndim - dims.n;
    for (int d = 0; d < x->ndim; d++)
        if (d < lead || (dims.data[d - lead] == 1 && x->sizes[d] != 1)) summed[n++] = d;
    sp_tensor *sum = n ? sp_sum_dims(x, ((sp_dims){summed, n}), .keepdim = true) : x;
    return lead > 0 ? (sp_reshape)(sum, dims) : sum;
}

static sp_tensor *wrapped(sp_tensor *x)
{
    if (x) x->wrapped_number = true;
    return x;
}

sp_tensor *sp__wrapped_f64(double value)
{
    return wrapped(
        (sp_full)(SP_DIMS(), value, &(sp_tensor_options){.size = sizeof(sp_tensor_options), .dtype = SP_F64}));
}

sp_tensor *sp__wrapped_i64(int64_t value)
{
    return wrapped(sp_full_i64(SP_DIMS(), value));
}
