/* Solutions to the exercises of "Learning by heart".
 *
 *     solutions_regularisation [EXERCISE]
 *
 * On MNIST where SPUSK_DATA names its folder, else on a few drawn digits, which show how it is done and no more. The
 * figures in the comments are of MNIST, seed 0, the first so many training digits and 5000 others. */
#include <spusk/spusk.h>
#include <stdio.h>
#include <stdlib.h>

static bool mnist(void)
{
    const char *folder = getenv("SPUSK_DATA");
    return folder && *folder;
}

static sp_dataset *digits(bool test, int64_t length)
{
    return sp_data_digits(mnist() ? NULL : "synthetic", .test = test, .length = length);
}

/* The chapter's network; dropout of the pixels in front, where asked for. */
static sp_module *network(double pixels, double dropout)
{
    return sp_nn_sequential(sp_nn_flatten(), sp_nn_dropout(pixels), sp_nn_linear(784, 512), sp_nn_relu(),
                            sp_nn_dropout(dropout), sp_nn_linear(512, 512), sp_nn_relu(), sp_nn_dropout(dropout),
                            sp_nn_linear(512, 10), sp_nn_log_softmax(1));
}

typedef struct {
    const char *name;
    double pixels, dropout, weight_decay;
} remedy;

typedef struct {
    sp_series *losses; // on the digits that are not learnt from, after each epoch
    int best_epoch;
    double best, last, accuracy;
} outcome;

static outcome train(const remedy *r, int64_t examples, int epochs)
{
    sp_manual_seed(0);
    sp_loader *few = sp_data_loader(digits(false, examples), .batch_size = 64, .shuffle = true);
    sp_loader *unseen = sp_data_loader(digits(true, mnist() ? 5000 : 200), .batch_size = 1000);
    sp_module *model = network(r->pixels, r->dropout);
    sp_optimizer *optimizer = sp_optim_adamw(sp_parameters(model), .lr = 1e-3,
                                             .weight_decay = sp_exactly(r->weight_decay));
    outcome o = {.losses = sp_series_new(r->name), .best = 1e9};
    for (int epoch = 1; epoch <= epochs; epoch++) {
        sp_foreach_batch (batch, few) {
            sp_zero_grad(optimizer);
            sp_tensor *output = sp_forward(model, batch.x);
            sp_tensor *loss = sp_nll_loss(output, batch.y);
            sp_backward(loss);
            sp_step(optimizer);
        }
        sp_figures figures = {0};
        sp_evaluate(&figures, model, unseen);
        sp_series_push_xy(o.losses, epoch, figures.loss);
        o.last = figures.loss;
        o.accuracy = figures.accuracy;
        if (figures.loss < o.best) o.best = figures.loss, o.best_epoch = epoch;
    }
    return o;
}

static void draw(const char *path, const char *title, sp_series *const *series, int n)
{
    sp_plot_lines(path, ((sp_series_list){series, n}), .title = title, .x_label = "epoch",
                  .y_label = "negative log likelihood on other digits");
}

/* Regularisation, 1: after epoch 10, 6 and 5. In steps that is later and later, 20, 96 and 785, since an epoch has more
 * of them; and with more digits the loss is lower there (1.30, 0.548, 0.186) and climbs less. */
static void regularisation_1(void)
{
    const int64_t examples[] = {mnist() ? 100 : 30, mnist() ? 1000 : 120, mnist() ? 10000 : 480};
    const int epochs[] = {mnist() ? 60 : 12, mnist() ? 60 : 12, 12};
    sp_series *losses[3];
    for (int i = 0; i < 3; i++) {
        char name[32];
        snprintf(name, sizeof name, "%lld digits", (long long)examples[i]);
        const outcome o = train(&(remedy){name, 0, 0, 0}, examples[i], epochs[i]);
        losses[i] = o.losses;
        printf("regularisation 1: %-12s lowest loss %.4f at epoch %d, %.4f in the end; accuracy %.4f\n", name, o.best,
               o.best_epoch, o.last, o.accuracy);
    }
    draw("turning.png", "Where the loss turns", losses, 3);
}

/* Regularisation, 2: no, they do different things. Dropout lowers the lowest loss and postpones it, but then it climbs;
 * weight decay keeps it down. Both: 0.452, lower than each alone (0.483, 0.487), and 0.471 in the end. The accuracies
 * are less than three tenths of a percent apart. */
static void regularisation_2(void)
{
    const remedy remedies[] = {
        {"no remedy", 0, 0, 0}, {"dropout 0.5", 0, 0.5, 0}, {"weight decay 1", 0, 0, 1}, {"both", 0, 0.5, 1}};
    sp_series *losses[4];
    for (int i = 0; i < 4; i++) {
        const outcome o = train(&remedies[i], mnist() ? 1000 : 120, mnist() ? 60 : 12);
        losses[i] = o.losses;
        printf("regularisation 2: %-14s lowest loss %.4f at epoch %d, %.4f in the end; accuracy %.4f\n",
               remedies[i].name, o.best, o.best_epoch, o.last, o.accuracy);
    }
    draw("both.png", "Dropout and weight decay", losses, 4);
}

/* Regularisation, 3: four of five. With 70 % of the pixels gone the loss is lowest, 0.337, and 88.9 % of the digits are
 * right, where 85.8 % are with all pixels; with 80 % gone it is nearly as good. Neighbours say nearly the same, so a
 * digit is still there, and it is another picture each time. With 90 % gone it is worse than without any dropout. */
static void regularisation_3(void)
{
    const double shares[] = {0, 0.5, 0.7, 0.8, 0.9};
    for (int i = 0; i < 5; i++) {
        const remedy r = {"", shares[i], 0, 0};
        const outcome o = train(&r, mnist() ? 1000 : 120, mnist() ? 60 : 12);
        printf("regularisation 3: %2.0f %% of the pixels dropped: lowest loss %.4f at epoch %d, %.4f in the end; "
               "accuracy %.4f\n",
               100 * r.pixels, o.best, o.best_epoch, o.last, o.accuracy);
    }
}

int main(int argc, char **argv)
{
    void (*const exercises[])(void) = {regularisation_1, regularisation_2, regularisation_3};
    const int n = sizeof exercises / sizeof *exercises, chosen = argc > 1 ? atoi(argv[1]) : 0;
    if (chosen < 0 || chosen > n) {
        fprintf(stderr, "solutions_regularisation: exercises 1 to %d\n", n);
        return 2;
    }
    for (int i = 0; i < n; i++)
        if (chosen == 0 || chosen == i + 1) exercises[i]();
    return sp_finish();
}
