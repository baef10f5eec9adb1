/* One autoencoder, three losses: what a squared, an absolute and a cross-entropy error make of the same digits.
 *
 *     reconstruction [DATA] [EPOCHS] [EXAMPLES]          DATA as in classifier.c */
#include <spusk/spusk.h>
#include <stdio.h>
#include <stdlib.h>

static sp_tensor *squared(sp_tensor *output, sp_tensor *x)
{
    return sp_mse_loss(output, x);
}

static sp_tensor *absolute(sp_tensor *output, sp_tensor *x)
{
    return sp_l1_loss(output, x);
}

static sp_tensor *cross_entropy(sp_tensor *output, sp_tensor *x)
{
    return sp_binary_cross_entropy(output, x);
}

static sp_module *train(sp_loader *loader, int epochs, sp_tensor *criterion(sp_tensor *output, sp_tensor *x))
{
    sp_manual_seed(0); // the same weights for each loss
    sp_module *model = sp_autoencoder(16);
    sp_optimizer *optimizer = sp_optim_adam(sp_parameters(model), .lr = 1e-3);
    sp_loader_set_epoch(loader, 0); // and the same batches
    for (int epoch = 0; epoch < epochs; epoch++)
        sp_foreach_batch (batch, loader) {
            sp_tensor *X = sp_view(batch.x, -1, 784);
            sp_zero_grad(optimizer);
            sp_tensor *output = sp_forward(model, X);
            sp_tensor *loss = criterion(output, X);
            sp_backward(loss);
            sp_step(optimizer);
        }
    sp_eval(model);
    return model;
}

int main(int argc, char **argv)
{
    const char *folder = argc > 1 ? argv[1] : NULL;
    int epochs = argc > 2 ? atoi(argv[2]) : 10;
    long examples = argc > 3 ? atol(argv[3]) : 60000;
    sp_dataset *data = sp_data_digits(folder, .length = examples);
    sp_dataset *val = sp_data_digits(folder, .test = true, .length = (examples + 5) / 6);
    sp_loader *loader = sp_data_loader(data, .batch_size = 64, .shuffle = true);
    const struct {
        const char *name;
        sp_tensor *(*criterion)(sp_tensor *output, sp_tensor *x);
    } losses[] = {{"squared", squared}, {"absolute", absolute}, {"cross-entropy", cross_entropy}};
    enum { N = sizeof losses / sizeof *losses, SHOWN = 12 };
    const char *captions[N + 1] = {"digits"};

    const sp_example all = sp_data_all(val);
    sp_tensor *X = sp_view(all.x, -1, 784);
    sp_list *rows = SP_LIST(sp_view(sp_narrow(all.x, 0, 0, SHOWN), SHOWN, 28, 28));
    for (int i = 0; i < N; i++) {
        sp_module *model = train(loader, epochs, losses[i].criterion);
        SP_NO_GRAD {
            sp_tensor *output = sp_forward(model, X);
            printf("trained by %-14s squared error %.5f, absolute %.5f, cross-entropy %.5f\n", losses[i].name,
                   sp_item(squared(output, X)), sp_item(absolute(output, X)), sp_item(cross_entropy(output, X)));
            sp_list_append(rows, sp_view(sp_narrow(output, 0, 0, SHOWN), SHOWN, 28, 28));
        }
        captions[i + 1] = losses[i].name;
    }
    sp_plot_images("three-losses.png", sp_cat(rows, 0), .columns = SHOWN, .scale = 3, .row_captions = captions);
    return sp_finish();
}
