/* Files: safetensors, network descriptions, pictures as tensors. */
#ifndef SPUSK_IO_H
#define SPUSK_IO_H

#include <spusk/module.h>

SP_BEGIN

/* All files are saved atomically: a failure leaves the old file as it was. A link stays a link, and the file that it
 * points to is written; a device, or a pipe that somebody reads, is written in place. A process that is killed
 * meanwhile leaves a file .spusk-….tmp, which goes when the next file is saved into that folder. */

/* ---- safetensors ---- */

/* Saves tensors as a safetensors file. metadata is NULL, or pairs of strings {key, value, …, NULL}. The bytes depend on
 * names, values and metadata alone. */
SP_API sp_status sp_save_tensors(const sp_dict *tensors, const char *path, const char *const *metadata);

/* All tensors of a safetensors file. Fails on a file cut short and on one whose head does not fit it. */
SP_API sp_dict *sp_load_tensors(const char *path);

/* Copies the metadata value of a key in a safetensors file to buffer, as snprintf does, and returns its length; -1
 * without an error when the key is not there, -1 and an error when the file cannot be read. */
SP_API int64_t sp_load_metadata(const char *path, const char *key, char *buffer, size_t size);

/* Copies metadata key number i to buffer, as sp_load_metadata copies a value; -1 without an error after the last. */
SP_API int64_t sp_load_metadata_key(const char *path, int64_t i, char *buffer, size_t size);

/* A safetensors file that is open for questions. Names and sizes that it gives belong to it. */
typedef struct sp_safe_file sp_safe_file;

/* Opens a safetensors file and reads its head, no values: Python's safe_open. */
SP_API sp_safe_file *sp_safe_open(const char *path);

/* The number of tensors in the file; 0 for NULL. */
SP_API int64_t sp_safe_length(const sp_safe_file *file);

/* The name of tensor i; "" and an error when i is out of range. */
SP_API const char *sp_safe_name(const sp_safe_file *file, int64_t i);

/* The dtype of tensor i; SP_DTYPE_DEFAULT and an error when i is out of range. */
SP_API sp_dtype sp_safe_dtype(const sp_safe_file *file, int64_t i);

/* The sizes of tensor i; none and an error when i is out of range. */
SP_API sp_dims sp_safe_sizes(const sp_safe_file *file, int64_t i);

/* Reads the tensor of a name. SP_ERROR_NOT_FOUND when there is none. */
SP_API sp_tensor *sp_safe_get_tensor(const sp_safe_file *file, const char *name);

/* The number of metadata keys; 0 for NULL. */
SP_API int64_t sp_safe_num_metadata(const sp_safe_file *file);

/* Metadata key number i; "" and an error when i is out of range. */
SP_API const char *sp_safe_metadata_key(const sp_safe_file *file, int64_t i);

/* The metadata value of a key; NULL without an error when there is none. */
SP_API const char *sp_safe_metadata(const sp_safe_file *file, const char *key);

/* ---- networks ---- */

/* Saves a module's state dict as a safetensors file, with its description (types, options and dtypes in JSON) under the
 * metadata key "spusk.model". */
SP_API sp_status sp_save_state(const sp_module *module, const char *path);

/* Loads a state dict from a safetensors file into a module. Fails, with nothing changed, unless names, shapes and kinds
 * of dtype fit, as sp_load_state_dict. */
SP_API sp_status sp_load_state(sp_module *module, const char *path);

/* Builds the module that a file describes, and loads it. SP_ERROR_NOT_FOUND without a description. Fails before
 * anything is built when a tensor that is described is not in the file, with its shape. A module of a program's own
 * type comes back with its children and options, but without its forward, for a file holds no code: when its children
 * are `encode` and `decode` alone they are applied one after the other, else only the children can be applied
 * (sp_get_submodule). */
SP_API sp_module *sp_load_module(const char *path);

/* Writes a module's description as JSON to buffer; returns the length of the whole text, as snprintf does. */
SP_API size_t sp_module_to_json(const sp_module *module, char *buffer, size_t size);

/* The module that JSON describes, with fresh parameters. */
SP_API sp_module *sp_module_from_json(const char *json);

/* The module that JSON describes, without parameters and buffers (sp_module_outline), however large it would be: to be
 * printed. */
SP_API sp_module *sp_module_outline_from_json(const char *json);

/* ---- pictures and other files ---- */

/* Saves an image as a PNG: (H, W) or (1, H, W) grey, (3, H, W) colour, (4, H, W) colour with transparency; u8, or
 * floating in [0, 1], clamped. */
SP_API sp_status sp_save_png(const sp_tensor *image, const char *path);

/* A PNG as u8 (channels, H, W), converted to grey where channels is 1 and to colour where it is 3. 16-bit samples give
 * their high byte; gamma and colour profiles are ignored, as Pillow does; what is transparent lies on white. Fails on a
 * file cut short or damaged. Before it allocates anything it refuses a file that claims more than its bytes can hold,
 * more than 65 535 rows or columns, or more than 178 956 970 pixels (Pillow's bound). */
SP_API sp_tensor *sp_load_png(const char *path, int channels);

/* Saves bytes as a file of any kind. */
SP_API sp_status sp_save_bytes(const void *data, size_t bytes, const char *path);

/* Whether a file could be saved at path, before the work whose result it is to hold. Tries all that saving does with a
 * small file beside it, which goes again; opens and closes a device or a pipe. SP_ERROR_IO says why not. */
SP_API sp_status sp_save_check(const char *path);

/* Whether saving to both paths would write one file: their folders and links lead to the same place, whether the file
 * is there or not. */
SP_API bool sp_save_same_file(const char *path, const char *other);

SP_END_DECLS

#endif
