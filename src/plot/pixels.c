/* Tensors as pixels. */
#include "pixels.h"

static unsigned char to_byte(float x)
{
    return x > 0 ? (unsigned char)(x < 1 ? x * 255 + 0.5f : 255) : 0; /* NaN is black */
}

sp_tensor *sp__plot_bytes(const char *function, sp_tensor *images)
{
    sp_dtype dtype = sp_dtype_of(images);
    if (sp_numel(images) == 0) return sp_raise(SP_ERROR_SHAPE, "%s: there is no pixel in the images", function), NULL;
    if (dtype == SP_U8) return sp_contiguous(images);
    if (!sp_dtype_is_floating_point(dtype))
        return sp_raise(SP_ERROR_DTYPE, "%s: images are uint8 or floating, not %s", function, sp_dtype_name(dtype)),
               NULL;
    sp_tensor *values = sp_contiguous(sp_cast(images, SP_F32));
    sp_tensor *bytes = values ? sp_empty(sp_sizes(values), .dtype = SP_U8) : NULL;
    const float *from = values ? sp_const_data(values) : NULL;
    unsigned char *to = bytes ? sp_data(bytes) : NULL;
    if (!from || !to) return NULL;
    for (int64_t i = 0; i < sp_numel(values); i++) to[i] = to_byte(from[i]);
    return bytes;
}
