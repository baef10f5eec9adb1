/* Solutions to the exercises of "How many examples make a step?".
 *
 *     solutions_batches [EXERCISE]
 *
 * The third trains on MNIST where SPUSK_DATA names its folder, else on a few drawn digits, which show how it is done
 * and no more. The figures in the comments are of seed 0, and of MNIST. */
#include <math.h>
#include <spusk/spusk.h>
#include <stdio.h>
#include <stdlib.h>

#define EXAMPLES 1024
#define FEATURES 8

static bool mnist(void)
{
    const char *folder = getenv("SPUSK_DATA");
    return folder && *folder;
}

/* The chapter's regression. */
static sp_dataset *regression(void)
{
    sp_manual_seed(0);
    sp_tensor *sizes = sp_linspace(0.3, 1.5, FEATURES);
    sp_tensor *x = sp_randn(SP_DIMS(EXAMPLES, FEATURES));
    x = sp_mul(x, sizes);
    sp_tensor *w = sp_randn(SP_DIMS(FEATURES, 1)), *noise = sp_randn(SP_DIMS(EXAMPLES, 1));
    sp_tensor *y = sp_add_scalar(sp_add(sp_matmul(x, w), sp_mul_scalar(noise, 0.5)), 2);
    return sp_data_tensors(x, y);
}

static double loss_over_all(sp_module *model, sp_dataset *data)
{
    double loss = 0;
    SP_NO_GRAD {
        sp_example all = sp_data_all(data);
        loss = sp_item(sp_mse_loss(sp_forward(model, all.x), all.y));
    }
    return loss;
}

typedef struct {
    const char *name;
    int64_t batch_size, max_steps; // 0: no limit
    double lr, gamma;              // of the rate, after each epoch
} walk;

/* The loss over all examples, looked at about thirty times an epoch. */
static sp_series *train(sp_dataset *data, const walk *w, int epochs)
{
    sp_loader *loader = sp_data_loader(data, .batch_size = w->batch_size, .shuffle = true, .seed = 1);
    sp_module *model = sp_nn_linear(FEATURES, 1);
    sp_init_zeros_(sp_module_get(model, "weight"));
    sp_init_zeros_(sp_module_get(model, "bias"));
    sp_optimizer *optimizer = sp_optim_sgd(sp_parameters(model), .lr = w->lr);
    sp_scheduler *scheduler = sp_lr_scheduler_exponential_lr(optimizer, w->gamma);
    sp_series *losses = sp_series_new(w->name);
    int64_t seen = 0, looked = -EXAMPLES, steps = 0;
    for (int epoch = 0; epoch < epochs; epoch++) {
        sp_foreach_batch (batch, loader) {
            if (w->max_steps && steps == w->max_steps) break;
            if (seen - looked >= EXAMPLES / 32) {
                sp_series_push_xy(losses, (double)seen / EXAMPLES, loss_over_all(model, data));
                looked = seen;
            }
            sp_zero_grad(optimizer);
            sp_tensor *output = sp_forward(model, batch.x);
            sp_tensor *loss = sp_mse_loss(output, batch.y);
            sp_backward(loss);
            sp_step(optimizer);
            seen += sp_size(batch.x, 0);
            steps++;
        }
        sp_scheduler_step(scheduler);
    }
    sp_series_push_xy(losses, (double)seen / EXAMPLES, loss_over_all(model, data));
    return losses;
}

static double last(const sp_series *losses)
{
    return sp_series_y(losses, sp_series_length(losses) - 1);
}

/* Batches, 1: down to the bottom, as far as all examples together know it (0.25143, found by a thousand steps with all
 * of them). The noise of a step is the rate times that of the gradient, so it goes with the rate: 0.27234 at a steady
 * 0.01, 0.25146 when the rate falls by 0.7 an epoch, better than 32 a step. */
static void batches_1(void)
{
    const walk walks[] = {{"one a step, rate 0.01", 1, 0, 0.01, 1},
                          {"one a step, rate 0.01 times 0.7 an epoch", 1, 0, 0.01, 0.7},
                          {"32 a step, rate 0.05", 32, 0, 0.05, 1}};
    sp_dataset *data = regression();
    sp_series *losses[3];
    printf("batches 1: the lowest loss is %.5f\n", last(train(data, &(walk){"all", EXAMPLES, 0, 0.3, 1}, 1000)));
    for (int i = 0; i < 3; i++) {
        losses[i] = train(data, &walks[i], 12);
        printf("batches 1: %s: ends at %.5f\n", walks[i].name, last(losses[i]));
    }
    sp_plot_lines("falling.png", ((sp_series_list){losses, 3}), .title = "One example a step, with a rate that falls",
                  .x_label = "examples seen (epochs)", .y_label = "mean squared error over all examples",
                  .log_y = true);
}

