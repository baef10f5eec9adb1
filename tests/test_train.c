/* Reference networks, evaluation, recipes, checkpoints. */
#include "support/support.h"
#include <math.h>
#include <spusk/spusk.h>
#include <stdio.h>
#include <string.h>

/* ---- networks ---- */

static void test_models(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int64_t parameters;
    } known[] = {{"mlp", 235146}, {"cnn", 421642}, {"example", 1199882}, {"compact", 215194}, {"ae", 435858}};
    int n = 0;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        SP_SCOPE {
            sp_module *model = sp_model_by_name(known[i].name);
            assert_int_equal(sp_module_num_parameters(model), known[i].parameters);
            sp_tensor *output = sp_model_apply(model, sp_rand(SP_DIMS(2, 1, 28, 28)));
            assert_int_equal(sp_size(output, 1), strcmp(known[i].name, "ae") == 0 ? 784 : 10);
        }
    while (sp_model_name(n)) assert_true(strlen(sp_model_summary(n++)) > 10);
    assert_true(n >= 4);
    assert_null(sp_model_name(-1));
    assert_refuses(SP_ERROR_NOT_FOUND, "there is no network \"resnet\"; there are: mlp, cnn, example",
                   sp_model_by_name("resnet"));
}

/* The lesson's cnn prints as PyTorch's does. */
static void test_cnn_prints(void **state)
{
    (void)state;
    char text[2048];
    sp_module_to_string(sp_model_by_name("cnn"), text, sizeof text);
    assert_string_equal(text, "Sequential(\n"
                              "  (0): Conv2d(1, 32, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))\n"
                              "  (1): ReLU()\n"
                              "  (2): MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)\n"
                              "  (3): Conv2d(32, 64, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))\n"
                              "  (4): ReLU()\n"
                              "  (5): MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)\n"
                              "  (6): Flatten(start_dim=1, end_dim=-1)\n"
                              "  (7): Linear(in_features=3136, out_features=128, bias=True)\n"
                              "  (8): ReLU()\n"
                              "  (9): Linear(in_features=128, out_features=10, bias=True)\n"
                              "  (10): LogSoftmax(dim=1)\n"
                              ")");
}

static void test_probabilities(void **state)
{
    (void)state;
    sp_tensor *x = sp_rand(SP_DIMS(3, 1, 2, 2));
    sp_manual_seed(1);
    sp_module *scores = sp_nn_sequential(sp_nn_linear(4, 5));
    sp_tensor *expected = sp_softmax(sp_model_apply(scores, x), 1);
    assert_true(sp_allclose(sp_model_probabilities(scores, x), expected));
    sp_module *logs = sp_nn_sequential(scores, sp_nn_log_softmax(1));
    assert_true(sp_allclose(sp_model_probabilities(logs, x), expected, .rtol = 1e-5, .atol = 1e-6));
    sp_module *plain = sp_nn_sequential(sp_nn_linear(4, 5), sp_nn_softmax(1));
    assert_true(sp_equal(sp_model_probabilities(plain, x), sp_model_apply(plain, x)));
    assert_no_error();
}

/* ---- evaluation ---- */

static void test_evaluate(void **state)
{
    (void)state;
    sp_tensor *x = sp_reshape(sp_vector(3, 1, 0, 2, 5, 1), 3, 2), *y = sp_vector_i64(0, 1, 1);
    sp_loader *loader = sp_data_loader(sp_data_tensors(x, y), .batch_size = 2);
    sp_module *model = sp_nn_identity();
    sp_figures f = {0};
    assert_int_equal(sp_evaluate(&f, model, loader), SP_OK);
    assert_int_equal(f.correct, 2);
    assert_int_equal(f.total, 3);
    assert_true(fabs(f.accuracy - 2.0 / 3) < 1e-12);
    const double loss = (log(1 + exp(-2)) + log(1 + exp(-2)) + log(1 + exp(4))) / 3;
    assert_true(fabs(f.loss - loss) < 1e-5);
    assert_true(sp_is_training(model));
    /* Nothing is said of a run that failed. */
    sp_loader *wrong = sp_data_loader(sp_data_tensors(x, sp_vector_i64(0, 1, 7)), .batch_size = 2);
    assert_true(sp_evaluate(&f, model, wrong) != SP_OK);
    assert_error(SP_ERROR_ARGUMENT, "target 7");
    assert_int_equal(f.total, 3);
}

