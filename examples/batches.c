/* How many examples make a step? A line through points by descent with the gradient of all of them, of one, and of a
 * few at a time: the loss of each after it has seen as many examples.
 *
 *     batches [SEED] */
#include <spusk/spusk.h>
#include <stdio.h>
#include <stdlib.h>

#define EXAMPLES 1024
#define FEATURES 8

/* y = x·w + b and noise, with features of different sizes. */
static sp_dataset *regression(void)
{
    sp_tensor *sizes = sp_linspace(0.3, 1.5, FEATURES);
    sp_tensor *x = sp_randn(SP_DIMS(EXAMPLES, FEATURES));
    x = sp_mul(x, sizes);
    sp_tensor *w = sp_randn(SP_DIMS(FEATURES, 1)), *noise = sp_randn(SP_DIMS(EXAMPLES, 1));
    sp_tensor *y = sp_add_scalar(sp_add(sp_matmul(x, w), sp_mul_scalar(noise, 0.5)), 2);
    return sp_data_tensors(x, y);
}

static double loss_over_all(sp_module *model, sp_module *criterion, sp_dataset *data)
{
    double loss = 0;
    SP_NO_GRAD {
        sp_example all = sp_data_all(data);
        loss = sp_item(sp_forward(criterion, sp_forward(model, all.x), all.y));
    }
    return loss;
}

static sp_series *train(sp_dataset *data, int64_t batch_size, double lr, int epochs, const char *name)
{
    sp_loader *loader = sp_data_loader(data, .batch_size = batch_size, .shuffle = true, .seed = 1);
    sp_module *model = sp_nn_linear(FEATURES, 1);
    sp_init_zeros_(sp_module_get(model, "weight"));
    sp_init_zeros_(sp_module_get(model, "bias"));
    sp_module *criterion = sp_nn_mse_loss();
    sp_optimizer *optimizer = sp_optim_sgd(sp_parameters(model), .lr = lr);
    sp_series *losses = sp_series_new(name);
    int64_t seen = 0, looked = -EXAMPLES;
    for (int epoch = 0; epoch < epochs; epoch++)
        sp_foreach_batch (batch, loader) {
            /* A look at all examples about thirty times an epoch, not after each step. */
            if (seen - looked >= EXAMPLES / 32) {
                sp_series_push_xy(losses, (double)seen / EXAMPLES, loss_over_all(model, criterion, data));
                looked = seen;
            }
            sp_zero_grad(optimizer);
            sp_tensor *output = sp_forward(model, batch.x);
            sp_tensor *loss = sp_forward(criterion, output, batch.y);
            sp_backward(loss);
            sp_step(optimizer);
            seen += sp_size(batch.x, 0);
        }
    sp_series_push_xy(losses, (double)seen / EXAMPLES, loss_over_all(model, criterion, data));
    return losses;
}

int main(int argc, char **argv)
{
    sp_manual_seed(argc > 1 ? strtoull(argv[1], NULL, 10) : 0);
    sp_dataset *data = regression();
    const int epochs = 12;
    sp_series *const losses[] = {
        train(data, EXAMPLES, 0.3, epochs, "all 1024 examples a step"),
        train(data, 32, 0.05, epochs, "mini-batches of 32"),
        train(data, 1, 0.01, epochs, "one example a step"),
    };
    for (int i = 0; i < 3; i++)
        printf("%-26s loss %.4f after %d epochs\n", sp_series_name(losses[i]),
               sp_series_y(losses[i], sp_series_length(losses[i]) - 1), epochs);
    sp_plot_lines("batches.png", ((sp_series_list){losses, 3}), .title = "A regression: how many examples make a step?",
                  .x_label = "examples seen (epochs)", .y_label = "mean squared error over all examples",
                  .log_y = true);
    return sp_finish();
}