/* Batches, 2: with 0.01, which one example a step can bear, 32 a step are best after twelve epochs, and all 1024 have
 * hardly begun. That is not fair in two ways. They have taken 12 steps where the others took 384 and 12288; after 12
 * steps each, all three are about as far. And a step with all of them bears a rate thirty times as large, with which it
 * is as good as 32 are with 0.01; with that rate one example a step explodes. */
static void batches_2(void)
{
    sp_dataset *data = regression();
    for (int64_t size = 1; size <= EXAMPLES; size *= 32) {
        const walk slow = {"", size, 0, 0.01, 1}, short_one = {"", size, 12, 0.01, 1}, fast = {"", size, 0, 0.3, 1};
        printf("batches 2: %4lld a step: %.4f after 12 epochs, %.4f after 12 steps; ", (long long)size,
               last(train(data, &slow, 12)), last(train(data, &short_one, 12)));
        const double loss = last(train(data, &fast, 12));
        printf(isfinite(loss) ? "with a rate of 0.3 %.4f\n" : "with a rate of 0.3 it explodes\n", loss);
    }
}

/* The chapter's network and epochs; at its milestones the batch and the rate are multiplied by two factors. */
static void schedule(const char *name, double batch_factor, double rate_factor)
{
    const int64_t examples = mnist() ? 0 : 2000; // 0: all
    sp_manual_seed(1);
    sp_dataset *data = sp_data_digits(mnist() ? NULL : "synthetic", .length = examples);
    sp_dataset *val = sp_data_digits(mnist() ? NULL : "synthetic", .test = true, .length = examples / 6);
    sp_loader *loader = sp_data_loader(data, .batch_size = 64, .shuffle = true, .seed = 1);
    sp_module *model = sp_nn_sequential(sp_nn_flatten(), sp_nn_linear(784, 128), sp_nn_relu(), sp_nn_linear(128, 10),
                                        sp_nn_log_softmax(1));
    sp_optimizer *optimizer = sp_optim_sgd(sp_parameters(model), .lr = 0.05, .momentum = 0.9);
    const int epochs = mnist() ? 12 : 3;
    int64_t steps = 0;
    for (int epoch = 0; epoch < epochs; epoch++) {
        if (epoch == epochs / 3 || epoch == 2 * epochs / 3) {
            sp_loader_set_batch_size(loader, (int64_t)((double)sp_loader_batch_size(loader) * batch_factor));
            sp_set_lr(optimizer, 0, sp_lr(optimizer, 0) * rate_factor);
        }
        sp_foreach_batch (batch, loader) {
            sp_zero_grad(optimizer);
            sp_tensor *output = sp_forward(model, batch.x);
            sp_tensor *loss = sp_nll_loss(output, batch.y);
            sp_backward(loss);
            sp_step(optimizer);
            steps++;
        }
    }
    sp_figures seen = {0}, unseen = {0};
    sp_evaluate(&seen, model, sp_data_loader(data, .batch_size = 1000));
    sp_evaluate(&unseen, model, sp_data_loader(val, .batch_size = 1000));
    printf("batches 3: %s: rate/batch ends at %.1e after %lld steps; loss %.4f, on validation %.4f\n", name,
           sp_lr(optimizer, 0) / (double)sp_loader_batch_size(loader), (long long)steps, seen.loss, unseen.loss);
}

/* Batches, 3: the noise goes with rate/batch, so it falls by √5/5 = 1/√5 at each milestone, not by a fifth; the steps
 * are as few as when the batch alone grows. The loss is that of a rate which falls by √5, 0.0110, to the last digit:
 * lower than 0.0177 where the noise falls by five, since longer steps go further in the epochs that are left. On
 * digits that were not seen all are equal (0.060 to 0.061). */
static void batches_3(void)
{
    schedule("batch times 5", 5, 1);
    schedule("batch times 5, rate times the root of 5", 5, sqrt(5));
    schedule("rate divided by the root of 5", 1, 1 / sqrt(5));
}

int main(int argc, char **argv)
{
    void (*const exercises[])(void) = {batches_1, batches_2, batches_3};
    const int n = sizeof exercises / sizeof *exercises, chosen = argc > 1 ? atoi(argv[1]) : 0;
    if (chosen < 0 || chosen > n) {
        fprintf(stderr, "solutions_batches: exercises 1 to %d\n", n);
        return 2;
    }
    for (int i = 0; i < n; i++)
        if (chosen == 0 || chosen == i + 1) exercises[i]();
    return sp_finish();
}
