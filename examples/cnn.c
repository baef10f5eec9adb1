/* A convolutional classifier of handwritten digits, with images that are moved and turned while it learns.
 *
 *     cnn [DATA] [EPOCHS] [EXAMPLES]
 *
 * DATA is a folder that holds MNIST. Without it the folder is that of SPUSK_DATA, else the cache, which a download
 * fills; where MNIST is not to be had, or with `synthetic`, the digits are drawn. EXAMPLES limits how many there are.
 */
#include <spusk/spusk.h>
#include <stdio.h>
#include <stdlib.h>

/* MNIST, or drawn digits in its place. */
static sp_dataset *digits(const char *folder, bool test, long examples, sp_transform *transform)
{
    return sp_data_digits(folder, .test = test, .length = test ? (examples + 5) / 6 : examples, .transform = transform);
}

static double accuracy(sp_module *model, sp_loader *loader)
{
    double total = 0, correct = 0;
    sp_eval(model);
    SP_NO_GRAD {
        sp_foreach_batch (batch, loader) {
            sp_tensor *res = sp_argmax_dim(sp_forward(model, batch.x), 1);
            total += (double)sp_size(res, 0);
            correct += sp_item(sp_sum(sp_eq(res, batch.y)));
        }
    }
    sp_train(model);
    return correct / total;
}

int main(int argc, char **argv)
{
    const char *data = argc > 1 ? argv[1] : NULL;
    int epochs = argc > 2 ? atoi(argv[2]) : 10;
    long examples = argc > 3 ? atol(argv[3]) : 60000;

    /* By up to 2 pixels and 10 degrees, anew each time an image is seen. */
    sp_transform *shift = sp_transform_shift(2), *rotate = sp_transform_rotate(10);
    sp_transform *augment = sp_transform_compose(shift, rotate);
    sp_loader *train = sp_data_loader(digits(data, false, examples, augment), .batch_size = 64, .shuffle = true);
    sp_loader *val = sp_data_loader(digits(data, true, examples, NULL), .batch_size = 1000);
    puts(sp_data_description(sp_loader_dataset(train)));

    sp_module *model = sp_nn_sequential(
        sp_nn_conv2d(1, 32, 3, .padding = 1), sp_nn_relu(), sp_nn_max_pool2d(2),  /* (32, 14, 14) */
        sp_nn_conv2d(32, 64, 3, .padding = 1), sp_nn_relu(), sp_nn_max_pool2d(2), /* (64, 7, 7) */
        sp_nn_flatten(), sp_nn_linear(3136, 128), sp_nn_relu(), sp_nn_linear(128, 10), sp_nn_log_softmax(1));
    sp_module_print(model);

    sp_optimizer *optimizer = sp_optim_adam(sp_parameters(model), .lr = 3e-3);
    sp_scheduler *scheduler = sp_lr_scheduler_one_cycle_lr(optimizer, 3e-3, epochs * sp_loader_length(train));
    sp_module *criterion = sp_nn_nll_loss();
    sp_series *train_losses = sp_series_new("train loss");

    for (int epoch = 0; epoch < epochs; epoch++) {
        sp_foreach_batch (batch, train) {
            sp_zero_grad(optimizer);
            sp_tensor *output = sp_forward(model, batch.x);
            sp_tensor *loss = sp_forward(criterion, output, batch.y);
            sp_backward(loss);
            sp_step(optimizer);
            sp_scheduler_step(scheduler);
            sp_series_push(train_losses, sp_item(loss));
        }
        if (sp_error_status() != SP_OK) break;
        printf("%d %.4f\n", epoch, accuracy(model, val));
        fflush(stdout);
    }
    sp_plot_lines("losses.png", train_losses);
    sp_save_state(model, "cnn.safetensors");
    return sp_finish();
}
