// The calls of C in C++: lists, options by pointer or left out, integers and doubles by overloads, loops.
#include <spusk/spusk.h>

static int failures;

static void check(bool right)
{
    failures += !right;
}

static void values()
{
    check(sp_numel(sp_vector(1, 2.5, 3)) == 3 && sp_numel(sp_matrix(2, 2, 1, 2, 3, 4)) == 4);
    check(sp_ndim(sp_zeros(SP_DIMS())) == 0 && sp_size(sp_zeros(SP_DIMS(2, 3)), 1) == 3);
    check(sp_dtype_of(sp_full(SP_DIMS(2), 3)) == SP_I64 && sp_dtype_of(sp_full(SP_DIMS(2), 3.)) == SP_F32);
    check(sp_dtype_of(sp_arange(0, 4, 1)) == SP_I64 && sp_numel(sp_arange(0., 1., .25)) == 4);
    check(sp_size(sp_cat(SP_LIST(sp_vector(1), sp_vector(2, 3)), 0), 0) == 3);
}

static void training()
{
    sp_tensor *x = sp_randn(SP_DIMS(8, 3)), *y = sp_arange(0, 8, 1);
    sp_module *model = sp_nn_sequential(sp_nn_linear(3, 16), sp_nn_relu(), sp_nn_linear(16, 8), sp_nn_log_softmax(1));
    sp_optim_options options = {};
    options.size = sizeof options;
    options.lr = 0.1;
    sp_optimizer *optimizer = sp_optim_sgd(sp_parameters(model), &options);
    double first = 0, last = 0;
    sp_loader *loader = sp_data_loader(sp_data_tensors(x, y));
    for (int epoch = 0; epoch < 20; epoch++) {
        last = 0;
        sp_foreach_batch (batch, loader) {
            sp_zero_grad(optimizer);
            sp_tensor *loss = sp_nll_loss(sp_forward(model, batch.x), batch.y);
            sp_backward(loss);
            sp_step(optimizer);
            last += sp_item(loss);
        }
        if (epoch == 0) first = last;
    }
    check(last < first);
    SP_NO_GRAD { check(!sp_needs_grad(sp_forward(model, sp_view(x, -1, 3)))); }
}

int main()
{
    SP_SCOPE { values(); }
    SP_SCOPE { training(); }
    return sp_finish() || failures;
}
