/* Losses as modules: sp_forward(loss, input, target). One row each. */
#include "layer.h"

#include <math.h>

/* Those that a loss lacks stay at their defaults. */
typedef struct loss_values {
    int64_t reduction, ignore_index;
    double label_smoothing, beta;
    bool log_target, batch_mean;
    int64_t classes; /* how many have a weight; 0 for none */
} loss_values;

typedef sp_tensor *loss_function(sp_tensor *x, sp_tensor *target, const sp_loss_options *options);
typedef sp_tensor *weighted_function(sp_tensor *x, sp_tensor *target, sp_tensor *weight,
                                     const sp_loss_options *options);

typedef struct loss_type {
    sp__layer_type type;
    loss_function *function;
    weighted_function *weighted; /* NULL: the loss has no weights of classes */
} loss_type;

typedef struct loss {
    sp__layer layer;
    sp_tensor *weight; /* SP_NONE for none */
} loss;

static sp_loss_options options_of(const loss_values *v)
{
    return (sp_loss_options){
        .size = sizeof(sp_loss_options),
        .reduction = (sp_reduction)v->reduction,
        .ignore_index = sp__exactly_int(v->ignore_index),
        .label_smoothing = v->label_smoothing,
        .beta = sp_exactly(v->beta),
        .log_target = v->log_target,
        .batch_mean = v->batch_mean,
    };
}

static sp_tensor *loss_forward(sp_module *self, sp_tensor *const *inputs, int n)
{
    const loss *l = (const loss *)self;
    const loss_type *type = (const loss_type *)l->layer.type;
    if (n != 2) {
        sp_raise(SP_ERROR_ARGUMENT, "sp_forward: a %s takes an input and a target, got %d", type->type.name, n);
        return NULL;
    }
    sp_loss_options options = options_of(sp__layer_values(self));
    if (l->weight == SP_NONE) return type->function(inputs[0], inputs[1], &options);
    return type->weighted(inputs[0], inputs[1], l->weight, &options);
}

static sp_status loss_check(const void *values)
{
    const loss_values *v = values;
    if (v->reduction < SP_REDUCTION_MEAN || v->reduction > SP_REDUCTION_NONE)
        return sp_raise(SP_ERROR_ARGUMENT, "loss: there is no reduction %lld", (long long)v->reduction);
    if (!(v->label_smoothing >= 0 && v->label_smoothing <= 1))
        return sp_raise(SP_ERROR_ARGUMENT, "loss: label_smoothing must be between 0 and 1, got %g", v->label_smoothing);
    if (!(v->beta >= 0 && isfinite(v->beta)))
        return sp_raise(SP_ERROR_ARGUMENT, "loss: beta must be finite and not negative, got %g", v->beta);
    if (v->classes < 0)
        return sp_raise(SP_ERROR_ARGUMENT, "loss: weight counts classes, got %lld", (long long)v->classes);
    return SP_OK;
}

/* A description says only how many weights there were: their values are in the state. */
static sp_status loss_fill(sp_module *self, const sp__layer_source *source)
{
    const int64_t classes = ((const loss_values *)sp__layer_values(self))->classes;
    sp_tensor *weight = source->weight;
    if (!weight) weight = classes > 0 ? sp_ones(SP_DIMS(classes)) : SP_NONE;
    ((loss *)self)->weight = sp_module_add_buffer(self, "weight", weight);
    return ((loss *)self)->weight ? SP_OK : sp_error_status();
}

/* ---- the rows ---- */

#define SHARED(title)                                                                                                  \
    .name = (title), .bytes = sizeof(loss), .values_size = sizeof(loss_values), .forward_n = loss_forward,             \
    .describe = sp__describe_nothing, .check = loss_check, .fill = loss_fill
#define REDUCTION SP__OPTION(loss_values, reduction, "reduction", INT, DEFAULTED, SP_REDUCTION_MEAN)
#define IGNORE_INDEX SP__OPTION(loss_values, ignore_index, "ignore_index", INT, DEFAULTED, -100)
#define WEIGHT SP__OPTION(loss_values, classes, "weight", INT, OMITTED, 0)

