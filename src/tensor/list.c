/* Lists of tensors. */
#include "tensor/tensor.h"
#include <string.h>

static void destroy_list(void *object)
{
    sp_list *list = object;
    for (int64_t i = 0; i < list->n; i++)
        if (!sp__is_none(list->items[i])) sp__unref(list->items[i]);
    sp_free(list->items, list->capacity * sizeof *list->items);
}

const sp_kind sp__list_kind = {"list", destroy_list};

static const sp_kind last_kind = {"end of a list", NULL};
static sp__static_tensor last = {.head = {.kind = &last_kind, .holds = SP__FOREVER, .mark = SP__LIVE}};
sp_tensor *const sp_last_ = &last.tensor;

static sp_status check_list(const sp_list *list, const char *function)
{
    return sp__check(list, &sp__list_kind, function, "list");
}

/* SP_NONE may stand in a list: an input without a gradient. */
static sp_status append(sp_list *list, sp_tensor *x, const char *function)
{
    if (!sp__is_none(x) && sp__check_tensor(x, function, "an entry")) return sp_error_status();
    if (sp_reserve(&list->items, &list->capacity, (size_t)list->n + 1, sizeof *list->items)) return sp_error_status();
    list->items[list->n++] = sp__is_none(x) ? x : sp__ref(x);
    return SP_OK;
}

sp_list *sp_list_new(sp_tensor *const *tensors, int64_t n)
{
    if (n < 0 || (n > 0 && !tensors)) {
        if (n < 0)
            sp_raise(SP_ERROR_ARGUMENT, "sp_list_new: a list of %lld tensors", (long long)n);
        else
            sp_raise_null("sp_list_new", "tensors");
        return NULL;
    }
    sp_list *list = sp_object_new(&sp__list_kind, sizeof *list);
    for (int64_t i = 0; list && i < n; i++)
        if (append(list, tensors[i], "sp_list_new")) {
            sp_release(list);
            return NULL;
        }
    return list;
}

sp_list *sp_list_until(sp_tensor *const *tensors)
{
    int64_t n = 0;
    if (!tensors) {
        sp_raise_null("sp_list_until", "tensors");
        return NULL;
    }
    while (tensors[n] != sp_last_) n++;
    return sp_list_new(tensors, n);
}

int64_t sp_list_length(const sp_list *list)
{
    return check_list(list, "sp_list_length") ? 0 : list->n;
}

sp_tensor *sp_list_get(const sp_list *list, int64_t i)
{
    if (check_list(list, "sp_list_get")) return NULL;
    int64_t at = i < 0 ? i + list->n : i;
    if (at >= 0 && at < list->n) return list->items[at];
    sp_raise(SP_ERROR_ARGUMENT, "sp_list_get: entry %lld of a list of %lld", (long long)i, (long long)list->n);
    return NULL;
}

sp_status sp_list_append(sp_list *list, sp_tensor *x)
{
    sp_status status = check_list(list, "sp_list_append");
    return status ? status : append(list, x, "sp_list_append");
}
