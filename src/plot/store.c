/* Files without a name. */
#include "store.h"
#include "process.h"

#include <errno.h>
#include <spusk/io.h>

FILE *sp__store_new(const char *path)
{
    FILE *store = tmpfile();
    if (!store) sp_raise(SP_ERROR_IO, "cannot write %s: no file to write meanwhile: %s", path, strerror(errno));
    return store;
}

/* What did not fit is written once more by fclose. */
void sp__store_close(FILE *store)
{
    sp__signals signals;
    if (!store) return;
    sp__signals_hold(&signals);
    fclose(store);
    sp__signals_release(&signals);
}

static void *fail(const char *path, const char *what)
{
    sp_raise(SP_ERROR_IO, "cannot write %s: %s: %s", path, what, strerror(errno));
    return NULL;
}

unsigned char *sp__store_take(FILE *store, const char *path, size_t *bytes)
{
    if (fflush(store) != 0 || ferror(store)) return fail(path, "what is written meanwhile does not fit");
    long size = fseek(store, 0, SEEK_END) == 0 ? ftell(store) : -1;
    if (size < 0) return fail(path, "what was written meanwhile cannot be read");
    rewind(store);
    *bytes = (size_t)size;
    unsigned char *all = sp_alloc(*bytes + 1);
    if (!all || fread(all, 1, *bytes, store) == *bytes) return all;
    fail(path, "what was written meanwhile cannot be read");
    sp_free(all, *bytes + 1);
    return NULL;
}

sp_status sp__store_save(FILE *store, const char *path)
{
    size_t bytes = 0;
    unsigned char *all = sp__store_take(store, path, &bytes);
    if (!all) return sp_error_status();
    sp_status status = sp_save_bytes(all, bytes, path);
    sp_free(all, bytes + 1);
    return status;
}
