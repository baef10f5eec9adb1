/* The safetensors format: the length of the head (8 bytes, little-endian), the head (JSON, padded with spaces), and
 * the tensors' bytes, little-endian and row-major, without a gap.
 * Source: https://github.com/huggingface/safetensors, the section "Format". */
#ifndef SPUSK_IO_SAFETENSORS_H
#define SPUSK_IO_SAFETENSORS_H

#include "json.h"
#include <spusk/io.h>

#if SP_HAVE_JANSSON

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "safetensors files are little-endian; this machine's numbers would have to be turned round"
#endif

#define SP__ST_METADATA "__metadata__"
#define SP__ST_MODEL "spusk.model"
/* The reference implementation refuses longer heads. */
enum { SP__ST_MAX_HEAD = 100000000 };

typedef struct sp__st_type {
    const char *name;
    sp_dtype dtype; /* SP_DTYPE_DEFAULT: a type of the format that spusk does not have */
} sp__st_type;

/* In the order in which tensors are written: by alignment, as the reference implementation does. Ends with NULL. */
extern const sp__st_type sp__st_types[];

typedef struct sp__st_entry {
    const char *name; /* the head's */
    sp_dtype dtype;
    int n_dims;
    int64_t dims[SP_MAX_DIMS];
    int64_t begin, end; /* bytes, counted from the end of the head */
} sp__st_entry;

/* A file whose head has been read and found right. */
typedef struct sp__st_file {
    const char *path;
    int fd;
    int64_t data_start, data_bytes;
    json_t *head;
    sp__st_entry *entries; /* in the head's order */
    size_t n;
    sp_map names;      /* to entries */
    const char **keys; /* of the metadata, in the head's order */
    size_t n_keys;
} sp__st_file;

sp_status sp__st_open(sp__st_file *file, const char *path);
void sp__st_close(sp__st_file *file);
/* The tensor of an entry, read. */
sp_tensor *sp__st_read(const sp__st_file *file, const sp__st_entry *entry);
/* All tensors, in the open scope; NULL and an error when one cannot be read. */
sp_dict *sp__st_read_all(const sp__st_file *file);
/* A metadata value; NULL when there is none. */
const char *sp__st_metadata(const sp__st_file *file, const char *key);

/* A module's description, to be freed with sp_free(text, *size). */
char *sp__describe(const sp_module *module, size_t *size);
/* A description parsed; the module that it tells of, whole or as an outline. */
json_t *sp__parse_description(const char *json);
sp_module *sp__module_from_description(const json_t *object, bool outline);

#endif
#endif
