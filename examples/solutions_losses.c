/* Solutions to the exercises of "Losses compared".
 *
 *     solutions_losses [EXERCISE]
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

static sp_loader *digits(bool test)
{
    sp_dataset *data = mnist() ? sp_data_digits(NULL, .test = test)
                               : sp_data_digits("synthetic", .test = test, .length = test ? 200 : 1200);
    return test ? sp_data_loader(data, .batch_size = 1000)
                : sp_data_loader(data, .batch_size = 64, .shuffle = true, .seed = 0);
}

/* Losses of the ten outputs and the right digits. */
typedef sp_tensor *criterion(sp_tensor *output, sp_tensor *y);

static sp_tensor *cross_entropy(sp_tensor *output, sp_tensor *y)
{
    return sp_cross_entropy(output, y);
}

static sp_tensor *target(sp_tensor *y)
{
    return sp_cast(sp_one_hot(y, 10), SP_F32);
}

static sp_tensor *squared_error(sp_tensor *output, sp_tensor *y)
{
    return sp_mse_loss(sp_softmax(output, 1), target(y));
}

static sp_tensor *absolute_error(sp_tensor *output, sp_tensor *y)
{
    return sp_l1_loss(sp_softmax(output, 1), target(y));
}

static sp_tensor *smooth_l1(sp_tensor *output, sp_tensor *y)
{
    return sp_smooth_l1_loss(sp_softmax(output, 1), target(y));
}

static sp_tensor *smooth_l1_narrow(sp_tensor *output, sp_tensor *y)
{
    return sp_smooth_l1_loss(sp_softmax(output, 1), target(y), .beta = 0.1);
}

/* max(0, 1 - margin), the margin by which the right output is above the largest of the others. */
static sp_tensor *hinge(sp_tensor *output, sp_tensor *y)
{
    sp_tensor *right = sp_squeeze_dim(sp_gather(output, 1, sp_unsqueeze(y, 1)), 1);
    sp_tensor *others = sp_masked_fill(output, sp_cast(sp_one_hot(y, 10), SP_BOOL), -1e9);
    sp_tensor *margin = sp_sub(right, sp_amax_dim(others, 1));
    return sp_mean(sp_clamp_min(sp_rsub_scalar(margin, 1), 0));
}

/* The chapter's network, from the same weights each time; the same without ReLUs. */
static sp_module *network(void)
{
    sp_manual_seed(0);
    return sp_nn_sequential(sp_nn_flatten(), sp_nn_linear(784, 256), sp_nn_relu(), sp_nn_linear(256, 128), sp_nn_relu(),
                            sp_nn_linear(128, 10));
}

static sp_module *without_relu(void)
{
    sp_manual_seed(0);
    return sp_nn_sequential(sp_nn_flatten(), sp_nn_linear(784, 256), sp_nn_linear(256, 128), sp_nn_linear(128, 10));
}

static double accuracy(sp_module *model, sp_loader *loader)
{
    sp_figures figures = {0};
    sp_evaluate(&figures, model, loader);
    return figures.accuracy;
}

/* Trains, and says how many of the validation digits are right after each epoch. */
static void train(sp_module *model, criterion *loss_of, int epochs, sp_series *accuracies)
{
    sp_loader *loader = digits(false), *val = digits(true);
    sp_optimizer *optimizer = sp_optim_adam(sp_parameters(model), .lr = 1e-3);
    for (int epoch = 0; epoch < epochs; epoch++) {
        sp_foreach_batch (batch, loader) {
            sp_zero_grad(optimizer);
            sp_tensor *output = sp_forward(model, batch.x);
            sp_tensor *loss = loss_of(output, batch.y);
            sp_backward(loss);
            sp_step(optimizer);
        }
        sp_series_push_xy(accuracies, (double)sp_series_length(accuracies) + 1, accuracy(model, val));
    }
}

static void print_accuracies(int exercise, const sp_series *s)
{
    printf("losses %d: %-34s", exercise, sp_series_name(s));
    for (int64_t i = 0; i < sp_series_length(s); i++) printf(" %.4f", sp_series_y(s, i));
    putchar('\n');
}

/* Losses, 1: a probability is never further from its target than 1, the border of smooth L1, so that is half the
 * squared error; Adam does not mind the half, and the two curves lie on each other but for rounding and its ε. With a
 * border at 0.1 it lies between the squared and the absolute error (after five epochs 0.9754, 0.9708, 0.9650). The
 * hinge is as quick as cross-entropy, or quicker (0.9686 to 0.9635 after the first epoch): its gradient is as large
 * however wrong the network is. */
