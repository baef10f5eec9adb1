/* Solutions to the exercises of "A classifier of digits".
 *
 *     solutions_classifier [EXERCISE]
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

static void train_epoch(sp_module *model, sp_optimizer *optimizer, sp_loader *train, sp_series *losses)
{
    sp_foreach_batch (batch, train) {
        sp_zero_grad(optimizer);
        sp_tensor *output = sp_forward(model, batch.x);
        sp_tensor *loss = sp_nll_loss(output, batch.y);
        sp_backward(loss);
        if (losses) sp_series_push(losses, sp_item(loss));
        sp_step(optimizer);
    }
}

static double accuracy(sp_module *model, sp_loader *loader)
{
    sp_figures figures = {0};
    sp_evaluate(&figures, model, loader);
    return figures.accuracy;
}

/* The chapter's classifier, from the same weights each time. */
static sp_module *classifier(void)
{
    sp_manual_seed(0);
    return sp_nn_sequential(sp_nn_flatten(), sp_nn_linear(784, 256), sp_nn_relu(), sp_nn_linear(256, 128), sp_nn_relu(),
                            sp_nn_linear(128, 10), sp_nn_log_softmax(1));
}

/* Each smaller than the one before. */
static sp_module *small(int i)
{
    sp_manual_seed(0);
    if (i == 0)
        return sp_nn_sequential(sp_nn_flatten(), sp_nn_linear(784, 40), sp_nn_relu(), sp_nn_linear(40, 10),
                                sp_nn_log_softmax(1));
    if (i == 1)
        return sp_nn_sequential(sp_nn_avg_pool2d(2), sp_nn_flatten(), sp_nn_linear(196, 40), sp_nn_relu(),
                                sp_nn_linear(40, 10), sp_nn_log_softmax(1));
    return sp_nn_sequential(sp_nn_conv2d(1, 6, 5, .stride = 2), sp_nn_relu(), sp_nn_max_pool2d(2),
                            sp_nn_conv2d(6, 8, 3), sp_nn_relu(), sp_nn_max_pool2d(2), sp_nn_flatten(),
                            sp_nn_linear(32, 10), sp_nn_log_softmax(1));
}

/* Classifier, 1: nearly all parameters are the first Linear's, 784 for each neuron. So fewer neurons; then fewer
 * pixels, the means of 2 by 2; then weights that all places of the picture share (a later chapter's). A rate that falls
 * helps each of them. All three reach 97 %, with 31810, 8290 and 926 parameters. */
static void classifier_1(void)
{
    const char *const names[] = {"fewer neurons", "a quarter of the pixels", "convolutions"};
    sp_loader *train = digits(false), *val = digits(true);
    for (int i = 0; i < 3; i++) {
        sp_module *model = small(i);
        sp_optimizer *optimizer = sp_optim_adam(sp_parameters(model), .lr = 1e-2);
        sp_scheduler *scheduler = sp_lr_scheduler_exponential_lr(optimizer, 0.7);
        for (int epoch = 0; epoch < (mnist() ? 8 : 1); epoch++) {
            train_epoch(model, optimizer, train, NULL);
            sp_scheduler_step(scheduler);
        }
        printf("classifier 1: %-24s %5lld parameters, accuracy %.4f\n", names[i],
               (long long)sp_module_num_parameters(model), accuracy(model, val));
    }
}

/* Classifier, 2: with 1e-2 the loss falls fastest for a hundred steps, but after five epochs it is three times that of
 * 1e-3, and uneasy: the steps are too long for the bottom. With 1e-5 it falls smoothly, and after five epochs is where
 * 1e-3 was after its first hundred steps. The accuracies are 0.964, 0.980 and 0.891. */
static void classifier_2(void)
{
    const double rates[] = {1e-2, 1e-3, 1e-5};
    sp_loader *train = digits(false), *val = digits(true);
    sp_series *losses[3];
    for (int i = 0; i < 3; i++) {
        char name[32];
        snprintf(name, sizeof name, "lr %g", rates[i]);
        losses[i] = sp_series_new(name);
        sp_module *model = classifier();
        sp_optimizer *optimizer = sp_optim_adam(sp_parameters(model), .lr = rates[i]);
        sp_loader_set_epoch(train, 0); // the same batches for each rate
        for (int epoch = 0; epoch < (mnist() ? 5 : 2); epoch++) train_epoch(model, optimizer, train, losses[i]);
        printf("classifier 2: %-8s accuracy %.4f\n", name, accuracy(model, val));
    }
    sp_plot_lines("rates.png", ((sp_series_list){losses, 3}), .title = "The loss at three learning rates",
                  .x_label = "step", .y_label = "negative log likelihood", .log_y = true, .smooth = 100);
}

/* The first epoch after which the accuracy is above each of three goals. */
static void race(const char *name, bool adam, sp_loader *train, sp_loader *val)
{
    const double goals[] = {0.97, 0.975, 0.98};
    int reached[3] = {0};
    double best = 0;
    sp_module *model = classifier();
    sp_optimizer *optimizer = adam ? sp_optim_adam(sp_parameters(model), .lr = 1e-3)
                                   : sp_optim_sgd(sp_parameters(model), .lr = 0.1);
    sp_loader_set_epoch(train, 0);
    for (int epoch = 1; epoch <= (mnist() ? 12 : 3); epoch++) {
        train_epoch(model, optimizer, train, NULL);
        const double now = accuracy(model, val);
        if (now > best) best = now;
        for (int i = 0; i < 3; i++)
            if (now >= goals[i] && !reached[i]) reached[i] = epoch;
    }
    printf("classifier 3: %s: best %.4f; 97 %% after epoch %d, 97.5 %% after %d, 98 %% after %d (0: never)\n", name,
           best, reached[0], reached[1], reached[2]);
}

/* Classifier, 3: twice as many. Adam passes 97, 97.5 and 98 % after 2, 3 and 6 epochs, plain descent after 4, 7 and 12;
 * it goes as high, only later. */
static void classifier_3(void)
{
    sp_loader *train = digits(false), *val = digits(true);
    race("Adam", true, train, val);
    race("SGD", false, train, val);
}

int main(int argc, char **argv)
{
    void (*const exercises[])(void) = {classifier_1, classifier_2, classifier_3};
    const int n = sizeof exercises / sizeof *exercises, chosen = argc > 1 ? atoi(argv[1]) : 0;
    if (chosen < 0 || chosen > n) {
        fprintf(stderr, "solutions_classifier: exercises 1 to %d\n", n);
        return 2;
    }
    for (int i = 0; i < n; i++)
        if (chosen == 0 || chosen == i + 1) exercises[i]();
    return sp_finish();
}
