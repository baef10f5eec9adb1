/* Movies: frames checked and made bytes, whatever the format; the formats are in gif.c and mp4.c.
 *
 * Nothing stands under the movie's name until sp_movie_close has all of it, and nothing is left of a movie that failed
 * or was never closed. */
#include "movie.h"
#include "pixels.h"
#include "store.h"
#include <spusk/views.h>
#include <string.h>

enum { MAX_SIDE = 8192 };
/* Without a scale, small frames are enlarged until their longer side is this long. */
enum { SEEN_WELL = 280 };

static void destroy(void *object)
{
    sp_movie *movie = object;
    sp__process_kill(&movie->ffmpeg);
    sp__store_close(movie->store);
    sp_free_text(movie->path);
    sp_free_text(movie->title);
}

static const sp_kind kind = {"movie", destroy};

/* ---- opening ---- */

static const sp__movie_format *format_of(const char *path)
{
    static const sp__movie_format *const formats[] = {&sp__movie_gif, &sp__movie_mp4, &sp__movie_html};
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path, *dot = strrchr(name, '.');
    for (size_t i = 0; dot && dot > name && i < sizeof formats / sizeof *formats; i++)
        if (strcmp(dot, formats[i]->ending) == 0) return formats[i];
    sp_raise(SP_ERROR_ARGUMENT, "a movie's name ends in .gif, .mp4 or .html, not as '%s'", path);
    return NULL;
}

static sp_status check(const sp__movie_format *format, double fps, int scale)
{
    if (!(fps >= 0.01 && fps <= format->max_fps))
        return sp_raise(SP_ERROR_ARGUMENT, "sp_movie_new: %s has 0.01 to %g frames a second, not %g", format->name,
                        format->max_fps, fps);
    if (scale < 0 || scale > 64)
        return sp_raise(SP_ERROR_ARGUMENT, "sp_movie_new: scale is 1 to 64, not %d", (int)sp_option_int(scale, 0));
    return format->check ? format->check() : SP_OK;
}

sp_movie *(sp_movie_new)(const char *path, const sp_movie_options *given)
{
    sp_movie_options options;
    sp_options_copy(&options, sizeof options, given);
    if (!path) return sp_raise_null("sp_movie_new", "path"), NULL;
    double fps = sp_option(options.fps, 20);
    const sp__movie_format *format = format_of(path);
    if (!format || check(format, fps, options.scale) != SP_OK) return NULL;
    sp_movie *movie = sp_object_new(&kind, sizeof *movie);
    if (!movie) return NULL;
    movie->format = format;
    movie->fps = fps;
    movie->scale = options.scale;
    movie->once = options.once;
    movie->path = sp_strdup(path);
    movie->title = sp_strdup(options.title ? options.title : path);
    if (movie->path && movie->title) return movie;
    sp_release(movie);
    return NULL;
}

/* ---- frames ---- */

static sp_status check_shape(const sp_movie *movie, int64_t channels, int64_t height, int64_t width)
{
    if (movie->frames > 0 && (channels != movie->channels || height != movie->height || width != movie->width))
        return sp_raise(SP_ERROR_SHAPE,
                        "sp_movie_frame: frame %lld is (%lld, %lld, %lld), those before it are (%lld, %lld, %lld)",
                        (long long)movie->frames, (long long)channels, (long long)height, (long long)width,
                        (long long)movie->channels, (long long)movie->height, (long long)movie->width);
    const int64_t scale = movie->scale ? movie->scale : 1;
    height = sp_size_mul(height, scale), width = sp_size_mul(width, scale);
    if (height <= MAX_SIDE && width <= MAX_SIDE) return SP_OK;
    return sp_raise(SP_ERROR_SHAPE, "sp_movie_frame: a movie has at most %d rows and columns, not %lld by %lld",
                    MAX_SIDE, (long long)height, (long long)width);
}

static sp_status begin(sp_movie *movie, int64_t channels, int64_t height, int64_t width)
{
    int64_t side = height > width ? height : width;
    if (movie->scale == 0) movie->scale = side < SEEN_WELL ? SEEN_WELL / side : 1;
    movie->channels = channels;
    movie->height = height;
    movie->width = width;
    return movie->format->begin(movie);
}

static sp_status add(sp_movie *movie, sp_tensor *frame)
{
    int n = sp_ndim(frame);
    int64_t channels = n == 3 ? sp_size(frame, 0) : 1;
    if (n < 2 || n > 3 || (channels != 1 && channels != 3))
        return sp_raise(SP_ERROR_SHAPE,
                        "sp_movie_frame: a frame is (H, W), (1, H, W) or (3, H, W); this one has %d dimensions, the "
                        "first of size %lld",
                        n, (long long)(n > 0 ? sp_size(frame, 0) : 0));
    sp_status status = check_shape(movie, channels, sp_size(frame, -2), sp_size(frame, -1));
    if (status != SP_OK) return status;
    sp_tensor *bytes = sp__plot_bytes("sp_movie_frame", n == 3 ? sp_permute(frame, 1, 2, 0) : frame);
    const unsigned char *pixels = bytes ? sp_const_data(bytes) : NULL;
    if (!pixels) return sp_error_status();
    if (movie->frames == 0) status = begin(movie, channels, sp_size(frame, -2), sp_size(frame, -1));
    if (status == SP_OK) status = movie->format->frame(movie, pixels);
    /* A file in which a frame, or half of one, is missing cannot go on. */
    movie->failed = status != SP_OK;
    movie->frames += status == SP_OK;
    return status;
}

sp_status sp_movie_frame(sp_movie *movie, sp_tensor *frame)
{
    if (!movie || !frame) return sp_raise_null("sp_movie_frame", movie ? "frame" : "movie");
    if (movie->closed) return sp_raise(SP_ERROR_STATE, "sp_movie_frame: %s is closed", movie->path);
    if (movie->failed) return sp_raise(SP_ERROR_STATE, "sp_movie_frame: %s failed at a frame before", movie->path);
    sp_status status = SP_OK;
    SP_NO_GRAD {
        status = add(movie, frame);
    }
    return status;
}

void sp__movie_enlarge(const sp_movie *movie, const unsigned char *pixels, int size, unsigned char *to, int64_t height,
                       int64_t width)
{
    for (int64_t i = 0; i < height; i++) {
        int64_t row = i / movie->scale < movie->height ? i / movie->scale : movie->height - 1;
        unsigned char *line = to + i * width * size;
        if (i > 0 && i % movie->scale != 0) {
            memcpy(line, line - width * size, (size_t)(width * size));
            continue;
        }
        for (int64_t j = 0; j < width; j++) {
            int64_t column = j / movie->scale < movie->width ? j / movie->scale : movie->width - 1;
            memcpy(line + j * size, pixels + (row * movie->width + column) * size, (size_t)size);
        }
    }
}

/* ---- closing ---- */

sp_status sp_movie_close(sp_movie *movie)
{
    if (!movie) return sp_raise_null("sp_movie_close", "movie");
    if (movie->closed) return sp_raise(SP_ERROR_STATE, "sp_movie_close: %s is closed already", movie->path);
    movie->closed = true;
    sp_status status = SP_OK;
    if (movie->failed)
        status = sp_raise(SP_ERROR_STATE, "%s was not written: a frame of it failed", movie->path);
    else if (movie->frames == 0)
        status = sp_raise(SP_ERROR_STATE, "%s was not written: it has no frame", movie->path);
    else
        status = movie->format->end(movie);
    sp__process_kill(&movie->ffmpeg);
    sp__store_close(movie->store);
    movie->store = NULL;
    return status;
}
