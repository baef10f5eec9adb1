/* "Don't decay the learning rate, increase the batch size" (Smith and others, ICLR 2018): the same network trained
 * twice, once with a rate that falls at two epochs, once with a batch that grows there. The losses lie over each other;
 * the second needs fewer steps.
 *
 *     schedules [DATA] [EPOCHS] [EXAMPLES]          DATA as in classifier.c */
#include <spusk/spusk.h>
#include <stdio.h>
#include <stdlib.h>

#define FACTOR 5.0

typedef struct result {
    sp_series *train, *val; /* the loss of each epoch */
    int64_t steps;
} result;

static double loss_on(sp_module *model, sp_dataset *data)
{
    double sum = 0;
    int64_t n = 0;
    SP_NO_GRAD {
        sp_foreach_batch (batch, sp_data_loader(data, .batch_size = 500)) {
            sp_tensor *output = sp_forward(model, sp_view(batch.x, -1, 784));
            sum += sp_item(sp_nll_loss(output, batch.y)) * (double)sp_size(batch.x, 0);
            n += sp_size(batch.x, 0);
        }
    }
    return sum / (double)n;
}

static result train(sp_dataset *data, sp_dataset *val, int epochs, bool grow)
{
    sp_manual_seed(1); // both begin with the same weights and see the same order
    sp_loader *loader = sp_data_loader(data, .batch_size = 64, .shuffle = true, .seed = 1);
    sp_module *model = sp_nn_sequential(sp_nn_linear(784, 128), sp_nn_relu(), sp_nn_linear(128, 10),
                                        sp_nn_log_softmax(1));
    sp_module *criterion = sp_nn_nll_loss();
    sp_optimizer *optimizer = sp_optim_sgd(sp_parameters(model), .lr = 0.05, .momentum = 0.9);
    sp_dims milestones = SP_DIMS(epochs / 3, 2 * epochs / 3);
    sp_scheduler *decay = grow ? NULL : sp_lr_scheduler_multi_step_lr(optimizer, milestones, .gamma = 1 / FACTOR);
    sp_batch_scheduler *growth = grow ? sp_batch_scheduler_multi_step(loader, optimizer, milestones, .factor = FACTOR)
                                      : NULL;

    result r = {sp_series_new(grow ? "train, batch grows" : "train, rate falls"),
                sp_series_new(grow ? "validation, batch grows" : "validation, rate falls"), 0};
    for (int epoch = 0; epoch < epochs; epoch++) {
        int64_t batch_size = sp_loader_batch_size(loader);
        double sum = 0;
        sp_foreach_batch (batch, loader) {
            sp_tensor *X = sp_view(batch.x, -1, 784);
            sp_zero_grad(optimizer);
            sp_tensor *output = sp_forward(model, X);
            sp_tensor *loss = sp_forward(criterion, output, batch.y);
            sp_backward(loss);
            sum += sp_item(loss);
            sp_step(optimizer);
            r.steps++;
        }
        sp_series_push_xy(r.train, epoch + 1, sum / (double)sp_loader_length(loader));
        sp_series_push_xy(r.val, epoch + 1, loss_on(model, val));
        printf("%2d  lr %.4f  batch %4lld  train %.4f  validation %.4f\n", epoch + 1, sp_lr(optimizer, 0),
               (long long)batch_size, sp_series_y(r.train, epoch), sp_series_y(r.val, epoch));
        if (decay) sp_scheduler_step(decay);
        if (growth) sp_batch_scheduler_step(growth);
    }
    return r;
}

int main(int argc, char **argv)
{
    const char *root = argc > 1 ? argv[1] : NULL;
    int epochs = argc > 2 ? atoi(argv[2]) : 12;
    long examples = argc > 3 ? atol(argv[3]) : 0; // 0: all
    sp_dataset *data = sp_data_digits(root, .length = examples);
    sp_dataset *val = sp_data_digits(root, .test = true, .length = examples / 6);
    puts(sp_data_description(data));

    result falls = train(data, val, epochs, false), grows = train(data, val, epochs, true);
    printf("steps: %lld where the rate falls, %lld where the batch grows\n", (long long)falls.steps,
           (long long)grows.steps);
    sp_series *const series[] = {falls.train, falls.val, grows.train, grows.val};
    sp_plot_lines("schedules.png", ((sp_series_list){series, 4}),
                  .title = "The rate falls, or the batch grows, by five at two epochs", .x_label = "epoch",
                  .y_label = "negative log likelihood", .log_y = true, .dashed = 2);
    return sp_finish();
}
