/* Modules: making one of one's own, using one, and the state dict. The library's layers are in nn.h. */
#ifndef SPUSK_MODULE_H
#define SPUSK_MODULE_H

#include <spusk/autograd.h>

SP_BEGIN

/* A module is a struct of yours whose first member is `sp_module base`. */
typedef struct sp_module_private sp_module_private;
typedef struct sp_module {
    sp_module_private *priv;
} sp_module;

/* An ordered map from names to tensors; it holds them. */
typedef struct sp_dict sp_dict;

/* ---- modules of one's own ---- */

typedef struct sp_module_options {
    size_t size;
    const char *name;                                     /* the type's name, printed and saved; copied */
    sp_tensor *(*forward)(sp_module *self, sp_tensor *x); /* of one tensor */
    sp_tensor *(*forward_n)(sp_module *self, sp_tensor *const *inputs, int n); /* of several */
    void (*destroy)(sp_module *self); /* frees what is the user's; not the members added */
    SP_OPTIONS_END;
} sp_module_options;

/* sp_module_new(type, .name = "Autoencoder", .forward = f): a zeroed `type`, whose first member must be
 * `sp_module base`. */
SP_API void *sp_module_new(size_t bytes, const sp_module_options *options SP_OR_NULL);
#define SP__MODULE_BYTES(type) (sizeof(type) + 0 * sizeof(char[offsetof(type, base) == 0 ? 1 : -1]))
#define sp_module_new(type, ...)                                                                                       \
    ((type *)SP__CALL1(sp_module_new, sp_module_options, SP__MODULE_BYTES(type), __VA_ARGS__))

typedef struct sp_buffer_options {
    size_t size;
    bool unsaved; /* not part of the state dict; PyTorch's persistent=False */
    SP_OPTIONS_END;
} sp_buffer_options;

/* Adds a child, a trainable parameter or a buffer (saved, not trained). The module holds it; returns it. A name is
 * letters, digits and `_`, and new in this module. A child has one parent, and is none of its own ancestors; modules
 * nest at most 1000 deep. A parameter is a leaf of a floating dtype, and records gradients from now on; SP_NONE adds
 * nothing and is returned. After a member that is NULL the module is incomplete and cannot be used. */
SP_API sp_module *sp_module_add(sp_module *parent, const char *name, sp_module *child);
SP_API sp_tensor *sp_module_add_parameter(sp_module *module, const char *name, sp_tensor *parameter);
SP_API sp_tensor *sp_module_add_buffer(sp_module *module, const char *name, sp_tensor *buffer,
                                       const sp_buffer_options *options SP_OR_NULL);
#define sp_module_add_buffer(...) SP__CALL3(sp_module_add_buffer, sp_buffer_options, __VA_ARGS__)

/* ---- using modules ---- */

/* The module applied: sp_forward(model, x), sp_forward(criterion, output, target). */
SP_API sp_tensor *sp_forward_until(sp_module *module, sp_tensor *const *inputs);
#define sp_forward(module, ...) sp_forward_until(module, SP__LIST(sp_tensor *, __VA_ARGS__, sp_last_))
SP_API sp_tensor *sp_forward_n(sp_module *module, sp_tensor *const *inputs, int n);

/* Training or evaluation mode, for the module and all below it; whether it is training now. */
SP_API sp_status sp_train(sp_module *module);
SP_API sp_status sp_eval(sp_module *module);
SP_API bool sp_is_training(const sp_module *module);

/* All parameters (buffers) below a module, depth first in the order in which they were added, each once. */
SP_API sp_list *sp_parameters(const sp_module *module);
SP_API sp_list *sp_buffers(const sp_module *module);
/* The same by full name, "encode.0.weight". */
SP_API sp_dict *sp_named_parameters(const sp_module *module);
/* Parameters and saved buffers by full name, detached, sharing memory. */
SP_API sp_dict *sp_state_dict(const sp_module *module);
/* Copies values in. Fails, with nothing changed, unless names, shapes and kinds of dtype all fit. */
SP_API sp_status sp_load_state_dict(sp_module *module, const sp_dict *state);

/* Casts parameters and floating buffers; moves them to a device. */
SP_API sp_status sp_module_to(sp_module *module, sp_device device);
SP_API sp_status sp_module_cast(sp_module *module, sp_dtype dtype);
/* Drops all parameters' gradients. */
SP_API sp_status sp_module_zero_grad(sp_module *module);
/* Number of elements of all parameters. */
SP_API int64_t sp_module_num_parameters(const sp_module *module);
/* Calls visit for the module and all below it, depth first, children before their parent (PyTorch's apply). */
SP_API sp_status sp_module_apply(sp_module *module, void (*visit)(sp_module *module, void *user), void *user);

/* PyTorch's indented text. Writes at most size bytes and returns the length of the whole text; a line to stdout. */
SP_API size_t sp_module_to_string(const sp_module *module, char *buffer, size_t size);
SP_API sp_status sp_module_print(const sp_module *module);

/* The parameter or buffer of that full name; NULL and an error when there is none. */
SP_API sp_tensor *sp_module_get(const sp_module *module, const char *name);
/* The module of that full name ("encode.0"; "" is the module itself); NULL and an error when there is none. */
SP_API sp_module *sp_get_submodule(sp_module *module, const char *name);

/* ---- dictionaries ---- */

SP_API sp_dict *sp_dict_new(void);
/* Sets (replaces) a name's tensor; the name is copied. */
SP_API sp_status sp_dict_set(sp_dict *dict, const char *name, sp_tensor *x);
/* The tensor of a name; NULL without an error when there is none. */
SP_API sp_tensor *sp_dict_find(const sp_dict *dict, const char *name);
SP_API int64_t sp_dict_length(const sp_dict *dict);
SP_API const char *sp_dict_name(const sp_dict *dict, int64_t i);
SP_API sp_tensor *sp_dict_get(const sp_dict *dict, int64_t i);

SP_END_DECLS

#endif