/* ---- recipes ---- */

static void test_recipes_can_be_made(void **state)
{
    (void)state;
    int n = 0;
    for (const sp_recipe *r; (r = sp_recipe_at(n)); n++)
        SP_SCOPE {
            assert_ptr_equal(sp_recipe_by_name(r->name), r);
            sp_module *model = sp_model_by_name(r->model);
            sp_optimizer *optimizer = sp_optim_by_name(r->optimizer, sp_parameters(model), .lr = r->lr);
            assert_non_null(sp_schedule_by_name(r->schedule, optimizer, r->gamma, r->epochs, 10));
            assert_non_null(sp_transform_by_name(r->augment));
            assert_true(strlen(r->summary) > 10 && r->epochs > 0 && r->batch_size > 0);
        }
    assert_true(n >= 4);
    assert_no_error();
    assert_refuses(SP_ERROR_NOT_FOUND, "there is no recipe \"cake\"; there are: mlp, cnn, example, fast, blitz",
                   sp_recipe_by_name("cake"));
    assert_refuses(SP_ERROR_NOT_FOUND, "no distortion \"melt\"; there are: shift, rotate, elastic",
                   sp_transform_by_name("shift,melt"));
}

static void test_names(void **state)
{
    (void)state;
    const char *const names[] = {"sgd", "adagrad", "adadelta", "rmsprop", "adam", "adamw", "adamax", "nadam"};
    sp_list *parameters = SP_LIST(sp_requires_grad(sp_zeros(SP_DIMS(2))));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        sp_optimizer *optimizer = sp_optim_by_name(names[i], parameters, .lr = 0.5);
        assert_true(sp_lr(optimizer, 0) == 0.5);
        assert_non_null(sp_schedule_by_name("one-cycle", optimizer, 0, 2, 3));
    }
    assert_refuses(SP_ERROR_NOT_FOUND, "no optimiser \"lion\"; there are: sgd,", sp_optim_by_name("lion", parameters));
    sp_optimizer *optimizer = sp_optim_by_name("sgd", parameters, .lr = 1);
    assert_refuses(SP_ERROR_NOT_FOUND, "no schedule \"spiral\"", sp_schedule_by_name("spiral", optimizer, 0, 2, 3));
    assert_refuses(SP_ERROR_ARGUMENT, "at least 1", sp_schedule_by_name("constant", optimizer, 0, 0, 3));
    /* Exponential: after each epoch of 3 batches. */
    sp_scheduler *scheduler = sp_schedule_by_name("exponential", optimizer, 0.5, 2, 3);
    const double rates[] = {1, 1, 0.5, 0.5, 0.5, 0.25};
    for (int i = 0; i < 6; i++) {
        assert_int_equal(sp_scheduler_step(scheduler), SP_OK);
        assert_true(fabs(sp_lr(optimizer, 0) - rates[i]) < 1e-12);
    }
    sp_scheduler *still = sp_schedule_by_name("constant", optimizer, 0, 2, 3);
    sp_scheduler_step(still);
    assert_true(sp_lr(optimizer, 0) == 0.25);
}

/* ---- checkpoints ---- */

typedef struct run {
    sp_module *model;
    sp_optimizer *optimizer;
    sp_scheduler *scheduler;
    sp_loader *loader;
} run;

static run run_new(void)
{
    run r;
    sp_manual_seed(3);
    r.model = sp_nn_sequential(sp_nn_linear(4, 8), sp_nn_batch_norm1d(8), sp_nn_relu(), sp_nn_dropout(0.5),
                               sp_nn_linear(8, 3), sp_nn_log_softmax(1));
    r.optimizer = sp_optim_adam(sp_parameters(r.model), .lr = 0.05);
    r.scheduler = sp_schedule_by_name("one-cycle", r.optimizer, 0, 4, 5);
    sp_generator *generator = sp_generator_new(8);
    sp_tensor *x = sp_rand(SP_DIMS(20, 4), .generator = generator), *y = sp_argmax_dim(sp_narrow(x, 1, 0, 3), 1);
    r.loader = sp_data_loader(sp_data_tensors(x, y), .batch_size = 4, .shuffle = true, .seed = 5);
    return r;
}

