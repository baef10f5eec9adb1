/* Principal components twice: by eigenvectors, and as a linear autoencoder that descends to the same plane.
 *
 *     pca [DATA] [EPOCHS] [EXAMPLES]          DATA as in classifier.c */
#include <spusk/spusk.h>
#include <stdio.h>
#include <stdlib.h>

/* What a linear network finds: any two vectors that span the plane, in any order, of any length. It begins with small
 * weights: large ones would draw digits along directions that have nothing to do with the plane. */
static sp_module *descend(sp_tensor *x, int epochs)
{
    sp_module *model = sp_nn_sequential(sp_nn_linear(784, 2, .no_bias = true), sp_nn_linear(2, 784, .no_bias = true));
    sp_init_normal_(sp_module_get(model, "0.weight"), 0, 0.05);
    sp_init_normal_(sp_module_get(model, "1.weight"), 0, 0.05);
    sp_loader *loader = sp_data_loader(sp_data_tensors(x, x), .batch_size = 256, .shuffle = true);
    sp_optimizer *optimizer = sp_optim_sgd(sp_parameters(model), .lr = 5, .momentum = 0.9);
    sp_scheduler *scheduler = sp_lr_scheduler_cosine_annealing_lr(optimizer, epochs * sp_loader_length(loader));
    sp_module *criterion = sp_nn_mse_loss();
    for (int epoch = 0; epoch < epochs; epoch++) {
        double sum = 0;
        sp_foreach_batch (batch, loader) {
            sp_zero_grad(optimizer);
            sp_tensor *output = sp_forward(model, batch.x);
            sp_tensor *loss = sp_forward(criterion, output, batch.x);
            sp_backward(loss);
            sum += sp_item(loss);
            sp_step(optimizer);
            sp_scheduler_step(scheduler);
        }
        printf("%d %.5f\n", epoch, sum / (double)sp_loader_length(loader));
    }
    return model;
}

int main(int argc, char **argv)
{
    const char *folder = argc > 1 ? argv[1] : NULL;
    int epochs = argc > 2 ? atoi(argv[2]) : 10;
    long examples = argc > 3 ? atol(argv[3]) : 60000;

    sp_dataset *data = sp_data_digits(folder, .length = examples);
    sp_tensor *images = sp_data_all(data).x;
    sp_tensor *x = sp_reshape(images, sp_size(images, 0), 784);
    sp_tensor *centred = sp_sub(x, sp_mean_dim(x, 0));

    sp_pca plane = sp_pca_lowrank(x, 2);
    sp_tensor *drawn = sp_matmul(sp_matmul(centred, plane.V), sp_t(plane.V));
    printf("eigenvectors: error %.5f\n", sp_item(sp_mse_loss(drawn, centred)));

    sp_module *model = descend(centred, epochs);
    SP_NO_GRAD {
        printf("descent:      error %.5f\n", sp_item(sp_mse_loss(sp_forward(model, centred), centred)));
    }
    sp_tensor *weight = sp_module_get(model, "1.weight"); // 784 × 2: the columns span the plane of what it can draw
    printf("the planes are %.3f degrees apart\n", sp_subspace_angle(plane.V, weight));
    return sp_finish();
}
