/* For writers of layers and of file formats: the options of a layer, printed and saved; what a module is made of, and
 * modules made from such a description. */
#ifndef SPUSK_EXTEND_LAYER_H
#define SPUSK_EXTEND_LAYER_H

#include <spusk/module.h>

SP_BEGIN

/* An option of the module, printed ("in_features=784") and saved in its description. */
SP_API sp_status sp_module_set_int(sp_module *module, const char *name, int64_t value);
SP_API sp_status sp_module_set_number(sp_module *module, const char *name, double value);
SP_API sp_status sp_module_set_bool(sp_module *module, const char *name, bool value);

/* ---- what a module is ---- */

/* What a module is: the type's name; children and their names; options; the dtype of its own floating parameters and
 * buffers, which a cast gives to all of them (f32 without any). For tools and file formats.
 * Out of range: NULL, "" or 0, without an error. */
SP_API const char *sp_module_name(const sp_module *module);
SP_API int sp_module_num_children(const sp_module *module);
SP_API sp_module *sp_module_child(const sp_module *module, int i);
SP_API const char *sp_module_child_name(const sp_module *module, int i);
typedef enum sp_attribute_kind { SP_ATTRIBUTE_INT, SP_ATTRIBUTE_NUMBER, SP_ATTRIBUTE_BOOL } sp_attribute_kind;
typedef struct sp_attribute {
    const char *name;
    sp_attribute_kind kind;
    int64_t integer; /* also a bool */
    double number;
} sp_attribute;
SP_API int sp_module_num_attributes(const sp_module *module);
SP_API sp_attribute sp_module_attribute(const sp_module *module, int i);
SP_API sp_dtype sp_module_dtype(const sp_module *module);

/* ---- modules from descriptions ---- */

/* A module of the library by its type's name ("Linear") and options; fails on a name or option that it does not know.
 * Sequential is built from its children with sp_module_add. */
SP_API sp_module *sp_module_build(const char *name, const sp_attribute *attributes, int n);
/* The same without its parameters and buffers, whatever their size: it can be printed and described; applied, it fails
 * as incomplete. What it lacks is named by sp_module_outline_tensors: writes up to SP_OUTLINE_TENSORS of them and
 * returns their number, 0 for a module that is whole. */
SP_API sp_module *sp_module_outline(const char *name, const sp_attribute *attributes, int n);
enum { SP_OUTLINE_TENSORS = 5 };
typedef struct sp_outline_tensor {
    const char *name; /* "weight" */
    bool whole;       /* of whole numbers, not floating */
    int n_dims;
    int64_t dims[SP_MAX_DIMS];
} sp_outline_tensor;
SP_API int sp_module_outline_tensors(const sp_module *outline, sp_outline_tensor *tensors);
/* Whether the library has a module type of that name. */
SP_API bool sp_module_knows(const char *name);

SP_END_DECLS

#endif