static void run_epochs(run *r, int n)
{
    for (int i = 0; i < n; i++)
        sp_foreach_batch (batch, r->loader) {
            sp_zero_grad(r->optimizer);
            sp_backward(sp_nll_loss(sp_forward(r->model, batch.x), batch.y));
            sp_step(r->optimizer);
            sp_scheduler_step(r->scheduler);
        }
}

static void assert_same_state(const run *a, const run *b)
{
    sp_dict *x = sp_state_dict(a->model), *y = sp_state_dict(b->model);
    for (int64_t i = 0; i < sp_dict_length(x); i++) assert_true(sp_equal(sp_dict_get(x, i), sp_dict_get(y, i)));
    x = sp_optimizer_state_dict(a->optimizer), y = sp_optimizer_state_dict(b->optimizer);
    for (int64_t i = 0; i < sp_dict_length(x); i++) assert_true(sp_equal(sp_dict_get(x, i), sp_dict_get(y, i)));
}

static void test_a_checkpoint_goes_on_in_the_same_bits(void **state)
{
    (void)state;
    char path[512];
    snprintf(path, sizeof path, "%s/run.checkpoint", support_folder());
    run whole = run_new();
    run_epochs(&whole, 4);
    run first = run_new();
    run_epochs(&first, 2);
    assert_int_equal(sp_save_checkpoint(first.model, first.optimizer, first.scheduler, 2, path), SP_OK);
    run second = run_new();
    sp_manual_seed(99);
    assert_int_equal(sp_load_checkpoint(second.model, second.optimizer, second.scheduler, path), 2);
    assert_same_state(&first, &second);
    sp_loader_set_epoch(second.loader, 2);
    run_epochs(&second, 2);
    assert_same_state(&whole, &second);
    assert_no_error();
}

static void test_a_file_that_is_no_checkpoint(void **state)
{
    (void)state;
    char path[512];
    snprintf(path, sizeof path, "%s/state.safetensors", support_folder());
    run r = run_new();
    assert_int_equal(sp_save_state(r.model, path), SP_OK);
    assert_int_equal(sp_load_checkpoint(r.model, r.optimizer, r.scheduler, path), -1);
    assert_error(SP_ERROR_FORMAT, "is not a checkpoint");
    assert_int_equal(sp_load_checkpoint(r.model, r.optimizer, r.scheduler, "no such file"), -1);
    assert_error(SP_ERROR_NOT_FOUND, "no such file");
}

/* What the numbers say is checked before anything is changed. */
static void test_epochs_that_there_are_not(void **state)
{
    (void)state;
    static const int64_t wrong[] = {-1, INT64_MIN, 1000000001, (INT64_C(1) << 31) - 1, INT64_C(1) << 32, INT64_MAX};
    char path[512];
    run r = run_new();
    snprintf(path, sizeof path, "%s/run.checkpoint", support_folder());
    assert_int_equal(sp_save_checkpoint(r.model, r.optimizer, r.scheduler, -1, path), SP_ERROR_ARGUMENT);
    assert_error(SP_ERROR_ARGUMENT, "epoch -1; it can be 0 to 1000000000");
    assert_int_equal(sp_save_checkpoint(r.model, r.optimizer, r.scheduler, 3, path), SP_OK);
    sp_dict *all = sp_load_tensors(path);
    sp_tensor *weight = sp_clone(sp_detach(sp_list_get(sp_parameters(r.model), 0)));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(sp_dict_set(all, "training", sp_vector_i64(wrong[i], 5, 7)), SP_OK);
        assert_int_equal(sp_save_tensors(all, path, NULL), SP_OK);
        SP_NO_GRAD {
            sp_zero_(sp_list_get(sp_parameters(r.model), 0));
        }
        assert_int_equal(sp_load_checkpoint(r.model, r.optimizer, r.scheduler, path), -1);
        assert_error(SP_ERROR_ARGUMENT, "it can be 0 to 1000000000");
        assert_true(sp_item(sp_sum(sp_abs(sp_list_get(sp_parameters(r.model), 0)))) == 0);
    }
    assert_int_equal(sp_dict_set(all, "training", sp_vector_i64(3, 5, 7)), SP_OK);
    assert_int_equal(sp_save_tensors(all, path, NULL), SP_OK);
    assert_int_equal(sp_load_checkpoint(r.model, r.optimizer, r.scheduler, path), 3);
    assert_true(sp_equal(sp_list_get(sp_parameters(r.model), 0), weight));
}