static void losses_1(void)
{
    const struct {
        const char *name;
        criterion *loss;
    } runs[] = {{"cross-entropy", cross_entropy},          {"hinge", hinge},
                {"squared error", squared_error},          {"smooth L1", smooth_l1},
                {"smooth L1, beta 0.1", smooth_l1_narrow}, {"absolute error", absolute_error}};
    enum { N = sizeof runs / sizeof *runs };
    sp_series *accuracies[N];
    for (int i = 0; i < N; i++) {
        accuracies[i] = sp_series_new(runs[i].name);
        SP_SCOPE {
            train(network(), runs[i].loss, mnist() ? 5 : 2, accuracies[i]);
        }
        print_accuracies(1, accuracies[i]);
    }
    sp_plot_lines("more-losses.png", ((sp_series_list){accuracies, N}),
                  .title = "Accuracy on digits not seen in training", .x_label = "epoch",
                  .legend = SP_LEGEND_BOTTOM_RIGHT);
}

/* Losses, 2: less. From cross-entropy's weights it goes on to 0.9750 in four epochs, where five from the beginning lead
 * to 0.9650, and cross-entropy to 0.9783. What lagged most was the beginning, when the network was often wrong. */
static void losses_2(void)
{
    sp_series *warm = sp_series_new("cross-entropy, then absolute error"), *cold = sp_series_new("absolute error");
    const int epochs = mnist() ? 5 : 2;
    sp_module *model = network();
    train(model, cross_entropy, 1, warm);
    train(model, absolute_error, epochs - 1, warm);
    train(network(), absolute_error, epochs, cold);
    print_accuracies(2, warm);
    print_accuracies(2, cold);
}

/* W₃(W₂(W₁x + b₁) + b₂) + b₃ = W₃W₂W₁x + (W₃(W₂b₁ + b₂) + b₃): the Linears of a network in one. */
static sp_module *folded(sp_module *model, const char *const numbers[3])
{
    sp_module *one = sp_nn_linear(784, 10);
    SP_NO_GRAD {
        sp_tensor *W = sp_eye(784, 784), *b = sp_zeros(SP_DIMS(784));
        for (int i = 0; i < 3; i++) {
            sp_module *linear = sp_get_submodule(model, numbers[i]);
            sp_tensor *weight = sp_module_get(linear, "weight");
            W = sp_matmul(weight, W);
            b = sp_add(sp_matmul(weight, b), sp_module_get(linear, "bias"));
        }
        sp_copy_(sp_module_get(one, "weight"), W);
        sp_copy_(sp_module_get(one, "bias"), b);
    }
    return sp_nn_sequential(sp_nn_flatten(), one);
}

/* Losses, 3: as many as before it was folded, 0.9148, when it was trained without ReLUs: it is logistic regression, and
 * no better. Of the one that was trained with ReLUs, 0.9785, folding leaves 0.4790: what the ReLUs set to zero counts
 * again. */
static void losses_3(void)
{
    sp_module *with = network(), *without = without_relu();
    sp_loader *val = digits(true);
    const int epochs = mnist() ? 5 : 2;
    train(without, cross_entropy, epochs, sp_series_new(""));
    train(with, cross_entropy, epochs, sp_series_new(""));
    printf("losses 3: trained without ReLUs %.4f, folded %.4f\n", accuracy(without, val),
           accuracy(folded(without, (const char *const[]){"1", "2", "3"}), val));
    printf("losses 3: trained with ReLUs %.4f, folded as if there were none %.4f\n", accuracy(with, val),
           accuracy(folded(with, (const char *const[]){"1", "3", "5"}), val));
}

int main(int argc, char **argv)
{
    void (*const exercises[])(void) = {losses_1, losses_2, losses_3};
    const int n = sizeof exercises / sizeof *exercises, chosen = argc > 1 ? atoi(argv[1]) : 0;
    if (chosen < 0 || chosen > n) {
        fprintf(stderr, "solutions_losses: exercises 1 to %d\n", n);
        return 2;
    }
    for (int i = 0; i < n; i++)
        if (chosen == 0 || chosen == i + 1) exercises[i]();
    return sp_finish();
}
