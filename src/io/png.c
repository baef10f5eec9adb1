/* Pictures as PNG files, by libpng's simplified interface, which never jumps out of its calls. */
#include "writer.h"
#include <spusk/io.h>

#if SP_HAVE_PNG

#include <png.h>
#include <string.h>

/* ---- saving ---- */

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
            status = sp_copy_out(x, to, bytes);
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
    /* A view of the image is made, which the image does not notice. */
    status = copy_pixels((sp_tensor *)(uintptr_t)image, pixels, bytes);
    if (status == SP_OK) status = compress(&about, pixels, path);
    sp_free(pixels, bytes);
    return status;
}

/* ---- loading ---- */

/* Compression gains at most a factor of 1032, and a byte holds at most 8 pixels: more cannot be in the file, and a
 * head that says so would have us ask for memory in vain. */
static sp_status check_claim(const png_image *about, size_t file_bytes, const char *path)
{
    double pixels = (double)about->width * (double)about->height;
    if (pixels <= (double)file_bytes * 1032 * 8) return SP_OK;
    return sp_raise(SP_ERROR_FORMAT, "%s claims %lu by %lu pixels, which %zu bytes cannot hold", path,
                    (unsigned long)about->height, (unsigned long)about->width, file_bytes);
}

/* Luma of ITU-R BT.601, rounded, as Pillow's convert("L"). */
static unsigned char luma(const unsigned char *p)
{
    return (unsigned char)((p[0] * 19595u + p[1] * 38470u + p[2] * 7471u + 0x8000u) >> 16);
}

/* From pixels side by side to planes. */
static void spread(unsigned char *planes, const unsigned char *pixels, size_t n, int channels, int stored)
{
    if (channels == 1)
        for (size_t i = 0; i < n; i++) planes[i] = stored == 1 ? pixels[i] : luma(pixels + 3 * i);
    else
        for (size_t i = 0; i < n; i++)
            for (size_t c = 0; c < 3; c++) planes[c * n + i] = pixels[3 * i + c];
}

static sp_tensor *decode(png_image *about, int channels, const char *path)
{
    const png_color white = {255, 255, 255};
    int stored = channels == 1 && !(about->format & PNG_FORMAT_FLAG_COLOR) ? 1 : 3;
    about->format = stored == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
    size_t n = (size_t)about->width * about->height, bytes = n * (size_t)stored;
    unsigned char *pixels = sp_alloc(bytes);
    if (!pixels) return NULL;
    sp_tensor *image = NULL;
    if (!png_image_finish_read(about, &white, pixels, 0, NULL))
        sp_raise(SP_ERROR_FORMAT, "%s is not a right PNG file: %s", path, about->message);
    else
        image = sp_empty(SP_DIMS(channels, (int64_t)about->height, (int64_t)about->width), .dtype = SP_U8);
    if (image) spread(sp_data(image), pixels, n, channels, stored);
    sp_free(pixels, bytes);
    return image;
}

sp_tensor *sp_load_png(const char *path, int channels)
{
    if (channels != 1 && channels != 3)
        return sp_raise(SP_ERROR_ARGUMENT, "sp_load_png: channels is 1 or 3, not %d", channels), NULL;
    size_t bytes = 0;
    unsigned char *file = sp__read_file(path, &bytes);
    if (!file) return NULL;
    png_image about = {.version = PNG_IMAGE_VERSION};
    sp_tensor *image = NULL;
    if (!png_image_begin_read_from_memory(&about, file, bytes))
        sp_raise(SP_ERROR_FORMAT, "%s is not a right PNG file: %s", path, about.message);
    else if (check_claim(&about, bytes, path) == SP_OK)
        image = decode(&about, channels, path);
    png_image_free(&about);
    sp_free(file, bytes + 1);
    return image;
}

#else

static sp_status missing(void)
{
    return sp_raise(SP_ERROR_UNSUPPORTED, "this build has no libpng, so it can neither read nor write PNG files");
}

sp_status sp_save_png(const sp_tensor *image, const char *path)
{
    (void)image, (void)path;
    return missing();
}

sp_tensor *sp_load_png(const char *path, int channels)
{
    (void)path, (void)channels;
    return missing(), NULL;
}

#endif
