/* The library's own layers: one constant record each, from which they are made, printed and rebuilt. */
#ifndef SPUSK_NN_LAYER_H
#define SPUSK_NN_LAYER_H

#include "module_private.h"

#include <stddef.h>

/* PyTorch's number-or-pair. Both sizes are always set; `two` remembers that two were given, for the text. */
typedef struct sp__layer_pair {
    int64_t v[2];
    bool two;
} sp__layer_pair;

typedef struct sp__layer_sizes {
    int64_t v[SP_MAX_DIMS];
    int n;
} sp__layer_sizes;

typedef enum sp__option_kind {
    SP__OPTION_INT,    /* int64_t */
    SP__OPTION_NUMBER, /* double */
    SP__OPTION_BOOL,   /* bool */
    SP__OPTION_PAIR,   /* sp__layer_pair: the attributes "stride" and, where two were given, "stride_w" */
    SP__OPTION_SIZES,  /* sp__layer_sizes: the attributes "size0", "size1", … of an option named "size" */
} sp__option_kind;

typedef enum sp__option_need {
    SP__OPTION_DEFAULTED = 0, /* its fallback when it is left out */
    SP__OPTION_NEEDED,        /* must be given */
    SP__OPTION_OMITTED,       /* its fallback, and no attribute of the module while it has it */
} sp__option_need;

typedef struct sp__layer_option {
    const char *name; /* NULL ends the list */
    sp__option_kind kind;
    sp__option_need need;
    double fallback;
    size_t at; /* where it stands in the values */
} sp__layer_option;

/* A row of options: SP__OPTION(conv_values, groups, "groups", INT, DEFAULTED, 1). */
#define SP__OPTION(values, field, name, kind, need, fallback)                                                          \
    {                                                                                                                  \
        name, SP__OPTION_##kind, SP__OPTION_##need, fallback, offsetof(values, field)                                  \
    }

/* What a new layer's parameters are made of, beside its options. */
typedef struct sp__layer_source {
    sp_dtype dtype; /* default f32 */
    sp_generator *generator;
    sp_tensor *weight; /* a loss's weights of classes; NULL: ones, if it has any */
} sp__layer_source;

/* The values of a layer's options are a plain struct of its file, the same in all functions of a record. */
typedef struct sp__layer_type {
    const char *name;
    size_t bytes;       /* of the layer's struct, whose first member is sp__layer; default: sizeof(sp__layer) */
    size_t values_size; /* of the options' values */
    bool list;          /* equal children that follow one another are printed as one */
    sp_tensor *(*forward)(sp_module *self, sp_tensor *x);
    sp_tensor *(*forward_n)(sp_module *self, sp_tensor *const *inputs, int n);
    sp__module_describe *describe;          /* default: the attributes */
    sp_status (*check)(const void *values); /* default: all values are fine */
    /* Writes the names and shapes of its parameters and saved buffers, and returns their number; NULL for a type that
     * has none. */
    int (*tensors)(const void *values, sp_outline_tensor *tensors);
    /* Makes its parameters and buffers; NULL for a type without any. */
    sp_status (*fill)(sp_module *self, const sp__layer_source *source);
    sp__layer_option options[12];
} sp__layer_type;

/* The values stand behind the layer, in one block with it. */
typedef struct sp__layer {
    sp_module base;
    const sp__layer_type *type;
    void *values;
} sp__layer;

static inline const void *sp__layer_values(const sp_module *self)
{
    return ((const sp__layer *)self)->values;
}

/* A layer with these values, checked; NULL without a single one. */
sp_module *sp__layer_new(const sp__layer_type *type, const void *values);
sp_module *sp__layer_new_from(const sp__layer_type *type, const void *values, const sp__layer_source *source);

/* Sets a module's attributes to the values of its type's options. */
sp_status sp__layer_show(sp_module *module, const sp__layer_type *type, void *values);
/* Reads the values of a type's options, zeroed before, from attributes; fails at one that is missing or unknown. */
sp_status sp__layer_read(const sp__layer_type *type, const sp_attribute *attributes, int n, void *values);

/* One tensor of a list that sp__layer_type.tensors writes; `n` are there already. Returns how many there are then. */
int sp__outline_add(sp_outline_tensor *tensors, int n, const char *name, sp_dims dims);

/* Whether a module is one of the library's layers, not a user's. */
bool sp__is_layer(const sp_module *module);

/* A pair from an option struct: its number, or `absent` for 0, and its pair. */
sp__layer_pair sp__layer_pair_of(int64_t number, const int64_t pair[2], int64_t absent);
/* A pair for an option struct, where a zero is SP_ZERO. */
void sp__layer_pair_get(sp__layer_pair pair, int64_t hw[2]);
/* Writes "2" or "(2, 3)". */
void sp__put_pair(sp__text *t, sp__layer_pair pair);

/* A whole number for an option struct, where a zero is SP_ZERO. */
static inline int64_t sp__exactly_int(int64_t x)
{
    return x == 0 ? SP_ZERO : x;
}

/* Writes them as Python's tuple: "(32, 7, 7)", "(7,)". */
void sp__put_sizes(sp__text *t, const sp__layer_sizes *sizes);
/* Sizes from a caller; fails where there are none of them, or more than SP_MAX_DIMS. */
sp_status sp__layer_sizes_of(sp_dims dims, sp__layer_sizes *sizes, const char *function, const char *name);

/* Describes a layer by nothing: "ReLU()". */
size_t sp__describe_nothing(const sp_module *module, char *buffer, size_t size);

/* The types of one file. In the file they may stand in rows that begin with them. */
typedef struct sp__layer_family {
    const void *types;
    size_t n, stride;
} sp__layer_family;
#define SP__LAYER_FAMILY(types)                                                                                        \
    {                                                                                                                  \
        (types), sizeof(types) / sizeof *(types), sizeof *(types)                                                      \
    }
extern const sp__layer_family sp__activations, sp__plain_activations, sp__linears, sp__containers, sp__shape_layers,
    sp__dropouts, sp__losses, sp__convolutions, sp__poolings, sp__normalizations, sp__embeddings, sp__paddings;

#endif
