/* Autoencoders: networks that squeeze an example into a few numbers and make it again from them. */
#include <math.h>
#include <spusk/extend.h>
#include <spusk/indexing.h>
#include <spusk/linalg.h>
#include <spusk/nn.h>
#include <spusk/pointwise.h>
#include <spusk/train.h>
#include <spusk/views.h>

typedef struct autoencoder {
    sp_module base;
    sp_module *encode, *decode;
} autoencoder;

static sp_tensor *forward(sp_module *self, sp_tensor *x)
{
    autoencoder *a = (autoencoder *)self;
    return sp_forward(a->decode, sp_forward(a->encode, x));
}

static sp_module *join(sp_module *encode, sp_module *decode)
{
    autoencoder *a = sp_module_new(autoencoder, .name = "Autoencoder", .forward = forward);
    if (!a) return NULL;
    a->encode = sp_module_add(&a->base, "encode", encode);
    a->decode = sp_module_add(&a->base, "decode", decode);
    return a->encode && a->decode ? &a->base : NULL;
}

/* ---- kinds ---- */

static sp_module *dense(int64_t features, int64_t code)
{
    /* One statement after the other: C leaves the order of arguments open, and each part draws its weights. */
    sp_module *encode = sp_nn_sequential(sp_nn_linear(features, 256), sp_nn_relu(), sp_nn_linear(256, 64), sp_nn_relu(),
                                         sp_nn_linear(64, code));
    sp_module *decode = sp_nn_sequential(sp_nn_linear(code, 64), sp_nn_relu(), sp_nn_linear(64, 256), sp_nn_relu(),
                                         sp_nn_linear(256, features), sp_nn_sigmoid());
    return join(encode, decode);
}

static sp_module *linear(int64_t features, int64_t code)
{
    sp_module *encode = sp_nn_sequential(sp_nn_linear(features, code));
    sp_module *decode = sp_nn_sequential(sp_nn_linear(code, features));
    return join(encode, decode);
}

/* A kernel of 4 at a stride of 2 covers each pixel equally often, so that what is drawn has no chequers. */
static sp_module *convolutional(int64_t code)
{
    sp_module *encode = sp_nn_sequential(sp_nn_conv2d(1, 32, 3, .stride = 2, .padding = 1), sp_nn_relu(),
                                         sp_nn_conv2d(32, 64, 3, .stride = 2, .padding = 1), sp_nn_relu(),
                                         sp_nn_flatten(), sp_nn_linear(3136, 128), sp_nn_relu(),
                                         sp_nn_linear(128, code));
    sp_module *decode = sp_nn_sequential(sp_nn_linear(code, 128), sp_nn_relu(), sp_nn_linear(128, 3136), sp_nn_relu(),
                                         sp_nn_unflatten(1, SP_DIMS(64, 7, 7)),
                                         sp_nn_conv_transpose2d(64, 32, 4, .stride = 2, .padding = 1), sp_nn_relu(),
                                         sp_nn_conv_transpose2d(32, 1, 4, .stride = 2, .padding = 1), sp_nn_sigmoid());
    return join(encode, decode);
}

static sp_module *build(sp_autoencoder_kind kind, int64_t features, int64_t code)
{
    switch (kind) {
    case SP_AUTOENCODER_DENSE: return dense(features, code);
    case SP_AUTOENCODER_LINEAR: return linear(features, code);
    case SP_AUTOENCODER_CONV:
        if (features == 784) return convolutional(code);
        sp_raise(SP_ERROR_ARGUMENT, "sp_autoencoder: the convolutional one is for images of 28 by 28, not %lld numbers",
                 (long long)features);
        return NULL;
    }
    sp_raise(SP_ERROR_ARGUMENT, "sp_autoencoder: there is no kind %d", (int)kind);
    return NULL;
}

/* The most numbers of an example and of its code. A larger size would only ask for all the memory that there is. */
enum { MOST_NUMBERS = 1 << 24 };

static sp_status check_code(const char *function, int64_t code)
{
    if (code < 1)
        return sp_raise(SP_ERROR_ARGUMENT, "%s: a code of %lld numbers carries nothing; it has at least 1", function,
                        (long long)code);
    if (code <= MOST_NUMBERS) return SP_OK;
    return sp_raise(SP_ERROR_ARGUMENT, "%s: a code of %lld numbers; it has at most %d", function, (long long)code,
                    MOST_NUMBERS);
}

static sp_status check_features(int64_t features)
{
    if (features >= 1 && features <= MOST_NUMBERS) return SP_OK;
    return sp_raise(SP_ERROR_ARGUMENT, "sp_autoencoder: .features is %lld; an example has 1 to %d numbers",
                    (long long)features, MOST_NUMBERS);
}

sp_module *(sp_autoencoder)(int64_t code, const sp_autoencoder_options *given)
{
    sp_autoencoder_options options;
    sp_options_copy(&options, sizeof options, given);
    const int64_t features = sp_option_int(options.features, 784);
    if (check_code("sp_autoencoder", code) || check_features(features)) return NULL;
    if (features < 1) {
        sp_raise(SP_ERROR_ARGUMENT, "sp_autoencoder: features must be at least 1, got %lld", (long long)features);
        return NULL;
    }
    sp_module *model = NULL;
    SP_SCOPE {
        model = sp_escape(build(options.kind, features, code));
    }
    return model;
}

