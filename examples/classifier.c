/* A classifier of handwritten digits, from the data to the weights file, on one page.
 *
 *     classifier [DATA] [EPOCHS] [EXAMPLES]
 *
 * DATA is a folder that holds MNIST. Without it the folder is that of SPUSK_DATA, else the cache, which a download
 * fills; where MNIST is not to be had, or with `synthetic`, the digits are drawn. EXAMPLES limits how many there are.
 */
#include <spusk/spusk.h>
#include <stdio.h>
#include <stdlib.h>

static double accuracy(sp_module *model, sp_loader *loader)
{
    double total = 0, correct = 0;
    SP_NO_GRAD {
        sp_foreach_batch (batch, loader) {
            sp_tensor *X = sp_view(batch.x, -1, 784);
            sp_tensor *res = sp_argmax_dim(sp_forward(model, X), 1);
            total += (double)sp_size(res, 0);
            correct += sp_item(sp_sum(sp_eq(res, batch.y)));
        }
    }
    return correct / total;
}

/* MNIST, or drawn digits in its place. */
static sp_dataset *digits(const char *folder, bool test, long examples)
{
    return sp_data_digits(folder, .test = test, .length = test ? (examples + 5) / 6 : examples);
}

int main(int argc, char **argv)
{
    const char *data = argc > 1 ? argv[1] : NULL;
    int epochs = argc > 2 ? atoi(argv[2]) : 10;
    long examples = argc > 3 ? atol(argv[3]) : 60000;

    sp_loader *train = sp_data_loader(digits(data, false, examples), .batch_size = 64, .shuffle = true);
    sp_loader *val = sp_data_loader(digits(data, true, examples), .batch_size = 64);
    puts(sp_data_description(sp_loader_dataset(train)));

    sp_module *model = sp_nn_sequential(sp_nn_linear(784, 256), sp_nn_relu(), sp_nn_linear(256, 128), sp_nn_relu(),
                                        sp_nn_linear(128, 10), sp_nn_log_softmax(1));
    sp_module_print(model);

    sp_optimizer *optimizer = sp_optim_adam(sp_parameters(model), .lr = 1e-3);
    sp_module *criterion = sp_nn_nll_loss();
    sp_series *train_losses = sp_series_new("train loss");

    for (int epoch = 0; epoch < epochs; epoch++) {
        sp_foreach_batch (batch, train) {
            sp_tensor *X = sp_view(batch.x, -1, 784);
            sp_zero_grad(optimizer);
            sp_tensor *output = sp_forward(model, X);
            sp_tensor *loss = sp_forward(criterion, output, batch.y);
            sp_backward(loss);
            sp_series_push(train_losses, sp_item(loss));
            sp_step(optimizer);
        }
        if (sp_error_status() != SP_OK) break;
        sp_eval(model);
        printf("%d %.4f %.4f\n", epoch, accuracy(model, train), accuracy(model, val));
        sp_train(model);
    }
    sp_plot_lines("losses.png", train_losses);
    sp_save_state(model, "classifier.safetensors");
    return sp_finish();
}
