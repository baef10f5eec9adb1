/* Files: safetensors, network descriptions, pictures as tensors. */
#ifndef SPUSK_IO_H
#define SPUSK_IO_H

#include <spusk/module.h>

SP_BEGIN

/* Writes tensors as a safetensors file, atomically: a failure leaves the old file as it was. A link stays one, and what
 * it points to is written; a device or a pipe that somebody reads is written in place. Who is killed meanwhile leaves a
 * file .spusk-….tmp, which goes when the next one is saved into that folder. metadata: NULL, or pairs
 * of strings {key, value, …, NULL}. The bytes depend on names, values and metadata alone. */
SP_API sp_status sp_save_tensors(const sp_dict *tensors, const char *path, const char *const *metadata);
/* Reads one. Fails on a file cut short or with a head that lies. */
SP_API sp_dict *sp_load_tensors(const char *path);
/* A metadata value of a safetensors file, copied to buffer; returns its length, or -1 when the key is not there (no
 * error) or the file cannot be read (an error). */
SP_API int64_t sp_load_metadata(const char *path, const char *key, char *buffer, size_t size);
/* The same for the name of key number i. */
SP_API int64_t sp_load_metadata_key(const char *path, int64_t i, char *buffer, size_t size);

/* What a file says in its head, without a tensor's values being read, and single tensors: Python's safe_open. Names and
 * sizes belong to the object. */
typedef struct sp_safe_file sp_safe_file;
SP_API sp_safe_file *sp_safe_open(const char *path);
/* How many tensors there are; of number i the name, dtype and sizes; the tensor of a name, read. */
SP_API int64_t sp_safe_length(const sp_safe_file *file);
SP_API const char *sp_safe_name(const sp_safe_file *file, int64_t i);
SP_API sp_dtype sp_safe_dtype(const sp_safe_file *file, int64_t i);
SP_API sp_dims sp_safe_sizes(const sp_safe_file *file, int64_t i);
SP_API sp_tensor *sp_safe_get_tensor(const sp_safe_file *file, const char *name);
/* How much metadata there is; the key of number i; a key's value, NULL without an error when there is none. */
SP_API int64_t sp_safe_num_metadata(const sp_safe_file *file);
SP_API const char *sp_safe_metadata_key(const sp_safe_file *file, int64_t i);
SP_API const char *sp_safe_metadata(const sp_safe_file *file, const char *key);

/* A module's state dict, with its description (types, options, dtypes, JSON) under the metadata key "spusk.model". */
SP_API sp_status sp_save_state(const sp_module *module, const char *path);
/* Reads it back into a module of the same names and shapes; nothing changes when they do not fit. */
SP_API sp_status sp_load_state(sp_module *module, const char *path);
/* Builds the module that a file describes, and loads it. Fails with SP_ERROR_NOT_FOUND without a description, and
 * before anything is built when a tensor that is described is not in the file, with its shape. A type of a program's
 * own comes back with its children and options: children `encode` and `decode` alone are applied one after the other;
 * else only the children can be applied (sp_get_submodule), since a file holds no code. */
SP_API sp_module *sp_load_module(const char *path);
/* The description alone: writes JSON to buffer as snprintf would; a module from such JSON, as large as it says; the
 * same as outlines (sp_module_outline), to be printed, of any size. */
SP_API size_t sp_module_to_json(const sp_module *module, char *buffer, size_t size);
SP_API sp_module *sp_module_from_json(const char *json);
SP_API sp_module *sp_module_outline_from_json(const char *json);

/* A PNG: (H, W) or (1, H, W) grey, (3, H, W) or (4, H, W) colour; u8, or floating in [0, 1], clamped. */
SP_API sp_status sp_save_png(const sp_tensor *image, const char *path);
/* u8 (channels, H, W); channels 1 (grey, converted) or 3 (colour, converted). Of 16-bit samples the high byte; gamma
 * and colour profiles are ignored, as Pillow does; what is transparent lies on white. Fails on a file cut short or
 * damaged, and before anything is allocated on one that claims more than its bytes can hold, than 65 535 rows or
 * columns, or than 178 956 970 pixels (Pillow's bound). */
SP_API sp_tensor *sp_load_png(const char *path, int channels);

/* A whole file of any kind, written as the others are: a failure leaves the old file as it was. */
SP_API sp_status sp_save_bytes(const void *data, size_t bytes, const char *path);
/* Whether a file could be saved there, before the work whose result it is to hold: all that saving does is tried with a
 * small file beside it, which goes again. SP_ERROR_IO says why not. A device or a pipe is opened and closed. */
SP_API sp_status sp_save_check(const char *path);

SP_END_DECLS

#endif
