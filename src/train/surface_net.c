/* A network's own loss on a plane of its weights: 1 → 8 → 1 with tanh, which learns a sine. All weights stand in one
 * row; a batch of rows is a batch of networks, so that a picture of the loss is one call.
 *
 * The plane goes through three points: where a training began, (0, 1), where it ended, (0, 0), and where another one
 * ended, (1, 0). Between two ends lies a ridge: the networks are equally good, but not alike (Li, Xu, Taylor, Studer,
 * Goldstein, "Visualizing the loss landscape of neural nets", 2018, draw such pictures along random directions). */
#include "surfaces.h"
#include <spusk/indexing.h>
#include <spusk/linalg.h>
#include <spusk/pointwise.h>
#include <spusk/random.h>
#include <spusk/views.h>

enum { HIDDEN = 8, WEIGHTS = 3 * HIDDEN + 1, EXAMPLES = 24, STEPS = 400 };

/* Part of the rows of weights (n, WEIGHTS), as (n, HIDDEN, 1). */
static sp_tensor *part(sp_tensor *weights, int64_t index)
{
    return sp_unsqueeze(sp_narrow(weights, 1, index * HIDDEN, HIDDEN), 2);
}

/* The mean squared error (n) of networks (n, WEIGHTS). */
static sp_tensor *losses(sp_tensor *weights)
{
    sp_tensor *x = sp_linspace(-3, 3, EXAMPLES, .dtype = SP_F64);
    sp_tensor *hidden = sp_tanh(sp_add(sp_mul(part(weights, 0), x), part(weights, 1)));
    sp_tensor *output = sp_add(sp_sum_dim(sp_mul(part(weights, 2), hidden), 1), sp_narrow(weights, 1, 3 * HIDDEN, 1));
    return sp_mean_dim(sp_square(sp_sub(output, sp_sin(x))), 1);
}

static sp_tensor *beginning(uint64_t seed)
{
    sp_generator *generator = sp_generator_new(seed);
    return generator ? sp_randn(SP_DIMS(1, WEIGHTS), .dtype = SP_F64, .generator = generator) : NULL;
}

static sp_tensor *trained(sp_tensor *start)
{
    sp_tensor *weights = NULL;
    SP_ENABLE_GRAD {
        weights = sp_requires_grad(sp_clone(sp_detach(start)));
        sp_optimizer *optimizer = sp_optim_adam(SP_LIST(weights), .lr = 0.03);
        for (int step = 0; step < STEPS && optimizer && sp_error_status() == SP_OK; step++)
            SP_SCOPE {
                sp_zero_grad(optimizer);
                sp_backward(sp_sum(losses(weights)));
                sp_step(optimizer);
            }
        weights = optimizer ? sp_escape(sp_detach(weights)) : NULL;
    }
    return sp_error_status() == SP_OK ? weights : NULL;
}

sp_status sp__surface_net_train(sp__surface_net *net)
{
    SP_NO_GRAD {
        sp_tensor *start = beginning(1), *end = trained(start), *other = trained(beginning(2));
        net->directions = sp_retain(sp_cat(SP_LIST(sp_sub(other, end), sp_sub(start, end)), 0));
        net->origin = sp_retain(net->directions ? end : NULL);
    }
    return net->origin ? SP_OK : sp_error_status();
}

void sp__surface_net_free(sp__surface_net *net)
{
    sp_drop(net->origin);
    sp_drop(net->directions);
}

sp_tensor *sp__surface_net_value(const sp__surface_net *net, sp_tensor *p)
{
    sp_dims sizes = sp_sizes(p);
    sp_tensor *weights = sp_add(net->origin, sp_matmul((sp_reshape)(p, SP_DIMS(-1, 2)), net->directions));
    return (sp_reshape)(losses(weights), (sp_dims){sizes.data, sizes.n - 1});
}