/* ---- principal components as a module ---- */

static sp_status set(sp_module *model, const char *name, sp_tensor *values)
{
    sp_tensor *parameter = sp_module_get(model, name);
    return parameter && values && sp_copy_(parameter, values) ? SP_OK : sp_error_status();
}

static sp_module *with_components(sp_tensor *x, int64_t code)
{
    const sp_pca p = sp_pca_lowrank(x, code);
    sp_tensor *mean = p.V ? sp_mean_dim(x, 0) : NULL;
    sp_module *model = mean ? linear(sp_size(x, 1), code) : NULL;
    if (!model || set(model, "encode.0.weight", sp_t(p.V)) ||
        set(model, "encode.0.bias", sp_neg(sp_matmul(mean, p.V))) || set(model, "decode.0.weight", p.V) ||
        set(model, "decode.0.bias", mean))
        return NULL;
    return model;
}

sp_module *sp_autoencoder_pca(sp_tensor *x, int64_t code)
{
    sp_module *model = NULL;
    if (!x) return sp_raise_null("sp_autoencoder_pca", "x"), NULL;
    if (check_code("sp_autoencoder_pca", code)) return NULL;
    SP_NO_GRAD {
        model = sp_escape(with_components(x, code));
    }
    return model;
}

/* ---- applying ---- */

sp_tensor *sp_encode(sp_module *model, sp_tensor *images)
{
    if (!model || !images) return sp_raise_null("sp_encode", model ? "images" : "model"), NULL;
    sp_module *encode = sp_get_submodule(model, "encode");
    return encode ? sp_model_apply(encode, images) : NULL;
}

/* The result of a dense decoder is a square image where the number of its pixels is a square. */
static sp_tensor *as_images(sp_tensor *decoded)
{
    if (!decoded || sp_ndim(decoded) != 2) return decoded;
    const int64_t n = sp_size(decoded, 0), pixels = sp_size(decoded, 1), side = (int64_t)sqrt((double)pixels);
    return side * side == pixels ? sp_view(decoded, n, side, side) : decoded;
}

sp_tensor *sp_decode(sp_module *model, sp_tensor *codes)
{
    if (!model || !codes) return sp_raise_null("sp_decode", model ? "codes" : "model"), NULL;
    sp_module *decode = sp_get_submodule(model, "decode");
    return decode ? as_images(sp_forward(decode, codes)) : NULL;
}

int64_t sp_code_size(sp_module *model, sp_tensor *image)
{
    int64_t size = 0;
    if (!image) return sp_raise_null("sp_code_size", "image"), 0;
    SP_NO_GRAD {
        sp_tensor *code = sp_encode(model, sp_unsqueeze(image, 0));
        if (code) size = sp_size(code, 1);
    }
    return size;
}

/* ---- over a data set ---- */

enum { BATCH = 1000 };

sp_example sp_encode_all(sp_module *model, sp_dataset *dataset)
{
    sp_example all = {NULL, NULL};
    if (!model || !dataset) return sp_raise_null("sp_encode_all", model ? "dataset" : "model"), all;
    const bool training = sp_is_training(model);
    sp_eval(model);
    SP_NO_GRAD {
        sp_list *codes = sp_list_new(NULL, 0), *labels = sp_list_new(NULL, 0);
        sp_loader *loader = sp_data_loader(dataset, .batch_size = BATCH);
        int64_t left = sp_loader_length(loader);
        sp_foreach_batch (batch, loader) {
            if (sp_list_append(codes, sp_encode(model, batch.x)) || sp_list_append(labels, batch.y)) break;
            left--;
        }
        if (loader && left == 0) {
            all.x = sp_escape(sp_cat(codes, 0));
            all.y = sp_escape(sp_cat(labels, 0));
        }
    }
    if (training) sp_train(model);
    return all.x && all.y ? all : (sp_example){NULL, NULL};
}

double sp_reconstruction_error(sp_module *model, sp_dataset *dataset)
{
    if (!model || !dataset) return sp_raise_null("sp_reconstruction_error", model ? "dataset" : "model"), (double)NAN;
    const bool training = sp_is_training(model);
    double sum = 0, count = 0;
    sp_eval(model);
    SP_NO_GRAD {
        sp_loader *loader = sp_data_loader(dataset, .batch_size = BATCH);
        int64_t left = sp_loader_length(loader);
        sp_foreach_batch (batch, loader) {
            sp_tensor *decoded = sp_decode(model, sp_encode(model, batch.x));
            sp_tensor *difference = sp_sub((sp_reshape)(decoded, sp_sizes(batch.x)), batch.x);
            if (!difference) break;
            sum += sp_item(sp_sum(sp_square(difference))); /* NaN after an error */
            count += (double)sp_numel(batch.x);
            left--;
        }
        if (!loader || left > 0) sum = (double)NAN;
    }
    if (training) sp_train(model);
    return sum / count;
}