enum { NLL, CROSS_ENTROPY, MSE, L1, SMOOTH_L1, BCE, BCE_WITH_LOGITS, KL_DIV, N_TYPES };
static const loss_type types[N_TYPES] = {
    [NLL] = {{SHARED("NLLLoss"), .options = {REDUCTION, IGNORE_INDEX, WEIGHT}}, sp_nll_loss, sp_nll_loss_weighted},
    [CROSS_ENTROPY] = {{SHARED("CrossEntropyLoss"),
                        .options = {REDUCTION, IGNORE_INDEX,
                                    SP__OPTION(loss_values, label_smoothing, "label_smoothing", NUMBER, DEFAULTED, 0),
                                    WEIGHT}},
                       sp_cross_entropy,
                       sp_cross_entropy_weighted},
    [MSE] = {{SHARED("MSELoss"), .options = {REDUCTION}}, sp_mse_loss, NULL},
    [L1] = {{SHARED("L1Loss"), .options = {REDUCTION}}, sp_l1_loss, NULL},
    [SMOOTH_L1] = {{SHARED("SmoothL1Loss"),
                    .options = {REDUCTION, SP__OPTION(loss_values, beta, "beta", NUMBER, DEFAULTED, 1)}},
                   sp_smooth_l1_loss,
                   NULL},
    [BCE] = {{SHARED("BCELoss"), .options = {REDUCTION}}, sp_binary_cross_entropy, NULL},
    [BCE_WITH_LOGITS] = {{SHARED("BCEWithLogitsLoss"), .options = {REDUCTION}},
                         sp_binary_cross_entropy_with_logits,
                         NULL},
    [KL_DIV] = {{SHARED("KLDivLoss"),
                 .options = {REDUCTION, SP__OPTION(loss_values, log_target, "log_target", BOOL, DEFAULTED, 0),
                             SP__OPTION(loss_values, batch_mean, "batch_mean", BOOL, DEFAULTED, 0)}},
                sp_kl_div,
                NULL},
};
const sp__layer_family sp__losses = SP__LAYER_FAMILY(types);

/* ---- the public constructors ---- */

static sp_module *new_loss(int which, sp_tensor *weight, const sp_loss_options *options)
{
    sp_loss_options o;
    sp_options_copy(&o, sizeof o, options);
    const loss_values values = {
        .reduction = o.reduction,
        .ignore_index = sp_option_int(o.ignore_index, -100),
        .label_smoothing = sp_option(o.label_smoothing, 0),
        .beta = sp_option(o.beta, 1),
        .log_target = o.log_target,
        .batch_mean = o.batch_mean,
        .classes = weight == SP_NONE ? 0 : sp_numel(weight),
    };
    return sp__layer_new_from(&types[which].type, &values, &(const sp__layer_source){.weight = weight});
}

sp_module *(sp_nn_nll_loss)(const sp_loss_options *options)
{
    return new_loss(NLL, SP_NONE, options);
}

sp_module *(sp_nn_nll_loss_weighted)(sp_tensor *weight, const sp_loss_options *options)
{
    if (!weight) return sp_raise_null("sp_nn_nll_loss_weighted", "weight"), NULL;
    return new_loss(NLL, weight, options);
}

sp_module *(sp_nn_cross_entropy_loss)(const sp_loss_options *options)
{
    return new_loss(CROSS_ENTROPY, SP_NONE, options);
}

sp_module *(sp_nn_cross_entropy_loss_weighted)(sp_tensor *weight, const sp_loss_options *options)
{
    if (!weight) return sp_raise_null("sp_nn_cross_entropy_loss_weighted", "weight"), NULL;
    return new_loss(CROSS_ENTROPY, weight, options);
}

sp_module *(sp_nn_mse_loss)(const sp_loss_options *options)
{
    return new_loss(MSE, SP_NONE, options);
}

sp_module *(sp_nn_l1_loss)(const sp_loss_options *options)
{
    return new_loss(L1, SP_NONE, options);
}

sp_module *(sp_nn_smooth_l1_loss)(const sp_loss_options *options)
{
    return new_loss(SMOOTH_L1, SP_NONE, options);
}

sp_module *(sp_nn_bce_loss)(const sp_loss_options *options)
{
    return new_loss(BCE, SP_NONE, options);
}

sp_module *(sp_nn_bce_with_logits_loss)(const sp_loss_options *options)
{
    return new_loss(BCE_WITH_LOGITS, SP_NONE, options);
}

sp_module *(sp_nn_kl_div_loss)(const sp_loss_options *options)
{
    return new_loss(KL_DIV, SP_NONE, options);
}
