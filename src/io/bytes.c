/* A whole file from bytes in memory. */
#include "writer.h"
#include <spusk/io.h>

sp_status sp_save_bytes(const void *data, size_t bytes, const char *path)
{
    if (!path || (!data && bytes > 0)) return sp_raise_null("sp_save_bytes", path ? "data" : "path");
    sp__writer writer;
    sp_status status = sp__writer_open(&writer, path);
    if (status == SP_OK) status = sp__writer_write(&writer, data, bytes);
    return sp__writer_close(&writer, status);
}
