/* What a classifier can be trained by. Its output is the logarithms of its probabilities. */
#include <spusk/extend.h>
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
    if (!name) return sp_raise_null("sp_loss_by_name", "name"), NULL;
    if (!output || !labels) return sp_raise_null("sp_loss_by_name", output ? "labels" : "output"), NULL;
    for (size_t i = 0; i < sizeof losses / sizeof *losses; i++)
        if (strcmp(losses[i].name, name) == 0) return losses[i].loss(output, labels);
    sp_raise(SP_ERROR_NOT_FOUND, "sp_loss_by_name: there is no loss \"%s\"; there are: nll, mse, l1", name);
    return NULL;
}
