/* Solutions to the exercises of "Principal components".
 *
 *     solutions_pca [EXERCISE]
 *
 * On MNIST where SPUSK_DATA names its folder, else on a few drawn digits, which show how it is done and no more. The
 * figures in the comments are of MNIST, seed 0. */
#include <spusk/spusk.h>
#include <stdio.h>
#include <stdlib.h>

static bool mnist(void)
{
    const char *folder = getenv("SPUSK_DATA");
    return folder && *folder;
}

static sp_dataset *digits(bool test)
{
    return mnist() ? sp_data_digits(NULL, .test = test)
                   : sp_data_digits("synthetic", .test = test, .length = test ? 300 : 1500);
}

static sp_tensor *pixels(sp_dataset *data)
{
    return sp_reshape(sp_data_all(data).x, -1, 784);
}

/* The last chapter's network with two numbers; its error on digits that it did not learn from. */
static double network(void)
{
    sp_manual_seed(0);
    sp_loader *loader = sp_data_loader(digits(false), .batch_size = 64, .shuffle = true);
    sp_module *model = sp_autoencoder(2);
    sp_optimizer *optimizer = sp_optim_adam(sp_parameters(model), .lr = 1e-3);
    for (int epoch = 0; epoch < (mnist() ? 5 : 2); epoch++)
        sp_foreach_batch (batch, loader) {
            sp_tensor *X = sp_view(batch.x, -1, 784);
            sp_zero_grad(optimizer);
            sp_tensor *output = sp_forward(model, X);
            sp_tensor *loss = sp_mse_loss(output, X);
            sp_backward(loss);
            sp_step(optimizer);
        }
    return sp_reconstruction_error(model, digits(true));
}

/* PCA, 1: seven, 0.0394, against the network's 0.0401 after five epochs; after ten (0.038) eight, 0.0374. */
static void pca_1(void)
{
    const sp_pca components = sp_pca_lowrank(pixels(digits(false)), 40);
    sp_tensor *mean = sp_mean_dim(pixels(digits(false)), 0), *centred = sp_sub(pixels(digits(true)), mean);
    const double goal = network();
    printf("pca 1: the network's error with two numbers: %.4f\n", goal);
    double error = 1;
    for (int64_t k = 1; k <= 40 && error > goal; k++)
        SP_SCOPE {
            sp_tensor *V = sp_narrow(components.V, 1, 0, k);
            error = sp_item(sp_mse_loss(sp_matmul(sp_matmul(centred, V), sp_t(V)), centred));
            printf("pca 1: %lld components: %.4f\n", (long long)k, error);
        }
}

/* PCA, 2: the first is a ring with a bar across it, zeros on its one side and ones on the other; the further, the finer
 * are the parts of strokes that they tell apart. The signs are arbitrary. */
static void pca_2(void)
{
    const sp_pca components = sp_pca_lowrank(pixels(digits(false)), 10);
    sp_tensor *directions = sp_view(sp_contiguous(sp_t(components.V)), 10, 28, 28);
    /* 0, where a direction says nothing of a pixel, becomes a middle grey. */
    sp_tensor *most = sp_amax_dims(sp_abs(directions), SP_DIMS(1, 2), .keepdim = true);
    sp_tensor *scaled = sp_add_scalar(sp_div(sp_mul_scalar(directions, 0.5), most), 0.5);
    if (sp_plot_images("directions.png", scaled, .columns = 5, .scale = 4) == SP_OK) puts("pca 2: directions.png");
}

/* The chapter's descent: weights of a given deviation, or PyTorch's (0). */
static void descend(const char *name, sp_tensor *x, sp_tensor *V, double std, double lr)
{
    const int epochs = mnist() ? 10 : 40;
    sp_manual_seed(0);
    sp_module *model = sp_nn_sequential(sp_nn_linear(784, 2, .no_bias = true), sp_nn_linear(2, 784, .no_bias = true));
    sp_tensor *encode = sp_module_get(model, "0.weight"), *decode = sp_module_get(model, "1.weight");
    if (std > 0) {
        sp_init_normal_(encode, 0, std);
        sp_init_normal_(decode, 0, std);
    }
    const double length = sp_item(sp_norm(decode)), inside = sp_item(sp_norm(sp_matmul(sp_t(V), decode)));
    sp_loader *loader = sp_data_loader(sp_data_tensors(x, x), .batch_size = 256, .shuffle = true);
    sp_optimizer *optimizer = sp_optim_sgd(sp_parameters(model), .lr = lr, .momentum = 0.9);
    sp_scheduler *scheduler = sp_lr_scheduler_cosine_annealing_lr(optimizer, epochs * sp_loader_length(loader));
    for (int epoch = 0; epoch < epochs; epoch++)
        sp_foreach_batch (batch, loader) {
            sp_zero_grad(optimizer);
            sp_tensor *output = sp_forward(model, batch.x);
            sp_tensor *loss = sp_mse_loss(output, batch.x);
            sp_backward(loss);
            sp_step(optimizer);
            sp_scheduler_step(scheduler);
        }
    const double end = sp_item(sp_norm(decode));
    printf("pca 3: %s: the decoder's weights begin %.1f long, %.2f of it in the plane; ", name, length, inside);
    if (end < 1e6)
        printf("they end %.1f long, %.1f degrees from the plane\n", end, sp_subspace_angle(V, decode));
    else
        puts("they explode");
}

/* PCA, 3: it explodes, within the first epoch. How fast the loss changes with the encoder goes with the square of the
 * decoder's length, and PyTorch's weights of a Linear(2, 784) are 16.3 long where the small ones are 2.0. A rate of 1
 * is bearable, and the plane is still 87 degrees away after ten epochs: only 1.1 of the 16.3 lie in the plane, the rest
 * draws what no digit has. The encoder learns to keep the codes small, so that less of that is drawn; but the decoder's
 * gradient goes with the codes, so it hardly turns. */
static void pca_3(void)
{
    sp_tensor *x = pixels(digits(false));
    sp_tensor *centred = sp_sub(x, sp_mean_dim(x, 0)), *V = sp_pca_lowrank(x, 2).V;
    descend("small weights, rate 5", centred, V, 0.05, 5);
    descend("PyTorch's, rate 5", centred, V, 0, 5);
    descend("PyTorch's, rate 1", centred, V, 0, 1);
}

int main(int argc, char **argv)
{
    void (*const exercises[])(void) = {pca_1, pca_2, pca_3};
    const int n = sizeof exercises / sizeof *exercises, chosen = argc > 1 ? atoi(argv[1]) : 0;
    if (chosen < 0 || chosen > n) {
        fprintf(stderr, "solutions_pca: exercises 1 to %d\n", n);
        return 2;
    }
    for (int i = 0; i < n; i++)
        if (chosen == 0 || chosen == i + 1) exercises[i]();
    return sp_finish();
}
