/* One network, three losses, and no network at all: a classifier trained by cross-entropy, by the squared and by the
 * absolute error of its probabilities, and logistic regression beside it.
 *
 *     losses [DATA] [EPOCHS] [EXAMPLES]          DATA as in classifier.c */
#include <spusk/spusk.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct {
    sp_loader *train, *val;
    int epochs;
} task;

static sp_module *network(void)
{
    return sp_nn_sequential(sp_nn_linear(784, 256), sp_nn_relu(), sp_nn_linear(256, 128), sp_nn_relu(),
                            sp_nn_linear(128, 10));
}

static sp_module *logistic_regression(void)
{
    return sp_nn_linear(784, 10);
}

/* Each loss of the network's ten outputs and the right digits. */
static sp_tensor *cross_entropy(sp_tensor *output, sp_tensor *y)
{
    return sp_nll_loss(sp_log_softmax(output, 1), y);
}

static sp_tensor *squared_error(sp_tensor *output, sp_tensor *y)
{
    return sp_mse_loss(sp_softmax(output, 1), sp_cast(sp_one_hot(y, 10), SP_F32));
}

static sp_tensor *absolute_error(sp_tensor *output, sp_tensor *y)
{
    return sp_l1_loss(sp_softmax(output, 1), sp_cast(sp_one_hot(y, 10), SP_F32));
}

static double accuracy(sp_module *model, sp_loader *loader)
{
    double total = 0, correct = 0;
    SP_NO_GRAD {
        sp_foreach_batch (batch, loader) {
            sp_tensor *res = sp_argmax_dim(sp_forward(model, sp_view(batch.x, -1, 784)), 1);
            total += (double)sp_size(res, 0);
            correct += sp_item(sp_sum(sp_eq(res, batch.y)));
        }
    }
    return correct / total;
}

/* Trains a model; the mean loss of each tenth of an epoch, divided by the first loss, and the accuracy after each
 * epoch.
 */
static void train(const task *t, sp_module *build(void), sp_tensor *criterion(sp_tensor *, sp_tensor *),
                  sp_series *losses, sp_series *accuracies)
{
    sp_manual_seed(0); // the same weights for each loss
    sp_module *model = build();
    sp_optimizer *optimizer = sp_optim_adam(sp_parameters(model), .lr = 1e-3);
    const int64_t steps = sp_loader_length(t->train), tenth = steps > 10 ? steps / 10 : 1;
    double first = 0, sum = 0;
    sp_loader_set_epoch(t->train, 0); // and the same batches

    for (int epoch = 0; epoch < t->epochs; epoch++) {
        sp_foreach_batch (batch, t->train) {
            sp_tensor *X = sp_view(batch.x, -1, 784);
            sp_zero_grad(optimizer);
            sp_tensor *output = sp_forward(model, X);
            sp_tensor *loss = criterion(output, batch.y);
            sp_backward(loss);
            if (first == 0) first = sp_item(loss);
            sum += sp_item(loss) / first / (double)tenth;
            sp_step(optimizer);
            if ((batch.index + 1) % tenth) continue;
            sp_series_push_xy(losses, epoch + (double)(batch.index + 1) / (double)steps, sum);
            sum = 0;
        }
        sum = 0;
        sp_series_push_xy(accuracies, epoch + 1, accuracy(model, t->val));
    }
    printf("%-40s train %.4f  validation %.4f\n", sp_series_name(accuracies), accuracy(model, t->train),
           sp_series_y(accuracies, t->epochs - 1));
}

int main(int argc, char **argv)
{
    const char *folder = argc > 1 ? argv[1] : NULL;
    int epochs = argc > 2 ? atoi(argv[2]) : 10;
    long examples = argc > 3 ? atol(argv[3]) : 60000;
    sp_dataset *data = sp_data_digits(folder, .length = examples);
    sp_dataset *val = sp_data_digits(folder, .test = true, .length = (examples + 5) / 6);
    const task t = {sp_data_loader(data, .batch_size = 64, .shuffle = true), sp_data_loader(val, .batch_size = 1000),
                    epochs};
    const struct {
        const char *name;
        sp_module *(*build)(void);
        sp_tensor *(*criterion)(sp_tensor *output, sp_tensor *y);
    } runs[] = {
        {"cross-entropy", network, cross_entropy},
        {"squared error", network, squared_error},
        {"absolute error", network, absolute_error},
        {"logistic regression, cross-entropy", logistic_regression, cross_entropy},
    };
    enum { N = sizeof runs / sizeof *runs };
    sp_series *losses[N], *accuracies[N];
    for (int i = 0; i < N; i++) {
        losses[i] = sp_series_new(runs[i].name);
        accuracies[i] = sp_series_new(runs[i].name);
        SP_SCOPE {
            train(&t, runs[i].build, runs[i].criterion, losses[i], accuracies[i]);
        }
    }
    sp_plot_options options = {.size = sizeof options, .x_label = "epoch", .width = 1200};
    options.legend = SP_LEGEND_BELOW;
    options.title = "accuracy on digits not seen in training";
    (sp_plot_lines)("accuracies-compared.png", (sp_series_list){accuracies, N}, &options);
    options.title = "training loss, relative to the first";
    options.log_y = true;
    (sp_plot_lines)("losses-compared.png", (sp_series_list){losses, N}, &options);
    return sp_finish();
}
