/* spusk bench lesson: the lesson's program as it is written: a loader that shuffles, batches of 64, the classifier,
 * Adam, and after each epoch the accuracy on both halves. Time from the opened data on, and the process's peak memory.
 */
#include "bench.h"

#include <sys/resource.h>

typedef struct lesson {
    sp_loader *train, *val;
    sp_module *model, *criterion;
    sp_optimizer *optimizer;
} lesson;

static double accuracy(sp_module *model, sp_loader *loader)
{
    double total = 0, correct = 0;
    SP_NO_GRAD {
        sp_foreach_batch (batch, loader) {
            sp_tensor *X = sp_view(batch.x, -1, 784);
            sp_tensor *res = sp_argmax_dim(sp_forward(model, X), 1);
            total += (double)sp_size(res, 0);
            correct += sp_item(sp_sum(sp_eq(res, batch.y)));
        }
    }
    return correct / total;
}

static bool open_lesson(lesson *l, const bench_options *o)
{
    dataset_options options = {.name = "mnist", .quiet = o->common.json};
    sp_dataset *train = dataset_open(&o->common, &options, false);
    sp_dataset *val = train ? dataset_open(&o->common, &options, true) : NULL;
    if (!val) return false;
    *l = (lesson){.train = sp_data_loader(train, .batch_size = 64, .shuffle = true),
                  .val = sp_data_loader(val, .batch_size = 64),
                  .model = sp_model_by_name("mlp"),
                  .criterion = sp_nn_nll_loss()};
    l->optimizer = sp_optim_adam(sp_parameters(l->model), .lr = 1e-3);
    return sp_error_status() == SP_OK;
}

static void train_epoch(const lesson *l)
{
    sp_foreach_batch (batch, l->train) {
        sp_tensor *X = sp_view(batch.x, -1, 784);
        sp_zero_grad(l->optimizer);
        sp_tensor *output = sp_forward(l->model, X);
        sp_tensor *loss = sp_forward(l->criterion, output, batch.y);
        sp_backward(loss);
        (void)sp_item(loss);
        sp_step(l->optimizer);
    }
}

static int64_t resident_bytes(void)
{
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? usage.ru_maxrss * INT64_C(1024) : 0;
}

typedef struct outcome {
    double seconds, training, train_accuracy, val_accuracy;
} outcome;

static bool run(const lesson *l, int epochs, bool tell, outcome *out)
{
    *out = (outcome){0};
    const double began = seconds_now();
    for (int epoch = 1; epoch <= epochs; epoch++) {
        const double start = seconds_now();
        train_epoch(l);
        out->training += seconds_now() - start;
        sp_eval(l->model);
        out->train_accuracy = accuracy(l->model, l->train);
        out->val_accuracy = accuracy(l->model, l->val);
        sp_train(l->model);
        if (sp_error_status() != SP_OK) return false;
        if (tell)
            printf("%2d  %.4f  %.4f  %.2f s\n", epoch, out->train_accuracy, out->val_accuracy, seconds_now() - start);
        fflush(stdout);
    }
    out->seconds = seconds_now() - began;
    return true;
}

int bench_lesson(const bench_options *o)
{
    lesson l;
    outcome out;
    const common *c = &o->common;
    if (!in_range(c, "--epochs", o->epochs, 1, 1000)) return EXIT_WRONG_USE;
    if (!open_lesson(&l, o)) return EXIT_FAILED;
    if (!c->json)
        printf("the lesson, %s, %d threads, %s\n", sp_data_description(sp_loader_dataset(l.train)), sp_num_threads(),
               sp_isa());
    if (!run(&l, o->epochs, !c->json, &out)) return EXIT_FAILED;
    if (!c->json) {
        printf("%d epochs: %.2f s (%.2f s to train), %.1f MB of memory at most\n", o->epochs, out.seconds, out.training,
               (double)resident_bytes() / 1e6);
        return EXIT_FINE;
    }
    printf("{\"bench\":\"lesson\",\"epochs\":%d,\"threads\":%d,\"seconds\":%.4f,\"training_seconds\":%.4f,"
           "\"train_accuracy\":%.4f,\"val_accuracy\":%.4f,\"resident_bytes\":%lld,\"isa\":\"%s\"",
           o->epochs, sp_num_threads(), out.seconds, out.training, out.train_accuracy, out.val_accuracy,
           (long long)resident_bytes(), sp_isa());
    json_dataset(stdout, sp_loader_dataset(l.train));
    puts("}");
    return EXIT_FINE;
}
