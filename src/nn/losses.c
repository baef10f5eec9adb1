/* Losses as modules: sp_forward(loss, input, target). One row each. */
#include "layer.h"

/* The places of the options, the same in all rows. */
enum { REDUCTION, IGNORE_INDEX, LABEL_SMOOTHING, BETA, LOG_TARGET, BATCH_MEAN, WEIGHT };

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

static sp_loss_options options_of(const double *numbers)
{
    return (sp_loss_options){
        .size = sizeof(sp_loss_options),
        .reduction = (sp_reduction)numbers[REDUCTION],
        .ignore_index = (int64_t)sp_exactly(numbers[IGNORE_INDEX]),
        .label_smoothing = numbers[LABEL_SMOOTHING],
        .beta = sp_exactly(numbers[BETA]),
        .log_target = numbers[LOG_TARGET] != 0,
        .batch_mean = numbers[BATCH_MEAN] != 0,
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
    sp_loss_options options = options_of(l->layer.numbers);
    if (l->weight == SP_NONE) return type->function(inputs[0], inputs[1], &options);
    return type->weighted(inputs[0], inputs[1], l->weight, &options);
}

static sp_status loss_check(const double *numbers)
{
    if (!(numbers[REDUCTION] >= SP_REDUCTION_MEAN && numbers[REDUCTION] <= SP_REDUCTION_NONE))
        return sp_raise(SP_ERROR_ARGUMENT, "loss: there is no reduction %.0f", numbers[REDUCTION]);
    if (!(numbers[LABEL_SMOOTHING] >= 0 && numbers[LABEL_SMOOTHING] <= 1))
        return sp_raise(SP_ERROR_ARGUMENT, "loss: label_smoothing must be between 0 and 1, got %g",
                        numbers[LABEL_SMOOTHING]);
    if (!(numbers[BETA] >= 0 && isfinite(numbers[BETA])))
        return sp_raise(SP_ERROR_ARGUMENT, "loss: beta must be finite and not negative, got %g", numbers[BETA]);
    if (!(numbers[WEIGHT] >= 0))
        return sp_raise(SP_ERROR_ARGUMENT, "loss: weight counts classes, got %.0f", numbers[WEIGHT]);
    return SP_OK;
}

/* ---- making them ---- */

static sp_module *loss_new(const sp__layer_type *type, const double *numbers, sp_tensor *weight)
{
    sp_module *self = sp__layer_new_sized(type, sizeof(loss), numbers);
    if (!self) return NULL;
    ((loss *)self)->weight = sp_module_add_buffer(self, "weight", weight);
    if (((loss *)self)->weight) return self;
    sp_release(self);
    return NULL;
}

/* A description says only how many weights there were: their values are in the state. */
static sp_module *loss_build(const sp__layer_type *type, const double *numbers)
{
    sp_module *self = NULL;
    if (loss_check(numbers) != SP_OK) return NULL;
    SP_SCOPE {
        int64_t classes = (int64_t)numbers[WEIGHT];
        sp_tensor *weight = classes > 0 ? sp_ones(SP_DIMS(classes)) : SP_NONE;
        self = sp_escape(loss_new(type, numbers, weight));
    }
    return self;
}

/* ---- the rows ---- */

#define SHARED(title)                                                                                                  \
    .name = (title), .forward_n = loss_forward, .describe = sp__describe_nothing, .check = loss_check,                 \
    .build = loss_build
#define OPTION_REDUCTION [REDUCTION] = {"reduction", SP_ATTRIBUTE_INT, SP__OPTION_DEFAULTED, SP_REDUCTION_MEAN}
#define OPTION_CLASSES                                                                                                 \
    [IGNORE_INDEX] = {"ignore_index", SP_ATTRIBUTE_INT, SP__OPTION_DEFAULTED, -100}, [WEIGHT] = {                      \
                                                                                         "weight", SP_ATTRIBUTE_INT,   \
                                                                                         SP__OPTION_OMITTED, 0}

static const loss_type nll = {
    {SHARED("NLLLoss"), .options = {OPTION_REDUCTION, OPTION_CLASSES}}, sp_nll_loss, sp_nll_loss_weighted};
static const loss_type cross_entropy = {
    {SHARED("CrossEntropyLoss"),
     .options =
         {OPTION_REDUCTION,
          OPTION_CLASSES, [LABEL_SMOOTHING] = {"label_smoothing", SP_ATTRIBUTE_NUMBER, SP__OPTION_DEFAULTED, 0}}},
    sp_cross_entropy,
    sp_cross_entropy_weighted};
static const loss_type mse = {{SHARED("MSELoss"), .options = {OPTION_REDUCTION}}, sp_mse_loss, NULL};
static const loss_type l1 = {{SHARED("L1Loss"), .options = {OPTION_REDUCTION}}, sp_l1_loss, NULL};
static const loss_type smooth_l1 = {
    {SHARED("SmoothL1Loss"),
     .options = {OPTION_REDUCTION, [BETA] = {"beta", SP_ATTRIBUTE_NUMBER, SP__OPTION_DEFAULTED, 1}}},
    sp_smooth_l1_loss,
    NULL};
static const loss_type bce = {{SHARED("BCELoss"), .options = {OPTION_REDUCTION}}, sp_binary_cross_entropy, NULL};
static const loss_type bce_with_logits = {
    {SHARED("BCEWithLogitsLoss"), .options = {OPTION_REDUCTION}}, sp_binary_cross_entropy_with_logits, NULL};
static const loss_type kl_div = {
    {SHARED("KLDivLoss"),
     .options = {OPTION_REDUCTION, [LOG_TARGET] = {"log_target", SP_ATTRIBUTE_BOOL, SP__OPTION_DEFAULTED, 0},
                 [BATCH_MEAN] = {"batch_mean", SP_ATTRIBUTE_BOOL, SP__OPTION_DEFAULTED, 0}}},
    sp_kl_div,
    NULL};
static const loss_type *const all[] = {&nll, &cross_entropy, &mse, &l1, &smooth_l1, &bce, &bce_with_logits, &kl_div};

const sp__layer_type *sp__find_loss(const char *name)
{
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (strcmp(all[i]->type.name, name) == 0) return &all[i]->type;
    return NULL;
}

/* ---- the public constructors ---- */

static sp_module *from_options(const loss_type *type, sp_tensor *weight, const sp_loss_options *options)
{
    sp_loss_options o;
    sp_options_copy(&o, sizeof o, options);
    double numbers[SP__LAYER_OPTIONS] = {0};
    numbers[REDUCTION] = (double)o.reduction;
    numbers[IGNORE_INDEX] = (double)sp_option_int(o.ignore_index, -100);
    numbers[LABEL_SMOOTHING] = sp_option(o.label_smoothing, 0);
    numbers[BETA] = sp_option(o.beta, 1);
    numbers[LOG_TARGET] = o.log_target;
    numbers[BATCH_MEAN] = o.batch_mean;
    numbers[WEIGHT] = weight == SP_NONE ? 0 : (double)sp_numel(weight);
    return loss_new(&type->type, numbers, weight);
}

sp_module *(sp_nn_nll_loss)(const sp_loss_options *options)
{
    return from_options(&nll, SP_NONE, options);
}

sp_module *(sp_nn_nll_loss_weighted)(sp_tensor *weight, const sp_loss_options *options)
{
    if (!weight) return sp_raise_null("sp_nn_nll_loss_weighted", "weight"), NULL;
    return from_options(&nll, weight, options);
}

sp_module *(sp_nn_cross_entropy_loss)(const sp_loss_options *options)
{
    return from_options(&cross_entropy, SP_NONE, options);
}

sp_module *(sp_nn_cross_entropy_loss_weighted)(sp_tensor *weight, const sp_loss_options *options)
{
    if (!weight) return sp_raise_null("sp_nn_cross_entropy_loss_weighted", "weight"), NULL;
    return from_options(&cross_entropy, weight, options);
}

sp_module *(sp_nn_mse_loss)(const sp_loss_options *options)
{
    return from_options(&mse, SP_NONE, options);
}

sp_module *(sp_nn_l1_loss)(const sp_loss_options *options)
{
    return from_options(&l1, SP_NONE, options);
}

sp_module *(sp_nn_smooth_l1_loss)(const sp_loss_options *options)
{
    return from_options(&smooth_l1, SP_NONE, options);
}

sp_module *(sp_nn_bce_loss)(const sp_loss_options *options)
{
    return from_options(&bce, SP_NONE, options);
}

sp_module *(sp_nn_bce_with_logits_loss)(const sp_loss_options *options)
{
    return from_options(&bce_with_logits, SP_NONE, options);
}

sp_module *(sp_nn_kl_div_loss)(const sp_loss_options *options)
{
    return from_options(&kl_div, SP_NONE, options);
}
