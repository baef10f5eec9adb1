/* Data sets: what all of them share, and those that a program defines. */
#include "data_private.h"

#include <stdarg.h>
#include <stdio.h>

static void dataset_destroy(void *object)
{
    sp_dataset *dataset = object;
    if (dataset->type && dataset->type->destroy) dataset->type->destroy(dataset);
    sp_free_text(dataset->description);
}

static const sp_kind dataset_kind = {"data set", dataset_destroy};

void *sp__dataset_new(const sp__data_type *type, size_t size, int64_t n_classes, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    sp_dataset *dataset = sp_object_new(&dataset_kind, size);
    if (!dataset) return NULL;
    if (sp__dataset_describe(dataset, length < 0 ? "" : text)) {
        sp_release(dataset);
        return NULL;
    }
    dataset->type = type;
    dataset->n_classes = n_classes;
    return dataset;
}

sp_status sp__dataset_describe(sp_dataset *dataset, const char *text)
{
    char *copy = sp_strdup(text);
    if (!copy) return sp_error_status();
    sp_free_text(dataset->description);
    dataset->description = copy;
    return SP_OK;
}

sp_status sp__data_argument(const void *object, const sp_kind *kind, const char *function, const char *argument,
                            const char *noun)
{
    if (!object) return sp_raise_null(function, argument);
    if (sp_object_is(object, kind)) return SP_OK;
    return sp_raise(SP_ERROR_ARGUMENT, "%s: argument '%s' is not a %s", function, argument, noun);
}

sp_status sp__dataset_check(const sp_dataset *dataset, const char *function)
{
    return sp__data_argument(dataset, &dataset_kind, function, "dataset", dataset_kind.name);
}

uint64_t sp__data_seed(uint64_t seed)
{
    return (uint64_t)sp_option_int((int64_t)seed, 0);
}

/* ---- questions ---- */

int64_t sp_data_length(const sp_dataset *dataset)
{
    if (sp__dataset_check(dataset, "sp_data_length")) return 0;
    int64_t length = dataset->type->length(dataset);
    return length > 0 ? length : 0;
}

int64_t sp_data_num_classes(const sp_dataset *dataset)
{
    if (sp__dataset_check(dataset, "sp_data_num_classes")) return 0;
    return dataset->n_classes;
}

const char *sp_data_description(const sp_dataset *dataset)
{
    if (sp__dataset_check(dataset, "sp_data_description")) return "";
    return dataset->description;
}

sp_example sp_data_get(sp_dataset *dataset, int64_t i)
{
    sp_example none = {NULL, NULL};
    if (sp__dataset_check(dataset, "sp_data_get")) return none;
    int64_t length = sp_data_length(dataset);
    if (i < -length || i >= length) {
        sp_raise(SP_ERROR_ARGUMENT, "sp_data_get: example %lld of a data set of %lld", (long long)i, (long long)length);
        return none;
    }
    sp_example example = dataset->type->get(dataset, i < 0 ? i + length : i);
    if (example.x && example.y) return example;
    sp_raise(SP_ERROR_NULL, "sp_data_get: the data set returned NULL for example %lld, though no error is pending",
             (long long)i);
    return none;
}

sp_example sp_data_all(sp_dataset *dataset)
{
    sp_example all = {NULL, NULL};
    if (sp__dataset_check(dataset, "sp_data_all")) return all;
    int64_t n = sp_data_length(dataset);
    if (!n) {
        sp_raise(SP_ERROR_ARGUMENT, "sp_data_all: the data set is empty, so the shape of its examples is unknown");
        return all;
    }
    int64_t *index = sp_alloc(sp_size_bytes(n, sizeof *index));
    if (!index) return all;
    for (int64_t i = 0; i < n; i++) index[i] = i;
    all = sp__data_batch(dataset, index, n, NULL);
    sp_free(index, sp_size_bytes(n, sizeof *index));
    return all;
}

/* ---- a data set of the program's own ---- */

typedef struct user_data {
    sp_dataset base;
    sp_dataset_class class;
    void *self;
} user_data;

static int64_t user_length(const sp_dataset *dataset)
{
    const user_data *user = (const user_data *)dataset;
    return user->class.length(user->self);
}

static sp_example user_get(sp_dataset *dataset, int64_t i)
{
    user_data *user = (user_data *)dataset;
    return user->class.get(user->self, i);
}

static void user_destroy(sp_dataset *dataset)
{
    user_data *user = (user_data *)dataset;
    if (user->class.destroy) user->class.destroy(user->self);
}

static const sp__data_type user_type = {.length = user_length, .get = user_get, .destroy = user_destroy};

sp_dataset *sp_data_new(const sp_dataset_class *type, void *self)
{
    sp_dataset_class class;
    if (!type) {
        sp_raise_null("sp_data_new", "type");
        return NULL;
    }
    sp_options_copy(&class, sizeof class, type);
    if (!class.length || !class.get) {
        sp_raise(SP_ERROR_ARGUMENT, "sp_data_new: a data set needs .size = sizeof(sp_dataset_class), .length and .get");
        return NULL;
    }
    user_data *user = sp__dataset_new(&user_type, sizeof *user, 0, "a data set of the program's own");
    if (!user) return NULL;
    user->class = class;
    user->self = self;
    return &user->base;
}
