/* A module from inside: its members, and how the files of this folder walk over them. */
#ifndef SPUSK_NN_MODULE_PRIVATE_H
#define SPUSK_NN_MODULE_PRIVATE_H

#include <spusk/extend.h>
#include <spusk/nn.h>

typedef struct sp__module_child {
    char *name;
    sp_module *module; /* held */
} sp__module_child;

typedef struct sp__module_tensor {
    char *name;
    sp_tensor *tensor; /* held */
    bool trained;      /* a parameter; else a buffer */
    bool saved;        /* part of the state dict */
} sp__module_tensor;

/* Writes what stands between the parentheses of the printed module, as snprintf does. */
typedef size_t sp__module_describe(const sp_module *module, char *buffer, size_t size);

/* The most modules on the way from a root down, the root included. A walk over a network calls itself once for each of
 * them. The parser of descriptions takes 2048 levels of JSON, two for each module. */
enum { SP__MAX_DEPTH = 1000 };

struct sp_module_private {
    char *name;
    sp_tensor *(*forward)(sp_module *self, sp_tensor *x);
    sp_tensor *(*forward_n)(sp_module *self, sp_tensor *const *inputs, int n);
    void (*destroy)(sp_module *self);
    sp__module_describe *describe; /* NULL: the attributes, "name=value, …" */
    sp_module *parent;             /* not held; NULL for a root */
    const char *child_name;        /* its name there, which is the parent's; NULL for a root */
    sp__module_child *children;
    sp__module_tensor *tensors;
    sp_attribute *attributes; /* their names are owned */
    int n_children, n_tensors, n_attributes;
    int height;                                       /* how many modules are below it, one in another */
    size_t max_children, max_tensors, max_attributes; /* room in the arrays */
    sp_map members;                                   /* from names: child i is 2·i, tensor i is 2·i + 1 */
    sp_map options;                                   /* from names to attributes */
    bool training;
    bool layer;         /* one of the library's own */
    bool foreign_below; /* one that is not, among those below */
    bool list;          /* equal neighbours are printed as one */
    char missing[48];   /* the first member that could not be added, "" for none */
};

extern const sp_kind sp__module_kind;

/* Whether it is a module. If not, raises an error that names the function. */
sp_status sp__module_check(const sp_module *module, const char *function);
/* The same, and whether the module has all its members. */
sp_status sp__module_check_whole(const sp_module *module, const char *function);
/* Sets an attribute, as sp_module_set_int and its kin. */
sp_status sp__module_set(sp_module *module, sp_attribute attribute);
/* A name's child or tensor; NULL for none. `length` characters of the name count. */
sp_module *sp__module_find_child(const sp_module *module, const char *name, size_t length);
sp__module_tensor *sp__module_find_tensor(const sp_module *module, const char *name);

/* Text that may be longer than its buffer: what does not fit is counted, not written. */
typedef struct sp__text {
    char *buffer;
    size_t size, length;
} sp__text;
static inline sp__text sp__text_in(char *buffer, size_t size)
{
    sp__text t = {.size = size};
    t.buffer = buffer;
    return t;
}
SP_PRINTF(2, 3) void sp__put(sp__text *t, const char *format, ...);
/* As Python's repr writes a float. */
void sp__put_number(sp__text *t, double x);

/* Writes "p=0.5" as snprintf does, a number as Python's repr. */
size_t sp__attribute_text(sp_attribute attribute, char *buffer, size_t size);

/* ---- walking ---- */

/* Where a walk stands: names from the innermost out. */
typedef struct sp__path {
    const struct sp__path *up;
    const char *name;
} sp__path;

/* "encode.0.weight", to be freed with sp_free_text; NULL and an error without memory. */
char *sp__path_text(const sp__path *path);

/* Calls visit for each parameter and buffer of the module and of all modules below it. The order is PyTorch's: a
 * module's parameters, its buffers, then its children. Stops at the first failure, and fails at a module that lacks a
 * member. */
typedef sp_status sp__module_visit(void *context, const sp__path *path, const sp__module_tensor *member);
sp_status sp__module_walk(const sp_module *module, const char *function, sp__module_visit *visit, void *context);

#endif