static void test_a_checkpoint_that_does_not_fit(void **state)
{
    (void)state;
    char path[512];
    snprintf(path, sizeof path, "%s/run.checkpoint", support_folder());
    run r = run_new();
    run_epochs(&r, 1);
    assert_int_equal(sp_save_checkpoint(r.model, r.optimizer, r.scheduler, 1, path), SP_OK);
    /* Another optimiser: the weights stay as they were. */
    run other = run_new(), same = run_new();
    sp_optimizer *adadelta = sp_optim_adadelta(sp_parameters(other.model));
    sp_scheduler *scheduler = sp_lr_scheduler_exponential_lr(adadelta, 1);
    assert_int_equal(sp_load_checkpoint(other.model, adadelta, scheduler, path), -1);
    assert_true(sp_error_status() != SP_OK);
    sp_error_clear();
    assert_same_state(&other, &same);
}

static void test_losses(void **state)
{
    (void)state;
    sp_tensor *output = sp_log_softmax(sp_randn(SP_DIMS(5, 10)), 1), *labels = sp_vector_i64(3, 1, 4, 1, 5);
    sp_tensor *wanted = sp_cast(sp_one_hot(labels, 10), SP_F32), *given = sp_exp(output);
    assert_true(sp_equal(sp_loss_by_name("nll", output, labels), sp_nll_loss(output, labels)));
    assert_true(sp_equal(sp_loss_by_name("mse", output, labels), sp_mse_loss(given, wanted)));
    assert_true(sp_equal(sp_loss_by_name("l1", output, labels), sp_l1_loss(given, wanted)));
    assert_no_error();
    assert_refuses(SP_ERROR_NOT_FOUND, "there is no loss \"hinge\"; there are: nll, mse, l1",
                   sp_loss_by_name("hinge", output, labels));
}

/* ---- memory ---- */

/* All of it but the networks of the table, whose weights are many. */
static bool use_all(void *path)
{
    sp_tensor *x = sp_rand(SP_DIMS(6, 1, 4, 4)), *y = sp_vector_i64(0, 1, 2, 0, 1, 2);
    sp_transform_by_name("shift,rotate");
    sp_loader *loader = sp_data_loader(sp_data_tensors(x, y), .batch_size = 4);
    sp_module *model = sp_nn_sequential(sp_nn_flatten(), sp_nn_linear(16, 3), sp_nn_log_softmax(1));
    sp_optimizer *optimizer = sp_optim_by_name("adam", sp_parameters(model));
    sp_scheduler *scheduler = sp_schedule_by_name("one-cycle", optimizer, 0, 2, 3);
    sp_figures figures = {0};
    return sp_loss_by_name("mse", sp_model_apply(model, x), y) && sp_evaluate(&figures, model, loader) == SP_OK &&
           sp_save_checkpoint(model, optimizer, scheduler, 1, path) == SP_OK &&
           sp_load_checkpoint(model, optimizer, scheduler, path) == 1 && sp_error_status() == SP_OK;
}

static void test_each_allocation_fails(void **state)
{
    (void)state;
    char path[512];
    snprintf(path, sizeof path, "%s/run.checkpoint", support_folder());
    assert_true(support_fail_each_allocation(use_all, path) > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        sp_test(test_models),
        sp_test(test_cnn_prints),
        sp_test(test_probabilities),
        sp_test(test_evaluate),
        sp_test(test_recipes_can_be_made),
        sp_test(test_names),
        sp_test(test_losses),
        sp_test(test_a_checkpoint_goes_on_in_the_same_bits),
        sp_test(test_a_file_that_is_no_checkpoint),
        sp_test(test_each_allocation_fails),
        sp_test(test_epochs_that_there_are_not),
        sp_test(test_a_checkpoint_that_does_not_fit),
    };
    return sp_test_main(tests);
}
