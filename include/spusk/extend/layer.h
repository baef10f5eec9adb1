/* For writers of layers and of file formats: the options of a layer, printed and saved; what a module is made of, and
 * modules made from such a description. */
#ifndef SPUSK_EXTEND_LAYER_H
#define SPUSK_EXTEND_LAYER_H

#include <spusk/module.h>

SP_BEGIN

/* Sets a whole number that belongs to the module: it is printed ("in_features=784") and saved in its description. The
 * name is copied. */
SP_API sp_status sp_module_set_int(sp_module *module, const char *name, int64_t value);

/* Sets a floating number, as sp_module_set_int sets a whole one. */
SP_API sp_status sp_module_set_number(sp_module *module, const char *name, double value);

/* Sets a truth value, as sp_module_set_int sets a whole number. */
SP_API sp_status sp_module_set_bool(sp_module *module, const char *name, bool value);

/* ---- what a module is ---- */

/* The name of the module's type, "Linear"; "" for NULL. */
SP_API const char *sp_module_name(const sp_module *module);

/* The number of children that were added to the module; 0 for NULL. */
SP_API int sp_module_num_children(const sp_module *module);

/* Child i, in the order in which they were added; NULL without an error when i is out of range. */
SP_API sp_module *sp_module_child(const sp_module *module, int i);

/* The name of child i, "encode"; "" without an error when i is out of range. */
SP_API const char *sp_module_child_name(const sp_module *module, int i);

/* A value that sp_module_set_int, _number or _bool gave to a module. */
typedef enum sp_attribute_kind { SP_ATTRIBUTE_INT, SP_ATTRIBUTE_NUMBER, SP_ATTRIBUTE_BOOL } sp_attribute_kind;
typedef struct sp_attribute {
    const char *name;
    sp_attribute_kind kind;
    int64_t integer; /* also a bool */
    double number;
} sp_attribute;

/* The number of values that were set; 0 for NULL. */
SP_API int sp_module_num_attributes(const sp_module *module);

/* Value i, in the order in which they were set; its name is "" without an error when i is out of range. */
SP_API sp_attribute sp_module_attribute(const sp_module *module, int i);

/* The dtype of the module's own floating parameters and saved buffers, children apart; f32 without any. */
SP_API sp_dtype sp_module_dtype(const sp_module *module);

/* ---- modules from descriptions ---- */

/* A module of the library from its type's name ("Linear") and the n values that sp_module_attribute reads. Fails on a
 * name or value that it does not know. A Sequential gets its children by sp_module_add. */
SP_API sp_module *sp_module_build(const char *name, const sp_attribute *attributes, int n);

/* The same without parameters and buffers, however large they would be. An outline can be printed and described; to
 * apply it fails. */
SP_API sp_module *sp_module_outline(const char *name, const sp_attribute *attributes, int n);

/* The most tensors that a module of the library has of its own, and one of them. */
enum { SP_OUTLINE_TENSORS = 5 };

typedef struct sp_outline_tensor {
    const char *name; /* "weight" */
    bool whole;       /* of whole numbers, not floating */
    int n_dims;
    int64_t dims[SP_MAX_DIMS];
} sp_outline_tensor;

/* Writes the parameters and buffers that an outline lacks to `tensors`, which has room for SP_OUTLINE_TENSORS. Returns
 * how many there are: 0 for a module that is whole. */
SP_API int sp_module_outline_tensors(const sp_module *outline, sp_outline_tensor *tensors);

/* Whether the library has a module type of that name, so that sp_module_build can make it. */
SP_API bool sp_module_knows(const char *name);

SP_END_DECLS

#endif
