/* The reference networks, and what is done with any network for digits. */
#include "names.h"

#include <spusk/functional.h>
#include <spusk/nn.h>
#include <spusk/train.h>
#include <spusk/views.h>

/* ---- networks ---- */

static sp_module *mlp(void)
{
    return sp_nn_sequential(sp_nn_linear(784, 256), sp_nn_relu(), sp_nn_linear(256, 128), sp_nn_relu(),
                            sp_nn_linear(128, 10), sp_nn_log_softmax(1));
}

static sp_module *cnn(void)
{
    return sp_nn_sequential(sp_nn_conv2d(1, 32, 3, .padding = 1), sp_nn_relu(), sp_nn_max_pool2d(2),
                            sp_nn_conv2d(32, 64, 3, .padding = 1), sp_nn_relu(), sp_nn_max_pool2d(2), sp_nn_flatten(),
                            sp_nn_linear(3136, 128), sp_nn_relu(), sp_nn_linear(128, 10), sp_nn_log_softmax(1));
}

static sp_module *compact(void)
{
    return sp_nn_sequential(sp_nn_conv2d(1, 24, 5), sp_nn_relu(), sp_nn_max_pool2d(2), sp_nn_conv2d(24, 32, 3),
                            sp_nn_relu(), sp_nn_max_pool2d(2), sp_nn_flatten(), sp_nn_linear(800, 256), sp_nn_relu(),
                            sp_nn_linear(256, 10), sp_nn_log_softmax(1));
}

static sp_module *example(void)
{
    return sp_nn_sequential(sp_nn_conv2d(1, 32, 3), sp_nn_relu(), sp_nn_conv2d(32, 64, 3), sp_nn_relu(),
                            sp_nn_max_pool2d(2), sp_nn_dropout(0.25), sp_nn_flatten(), sp_nn_linear(9216, 128),
                            sp_nn_relu(), sp_nn_dropout(0.5), sp_nn_linear(128, 10), sp_nn_log_softmax(1));
}

static sp_module *ae(void)
{
    return sp_autoencoder(2);
}

static sp_module *convae(void)
{
    /* One after the other, so that the weights are drawn in order. */
    sp_module *encode = sp_nn_sequential(sp_nn_conv2d(1, 16, 3, .stride = 2, .padding = 1), sp_nn_relu(),
                                         sp_nn_conv2d(16, 32, 3, .stride = 2, .padding = 1), sp_nn_relu(),
                                         sp_nn_flatten(), sp_nn_linear(1568, 2));
    sp_module *decode = sp_nn_sequential(sp_nn_linear(2, 1568), sp_nn_relu(), sp_nn_unflatten(1, SP_DIMS(32, 7, 7)),
                                         sp_nn_conv_transpose2d(32, 16, 2, .stride = 2), sp_nn_relu(),
                                         sp_nn_conv_transpose2d(16, 1, 2, .stride = 2), sp_nn_sigmoid());
    return sp_nn_sequential(encode, decode);
}

static sp_module *logistic(void)
{
    return sp_nn_sequential(sp_nn_linear(784, 10), sp_nn_log_softmax(1));
}

static const struct {
    const char *name, *summary;
    sp_module *(*make)(void);
} models[] = {
    {"mlp", "784-256-128-10, ReLU", mlp},
    {"cnn", "convolutions of 32 and 64 channels, max-pooling, 3136-128-10, ReLU", cnn},
    {"example", "the network of PyTorch's MNIST example: convolutions of 32 and 64 channels, dropout, 9216-128-10",
     example},
    {"compact", "convolutions of 24 and 32 channels, max-pooling, 800-256-10, ReLU", compact},
    {"ae", "autoencoder: 784-256-64-2 and back, ReLU, Sigmoid", ae},
    {"logistic", "784-10: logistic regression", logistic},
    {"convae", "autoencoder: convolutions of 16 and 32 channels, 1568-2, and back", convae},
};
enum { N_MODELS = sizeof models / sizeof *models };

const char *sp_model_name(int i)
{
    return i >= 0 && i < N_MODELS ? models[i].name : NULL;
}

const char *sp_model_summary(int i)
{
    return i >= 0 && i < N_MODELS ? models[i].summary : NULL;
}

sp_module *sp_model_by_name(const char *name)
{
    const int i = sp__row_by_name("sp_model_by_name", "network", models, N_MODELS, sizeof *models, name);
    return i >= 0 ? models[i].make() : NULL;
}

/* ---- applied ---- */

/* in_features of the Linear that a network begins with; 0 when it begins with something else. */
static int64_t first_features(const sp_module *model)
{
    while (sp_module_num_children(model) > 0) model = sp_module_child(model, 0);
    for (int i = 0; i < sp_module_num_attributes(model); i++) {
        const sp_attribute attribute = sp_module_attribute(model, i);
        if (strcmp(attribute.name, "in_features") == 0) return attribute.integer;
    }
    return 0;
}

sp_tensor *sp_model_apply(sp_module *model, sp_tensor *images)
{
    if (!model || !images) return sp_raise_null("sp_model_apply", model ? "images" : "model"), NULL;
    const int64_t features = first_features(model), n = sp_size(images, 0);
    if (features > 0 && n > 0 && sp_numel(images) / n != features)
        return sp_raise(SP_ERROR_SHAPE, "sp_model_apply: %lld numbers an image; the network takes %lld",
                        (long long)(sp_numel(images) / n), (long long)features),
               NULL;
    return sp_forward(model, features > 0 ? sp_reshape(images, n, features) : images);
}

static const char *last_name(const sp_module *model)
{
    while (sp_module_num_children(model) > 0) model = sp_module_child(model, sp_module_num_children(model) - 1);
    return sp_module_name(model);
}

sp_tensor *sp_model_probabilities(sp_module *model, sp_tensor *images)
{
    sp_tensor *output = sp_model_apply(model, images);
    if (!output) return NULL;
    /* The softmax of log-probabilities is the probabilities. Only an output that is a softmax already stays as it is. */
    return strcmp(last_name(model), "Softmax") == 0 ? output : sp_softmax(output, 1);
}
