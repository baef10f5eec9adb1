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

/* sp_module_new(autoencoder, .name = "Autoencoder", .forward = f): a zeroed struct of that type, whose first member
 * must be `sp_module base`. The function behind the macro takes the struct's size in bytes. */
SP_API void *sp_module_new(size_t bytes, const sp_module_options *options SP_OR_NULL);
#define SP__MODULE_BYTES(type) (sizeof(type) + 0 * sizeof(char[offsetof(type, base) == 0 ? 1 : -1]))
#define sp_module_new(type, ...)                                                                                       \
    ((type *)SP__CALL1(sp_module_new, sp_module_options, SP__MODULE_BYTES(type), __VA_ARGS__))

typedef struct sp_buffer_options {
    size_t size;
    bool unsaved; /* not part of the state dict; PyTorch's persistent=False */
    SP_OPTIONS_END;
} sp_buffer_options;

/* Adds a child, which the parent then holds; returns it. The name is letters, digits and `_`, and new in the parent.
 * Fails for a child that has a parent, that would be below itself, or that would be nested more than 1000 deep. When a
 * member cannot be added, or is NULL, the module is incomplete: what uses it later fails and names the member. */
SP_API sp_module *sp_module_add(sp_module *parent, const char *name, sp_module *child);

/* Adds a parameter, which is trained and saved; returns it. It is a leaf of a floating dtype and records gradients from
 * now on. SP_NONE adds nothing and is returned. Names and failures as in sp_module_add. PyTorch's
 * register_parameter. */
SP_API sp_tensor *sp_module_add_parameter(sp_module *module, const char *name, sp_tensor *parameter);

/* Adds a buffer, which is saved but not trained; returns it. SP_NONE adds nothing and is returned. Names and failures
 * as in sp_module_add. PyTorch's register_buffer. */
SP_API sp_tensor *sp_module_add_buffer(sp_module *module, const char *name, sp_tensor *buffer,
                                       const sp_buffer_options *options SP_OR_NULL);
#define sp_module_add_buffer(...) SP__CALL3(sp_module_add_buffer, sp_buffer_options, __VA_ARGS__)

/* ---- using modules ---- */

/* The module applied to its inputs: sp_forward(model, x), sp_forward(criterion, output, target). The function behind
 * the macro takes an array that ends with sp_last_. Errors name the module's path: "in encode.0 (Linear): …". */
SP_API sp_tensor *sp_forward_until(sp_module *module, sp_tensor *const *inputs);
#define sp_forward(module, ...) sp_forward_until(module, SP__LIST(sp_tensor *, __VA_ARGS__, sp_last_))

/* sp_forward with an array of n inputs. */
SP_API sp_tensor *sp_forward_n(sp_module *module, sp_tensor *const *inputs, int n);

/* Puts the module and all below it into training mode, in which dropout drops and batch norm takes the batch's moments:
 * module.train(). A new module is in training mode. */
SP_API sp_status sp_train(sp_module *module);

/* Puts the module and all below it into evaluation mode: module.eval(). */
SP_API sp_status sp_eval(sp_module *module);

/* Whether the module is in training mode. false for NULL. */
SP_API bool sp_is_training(const sp_module *module);

/* All parameters of a module and of those below it, depth first in the order in which they were added, each once. */
SP_API sp_list *sp_parameters(const sp_module *module);

/* All buffers, in the order of sp_parameters. */
SP_API sp_list *sp_buffers(const sp_module *module);

/* All parameters by their full names, "encode.0.weight". */
SP_API sp_dict *sp_named_parameters(const sp_module *module);

/* Parameters and saved buffers by their full names. The tensors are outside the graph and share the module's memory. */
SP_API sp_dict *sp_state_dict(const sp_module *module);

/* Copies the values of a state into parameters and buffers. Fails, with nothing changed, unless names, shapes and kinds
 * of dtype (floating, whole, bool) all fit. */
SP_API sp_status sp_load_state_dict(sp_module *module, const sp_dict *state);

/* Moves parameters and buffers to a device: module.to(device). SP_ERROR_DEVICE where there is no such device. */
SP_API sp_status sp_module_to(sp_module *module, sp_device device);

/* Casts parameters and floating buffers to a floating dtype: module.to(dtype). Their gradients are dropped. */
SP_API sp_status sp_module_cast(sp_module *module, sp_dtype dtype);

/* Drops the gradients of all parameters. */
SP_API sp_status sp_module_zero_grad(sp_module *module);

/* The number of elements of all parameters. 0 for NULL. */
SP_API int64_t sp_module_num_parameters(const sp_module *module);

/* Calls visit for the module and all below it, depth first, children before their parent: module.apply(visit). */
SP_API sp_status sp_module_apply(sp_module *module, void (*visit)(sp_module *module, void *user), void *user);

/* PyTorch's indented text of a module. Writes at most size bytes, the ending zero among them, and returns the length of
 * the whole text, as snprintf does. */
SP_API size_t sp_module_to_string(const sp_module *module, char *buffer, size_t size);

/* Writes PyTorch's indented text of a module and a new line to standard output. */
SP_API sp_status sp_module_print(const sp_module *module);

/* The parameter or buffer of a full name, "encode.0.weight". SP_ERROR_NOT_FOUND when there is none. */
SP_API sp_tensor *sp_module_get(const sp_module *module, const char *name);

/* The module of a full name, "encode.0"; "" is the module itself. SP_ERROR_NOT_FOUND when there is none. */
SP_API sp_module *sp_get_submodule(sp_module *module, const char *name);

/* ---- dictionaries ---- */

/* An empty dictionary. */
SP_API sp_dict *sp_dict_new(void);

/* Sets or replaces the tensor of a name. The dictionary holds the tensor and copies the name. */
SP_API sp_status sp_dict_set(sp_dict *dict, const char *name, sp_tensor *x);

/* The tensor of a name; NULL without an error when there is none. */
SP_API sp_tensor *sp_dict_find(const sp_dict *dict, const char *name);

/* The number of entries; 0 for NULL. */
SP_API int64_t sp_dict_length(const sp_dict *dict);

/* The name of entry i, in the order in which names were first set; "" and an error when i is out of range. */
SP_API const char *sp_dict_name(const sp_dict *dict, int64_t i);

/* The tensor of entry i; NULL and an error when i is out of range. */
SP_API sp_tensor *sp_dict_get(const sp_dict *dict, int64_t i);

SP_END_DECLS

#endif
