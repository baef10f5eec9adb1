/* A module of one's own: an autoencoder, which squeezes a digit into a few numbers and draws it again from them.
 *
 *     autoencoder [DATA] [EPOCHS] [EXAMPLES]          DATA as in classifier.c */
#include <spusk/spusk.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct {
    sp_module base;
    sp_module *encode, *decode;
} autoencoder;

static sp_tensor *autoencoder_forward(sp_module *self, sp_tensor *x)
{
    autoencoder *a = (autoencoder *)self;
    return sp_forward(a->decode, sp_forward(a->encode, x));
}

static sp_module *autoencoder_new(int64_t code)
{
    autoencoder *a = sp_module_new(autoencoder, .name = "Autoencoder", .forward = autoencoder_forward);
    if (!a) return NULL;
    a->encode = sp_module_add(&a->base, "encode",
                              sp_nn_sequential(sp_nn_linear(784, 256), sp_nn_relu(), sp_nn_linear(256, code)));
    a->decode = sp_module_add(
        &a->base, "decode",
        sp_nn_sequential(sp_nn_linear(code, 256), sp_nn_relu(), sp_nn_linear(256, 784), sp_nn_sigmoid()));
    return &a->base;
}

/* Ten digits above, what became of them below. */
static void draw(sp_module *model, sp_dataset *data)
{
    SP_NO_GRAD {
        sp_foreach_batch (batch, sp_data_loader(data, .batch_size = 10)) {
            sp_tensor *drawn = sp_view(sp_forward(model, sp_view(batch.x, -1, 784)), -1, 1, 28, 28);
            sp_plot_images("reconstructions.png", sp_cat(SP_LIST(batch.x, drawn), 0), .columns = 10, .scale = 3);
            break;
        }
    }
}

int main(int argc, char **argv)
{
    int epochs = argc > 2 ? atoi(argv[2]) : 10;
    long examples = argc > 3 ? atol(argv[3]) : 60000;

    sp_dataset *data = sp_data_digits(argc > 1 ? argv[1] : NULL, .length = examples);
    sp_loader *loader = sp_data_loader(data, .batch_size = 64, .shuffle = true);
    sp_module *model = autoencoder_new(16);
    sp_module_print(model);
    sp_optimizer *optimizer = sp_optim_adam(sp_parameters(model), .lr = 1e-3);
    sp_module *criterion = sp_nn_mse_loss();

    for (int epoch = 0; epoch < epochs; epoch++) {
        double sum = 0;
        sp_foreach_batch (batch, loader) {
            sp_tensor *X = sp_view(batch.x, -1, 784);
            sp_zero_grad(optimizer);
            sp_tensor *output = sp_forward(model, X);
            sp_tensor *loss = sp_forward(criterion, output, X);
            sp_backward(loss);
            sum += sp_item(loss);
            sp_step(optimizer);
        }
        printf("%d %.4f\n", epoch, sum / (double)sp_loader_length(loader));
    }
    sp_eval(model);
    draw(model, data);
    sp_save_state(model, "autoencoder.safetensors");
    return sp_finish();
}
