/* The losses of a classifier, whose output is the logarithms of its probabilities. */
#include "names.h"

#include <spusk/functional.h>
#include <spusk/indexing.h>
#include <spusk/pointwise.h>
#include <spusk/train.h>

static sp_tensor *cross_entropy(sp_tensor *output, sp_tensor *labels)
{
    return sp_nll_loss(output, labels);
}

static sp_tensor *one_hot(sp_tensor *output, sp_tensor *labels)
{
    return sp_cast(sp_one_hot(labels, sp_size(output, 1)), sp_dtype_of(output));
}

static sp_tensor *squared(sp_tensor *output, sp_tensor *labels)
{
    return sp_mse_loss(sp_exp(output), one_hot(output, labels));
}

static sp_tensor *absolute(sp_tensor *output, sp_tensor *labels)
{
    return sp_l1_loss(sp_exp(output), one_hot(output, labels));
}

sp_tensor *sp_loss_by_name(const char *name, sp_tensor *output, sp_tensor *labels)
{
    static const struct {
        const char *name;
        sp_tensor *(*loss)(sp_tensor *output, sp_tensor *labels);
    } losses[] = {{"nll", cross_entropy}, {"mse", squared}, {"l1", absolute}};
    if (!output || !labels) return sp_raise_null("sp_loss_by_name", output ? "labels" : "output"), NULL;
    const int i = sp__row_by_name("sp_loss_by_name", "loss", losses, sizeof losses / sizeof *losses, sizeof *losses,
                                  name);
    return i >= 0 ? losses[i].loss(output, labels) : NULL;
}
