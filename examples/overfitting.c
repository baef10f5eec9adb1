/* Learning by heart: a large network and few digits. Without a remedy, with dropout, with weight decay, and stopped in
 * time: losses on the digits that it learns from and on others.
 *
 *     overfitting [DATA] [EPOCHS] [EXAMPLES]          DATA as in classifier.c */
#include <spusk/spusk.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct {
    const char *name;
    double dropout, weight_decay;
    int patience; // stop after so many epochs without a better validation loss; 0: never
    sp_series *train, *val;
} run;

static sp_module *network(double dropout)
{
    return sp_nn_sequential(sp_nn_linear(784, 512), sp_nn_relu(), sp_nn_dropout(dropout), sp_nn_linear(512, 512),
                            sp_nn_relu(), sp_nn_dropout(dropout), sp_nn_linear(512, 10), sp_nn_log_softmax(1));
}

/* Loss and accuracy, as the network is used: without dropout. */
static double evaluate(sp_module *model, const sp_example *digits, double *accuracy)
{
    double loss = 0;
    sp_eval(model);
    SP_NO_GRAD {
        sp_tensor *output = sp_forward(model, sp_view(digits->x, -1, 784));
        loss = sp_item(sp_nll_loss(output, digits->y));
        *accuracy = sp_item(sp_mean(sp_cast(sp_eq(sp_argmax_dim(output, 1), digits->y), SP_F32)));
    }
    sp_train(model);
    return loss;
}

static void train(const run *r, sp_dataset *few, const sp_example *seen, const sp_example *unseen, int epochs)
{
    sp_manual_seed(0);
    sp_loader *loader = sp_data_loader(few, .batch_size = 64, .shuffle = true);
    sp_module *model = network(r->dropout);
    sp_optimizer *optimizer = sp_optim_adamw(sp_parameters(model), .lr = 1e-3,
                                             .weight_decay = sp_exactly(r->weight_decay));
    sp_module *criterion = sp_nn_nll_loss();
    double best = 1e9, at_best = 0, accuracy = 0;
    int best_epoch = 0;

    for (int epoch = 1; epoch <= epochs; epoch++) {
        sp_foreach_batch (batch, loader) {
            sp_tensor *X = sp_view(batch.x, -1, 784);
            sp_zero_grad(optimizer);
            sp_tensor *output = sp_forward(model, X);
            sp_tensor *loss = sp_forward(criterion, output, batch.y);
            sp_backward(loss);
            sp_step(optimizer);
        }
        sp_series_push_xy(r->train, epoch, evaluate(model, seen, &accuracy));
        double val = evaluate(model, unseen, &accuracy);
        sp_series_push_xy(r->val, epoch, val);
        if (val < best) {
            best = val;
            best_epoch = epoch;
            at_best = accuracy;
            if (r->patience) sp_save_state(model, "best.safetensors");
        }
        if (r->patience && epoch - best_epoch >= r->patience) break;
    }
    if (r->patience) sp_load_state(model, "best.safetensors"); // what is kept is the best, not the last
    double last = evaluate(model, unseen, &accuracy);
    printf("%-16s validation loss %.4f at epoch %d (accuracy %.4f), %.4f in the end (%.4f)\n", r->name, best,
           best_epoch, at_best, last, accuracy);
}

int main(int argc, char **argv)
{
    const char *folder = argc > 1 ? argv[1] : NULL;
    int epochs = argc > 2 ? atoi(argv[2]) : 60;
    long examples = argc > 3 ? atol(argv[3]) : 1000;
    sp_dataset *few = sp_data_digits(folder, .length = examples);
    const sp_example seen = sp_data_all(few);
    const sp_example unseen = sp_data_all(sp_data_digits(folder, .test = true, .length = 5000));

    run runs[] = {{"no remedy", 0, 0, 0, NULL, NULL},
                  {"dropout 0.5", 0.5, 0, 0, NULL, NULL},
                  {"weight decay 1", 0, 1, 0, NULL, NULL},
                  {"stopped in time", 0, 0, 10, NULL, NULL}};
    enum { N = sizeof runs / sizeof *runs };
    sp_series *series[2 * N];
    for (int i = 0; i < N; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s: validation", runs[i].name);
        series[i] = runs[i].val = sp_series_new(name);
        snprintf(name, sizeof name, "%s: training", runs[i].name);
        series[N + i] = runs[i].train = sp_series_new(name);
        SP_SCOPE {
            train(&runs[i], few, &seen, &unseen, epochs);
        }
    }
    sp_plot_options options = {.size = sizeof options, .title = "learning by heart: training and validation loss"};
    options.x_label = "epoch", options.y_label = "negative log likelihood";
    options.width = 1100, options.y_range[1] = 1.4;
    options.dashed = N, options.twins = true;
    (sp_plot_lines)("overfitting.png", (sp_series_list){series, 2 * N}, &options);
    return sp_finish();
}
