/* The library's own layers: one constant record each, from which they are made, printed and rebuilt. */
#ifndef SPUSK_NN_LAYER_H
#define SPUSK_NN_LAYER_H

#include "module_private.h"

#include <math.h>

enum { SP__LAYER_OPTIONS = 20 };

typedef enum sp__option_need {
    SP__OPTION_DEFAULTED = 0, /* its fallback when it is left out */
    SP__OPTION_NEEDED,        /* must be given */
    SP__OPTION_OMITTED,       /* like the first, and not an attribute of the module while it is the fallback */
} sp__option_need;

typedef struct sp__layer_option {
    const char *name; /* NULL: the layer has no option at this place */
    sp_attribute_kind kind;
    sp__option_need need;
    double fallback;
} sp__layer_option;

typedef struct sp__layer_type sp__layer_type;
struct sp__layer_type {
    const char *name;
    sp_tensor *(*forward)(sp_module *self, sp_tensor *x);
    sp_tensor *(*forward_n)(sp_module *self, sp_tensor *const *inputs, int n);
    sp__module_describe *describe;             /* default: the attributes */
    sp_status (*check)(const double *numbers); /* of the options' values; default: all are fine */
    /* Its parameters and saved buffers by its options, their number; NULL for a type without any. */
    int (*tensors)(const double *numbers, sp_outline_tensor *tensors);
    /* Makes one by its options; default: sp__layer_new. */
    sp_module *(*build)(const sp__layer_type *type, const double *numbers);
    sp__layer_option options[SP__LAYER_OPTIONS];
};

/* A layer and its options' values, in the order of its type's options; each is exact as a double. */
typedef struct sp__layer {
    sp_module base;
    const sp__layer_type *type;
    double numbers[SP__LAYER_OPTIONS];
} sp__layer;

/* A layer with these options, checked; `bytes` of a struct whose first member is the layer. */
sp_module *sp__layer_new(const sp__layer_type *type, const double *numbers);
sp_module *sp__layer_new_sized(const sp__layer_type *type, size_t bytes, const double *numbers);

/* One tensor of a list that sp__layer_type.tensors writes; `n` are there already. Returns how many there are then. */
int sp__outline_add(sp_outline_tensor *tensors, int n, const char *name, sp_dims dims);

/* Whether a module is one of the library's layers, not a user's. */
bool sp__is_layer(const sp_module *module);
static inline double sp__layer_number(const sp_module *self, int i)
{
    return ((const sp__layer *)self)->numbers[i];
}
/* As the number of a dimension: what no int can be is none that a tensor has. */
static inline int sp__layer_dim(const sp_module *self, int i)
{
    const double dim = sp__layer_number(self, i);
    return fabs(dim) < INT_MAX ? (int)dim : INT_MAX;
}

/* PyTorch's number-or-pair as two options: "stride" is the height's, or for both; "stride_w", the width's, is left out
 * where one number was given. Their place in the options is i, i + 1. */
enum { SP__ONE_NUMBER = -1048576 };
#define SP__PAIR_OPTION(name, need, fallback)                                                                          \
    {name, SP_ATTRIBUTE_INT, need, fallback},                                                                          \
    {                                                                                                                  \
        name "_w", SP_ATTRIBUTE_INT, SP__OPTION_OMITTED, SP__ONE_NUMBER                                                \
    }
/* Sets both from an option struct's number, or `absent` for 0, and pair. */
void sp__pair_set(double *numbers, int i, int64_t number, const int64_t pair[2], int64_t absent);
/* Reads them as a pair for an option struct: zeros are SP_ZERO. */
void sp__pair_get(const double *numbers, int i, int64_t pair[2]);
/* Writes "2" or "(2, 3)". */
void sp__put_pair(sp__text *t, const double *numbers, int i);
static inline const double *sp__layer_numbers(const sp_module *self)
{
    return ((const sp__layer *)self)->numbers;
}

/* Describes a layer by nothing: "ReLU()". */
size_t sp__describe_nothing(const sp_module *module, char *buffer, size_t size);

/* The types of each file by name; NULL for none. */
typedef const sp__layer_type *sp__layer_find(const char *name);
sp__layer_find sp__find_activation, sp__find_linear, sp__find_container, sp__find_shape_layer, sp__find_dropout,
    sp__find_loss, sp__find_convolution, sp__find_pooling, sp__find_normalization, sp__find_embedding, sp__find_padding;

#endif
