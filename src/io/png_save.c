/* Pictures into PNG files, by libpng's simplified interface, which never jumps out of its calls. */
#include "writer.h"
#include <spusk/io.h>
#include <spusk/views.h>

#if SP_HAVE_PNG

#include <png.h>
#include <string.h>

static const png_uint_32 formats[] = {0, PNG_FORMAT_GRAY, 0, PNG_FORMAT_RGB, PNG_FORMAT_RGBA};

static sp_status check_image(const sp_tensor *image)
{
    int n = sp_ndim(image);
    int64_t channels = n == 3 ? sp_size(image, 0) : 1;
    sp_dtype dtype = sp_dtype_of(image);
    if (n < 2 || n > 3 || channels < 1 || channels > 4 || channels == 2)
        return sp_raise(SP_ERROR_SHAPE,
                        "sp_save_png: a picture is (H, W), (1, H, W), (3, H, W) or (4, H, W); this "
                        "tensor has %d dimensions, the first of size %lld",
                        n, (long long)(n > 0 ? sp_size(image, 0) : 0));
    if (sp_size(image, -1) < 1 || sp_size(image, -2) < 1 || sp_size(image, -1) > 65535 || sp_size(image, -2) > 65535)
        return sp_raise(SP_ERROR_SHAPE, "sp_save_png: a picture has 1 to 65535 rows and columns, not %lld by %lld",
                        (long long)sp_size(image, -2), (long long)sp_size(image, -1));
    if (dtype != SP_U8 && !sp_dtype_is_floating_point(dtype))
        return sp_raise(SP_ERROR_DTYPE, "sp_save_png: a picture is uint8 or floating, not %s", sp_dtype_name(dtype));
    return SP_OK;
}

static unsigned char to_byte(float x)
{
    return x > 0 ? (unsigned char)(x < 1 ? x * 255 + 0.5f : 255) : 0; /* NaN is black */
}

/* The pixels row by row, channels side by side; `bytes` of them. */
static sp_status copy_pixels(sp_tensor *image, unsigned char *to, size_t bytes)
{
    sp_status status = SP_OK;
    SP_NO_GRAD {
        sp_tensor *x = sp_ndim(image) == 3 ? sp_permute(image, 1, 2, 0) : image;
        if (sp_dtype_of(image) == SP_U8)
            status = sp_copy_out(to, x, bytes);
        else {
            x = sp_contiguous(sp_cast(x, SP_F32));
            const float *values = sp_const_data(x);
            if (!values) status = sp_error_status();
            for (size_t i = 0; values && i < bytes; i++) to[i] = to_byte(values[i]);
        }
    }
    return status;
}

static sp_status compress(png_image *about, const unsigned char *pixels, const char *path)
{
    png_alloc_size_t room = PNG_IMAGE_PNG_SIZE_MAX(*about), size = room;
    unsigned char *file = sp_alloc(room);
    if (!file) return SP_ERROR_MEMORY;
    sp_status status = SP_OK;
    if (!png_image_write_to_memory(about, file, &size, 0, pixels, 0, NULL))
        status = sp_raise(SP_ERROR_IO, "cannot write %s: %s", path, about->message);
    if (status == SP_OK) status = sp_save_bytes(file, size, path);
    sp_free(file, room);
    return status;
}

sp_status sp_save_png(const sp_tensor *image, const char *path)
{
    if (!image) return sp_raise_null("sp_save_png", "image");
    sp_status status = check_image(image);
    if (status != SP_OK) return status;
    int64_t channels = sp_ndim(image) == 3 ? sp_size(image, 0) : 1;
    png_image about = {.version = PNG_IMAGE_VERSION,
                       .width = (png_uint_32)sp_size(image, -1),
                       .height = (png_uint_32)sp_size(image, -2),
                       .format = formats[channels]};
    size_t bytes = (size_t)sp_numel(image);
    unsigned char *pixels = sp_alloc(bytes);
    if (!pixels) return SP_ERROR_MEMORY;
    /* Makes a view of the image, which does not change it. */
    status = copy_pixels((sp_tensor *)(uintptr_t)image, pixels, bytes);
    if (status == SP_OK) status = compress(&about, pixels, path);
    sp_free(pixels, bytes);
    return status;
}

#else

sp_status sp_save_png(const sp_tensor *image, const char *path)
{
    (void)image, (void)path;
    return sp_raise(SP_ERROR_UNSUPPORTED, "this build has no libpng, so it can neither read nor write PNG files");
}

#endif
