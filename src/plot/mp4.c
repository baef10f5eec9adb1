/* MP4 by ffmpeg, fed through a pipe; and a page that plays one.
 *
 * What all browsers play: H.264 with yuv420p, whose sides are even, and the index at the file's beginning. ffmpeg
 * writes into a file without a name that it finds as /dev/fd/3; the finished bytes then become the movie's file. */
#include "movie.h"
#include "store.h"

#include <errno.h>
#include <math.h>

enum { NUMBER = 32 };

static int64_t even(int64_t x)
{
    return x + x % 2;
}

static size_t frame_bytes(const sp_movie *movie)
{
    return (size_t)(even(movie->height * movie->scale) * even(movie->width * movie->scale) * movie->channels);
}

/* ---- frames ---- */

static sp_status start_ffmpeg(sp_movie *movie)
{
    char size[2 * NUMBER], rate[NUMBER];
    snprintf(size, sizeof size, "%lldx%lld", (long long)even(movie->width * movie->scale),
             (long long)even(movie->height * movie->scale));
    snprintf(rate, sizeof rate, "%lld/1000", (long long)llround(movie->fps * 1000));
    const char *const words[] = {
        "ffmpeg",
        "-nostdin",
        "-hide_banner",
        "-loglevel",
        "error",
        "-f",
        "rawvideo",
        "-pixel_format",
        movie->channels == 3 ? "rgb24" : "gray",
        "-video_size",
        size,
        "-framerate",
        rate,
        "-i",
        "pipe:0",
        "-vf",
        "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p",
        "-c:v",
        "libx264",
        "-crf",
        "18",
        "-colorspace",
        "bt709",
        "-color_primaries",
        "bt709",
        "-color_trc",
        "bt709",
        "-movflags",
        "+faststart",
        "-f",
        "mp4",
        "-y",
        "/dev/fd/3",
        NULL,
    };
    int error = sp__process_start(&movie->ffmpeg, words, true, &movie->store, 1);
    if (error == ENOENT)
        return sp_raise(SP_ERROR_NOT_FOUND, "%s was not written: ffmpeg is not installed; a .gif needs none",
                        movie->path);
    if (error != 0) return sp_raise(SP_ERROR_IO, "cannot run ffmpeg: %s", strerror(error));
    return SP_OK;
}

static sp_status begin(sp_movie *movie)
{
    movie->store = sp__store_new(movie->path);
    return movie->store ? start_ffmpeg(movie) : sp_error_status();
}

/* Ends ffmpeg; its own words are the error. */
static sp_status end_ffmpeg(sp_movie *movie, int error)
{
    char words[400];
    int status = sp__process_end(&movie->ffmpeg, words, sizeof words);
    if (status == 0 && error == 0) return SP_OK;
    return sp_raise(SP_ERROR_IO, "%s was not written: ffmpeg failed (status %d): %s", movie->path, status,
                    *words  ? words
                    : error ? strerror(error)
                            : "it does not say why");
}

static sp_status feed_frame(sp_movie *movie, const unsigned char *pixels)
{
    size_t bytes = frame_bytes(movie);
    unsigned char *picture = sp_alloc(bytes);
    if (!picture) return sp_error_status();
    sp__movie_enlarge(movie, pixels, (int)movie->channels, picture, even(movie->height * movie->scale),
                      even(movie->width * movie->scale));
    int error = sp__process_write(&movie->ffmpeg, picture, bytes);
    sp_free(picture, bytes);
    return error ? end_ffmpeg(movie, error) : SP_OK;
}

/* ---- the end ---- */

static sp_status end_with(sp_movie *movie, sp_status (*save)(const sp_movie *, const unsigned char *, size_t))
{
    size_t bytes = 0;
    sp_status status = end_ffmpeg(movie, 0);
    if (status != SP_OK) return status;
    unsigned char *file = sp__store_take(movie->store, movie->path, &bytes);
    if (!file) return sp_error_status();
    if (bytes == 0) status = sp_raise(SP_ERROR_IO, "%s: ffmpeg ran, but wrote nothing", movie->path);
    if (status == SP_OK) status = save(movie, file, bytes);
    sp_free(file, bytes + 1);
    return status;
}

static sp_status save_file(const sp_movie *movie, const unsigned char *file, size_t bytes)
{
    return sp_save_bytes(file, bytes, movie->path);
}

static sp_status end_mp4(sp_movie *movie)
{
    return end_with(movie, save_file);
}

/* ---- the page ---- */

static size_t encode_base64(const unsigned char *from, size_t bytes, char *to)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *at = to;
    for (size_t i = 0; i < bytes; i += 3) {
        unsigned second = i + 1 < bytes ? from[i + 1] : 0, third = i + 2 < bytes ? from[i + 2] : 0;
        unsigned all = (unsigned)from[i] << 16 | second << 8 | third;
        *at++ = letters[all >> 18];
        *at++ = letters[all >> 12 & 63];
        *at++ = i + 1 < bytes ? letters[all >> 6 & 63] : '=';
        *at++ = i + 2 < bytes ? letters[all & 63] : '=';
    }
    return (size_t)(at - to);
}

/* Text without its end; returns its length. */
static size_t put(char *to, const char *text)
{
    size_t n = 0;
    for (; text[n]; n++) to[n] = text[n];
    return n;
}

/* Text between tags. */
static size_t put_escaped(char *to, const char *text)
{
    char *at = to;
    for (; *text; text++) {
        const char letter[] = {*text, '\0'};
        at += put(at, *text == '<' ? "&lt;" : *text == '>' ? "&gt;" : *text == '&' ? "&amp;" : letter);
    }
    return (size_t)(at - to);
}

static sp_status save_page(const sp_movie *movie, const unsigned char *file, size_t bytes)
{
    static const char
        head[] = "<!DOCTYPE html>\n<html>\n<meta charset=\"utf-8\">\n<title>",
        after_title[] =
            "</title>\n"
            "<style>body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: #f4f4f4 }\n"
            "video { max-width: 96vw; max-height: 96vh; image-rendering: pixelated }</style>\n"
            "<video autoplay muted playsinline controls",
        loop[] = " loop", source[] = " src=\"data:video/mp4;base64,", tail[] = "\"></video>\n</html>\n";
    size_t room = bytes / 3 * 4 + 4 + 5 * strlen(movie->title) + sizeof head + sizeof after_title + sizeof loop +
                  sizeof source + sizeof tail;
    char *page = sp_alloc(room), *at = page;
    if (!page) return sp_error_status();
    at += put(at, head);
    at += put_escaped(at, movie->title);
    at += put(at, after_title);
    if (!movie->once) at += put(at, loop);
    at += put(at, source);
    at += encode_base64(file, bytes, at);
    at += put(at, tail);
    sp_status status = sp_save_bytes(page, (size_t)(at - page), movie->path);
    sp_free(page, room);
    return status;
}

static sp_status end_html(sp_movie *movie)
{
    return end_with(movie, save_page);
}

const sp__movie_format sp__movie_mp4 = {".mp4", "an MP4", 240, NULL, begin, feed_frame, end_mp4};
const sp__movie_format sp__movie_html = {".html", "a page", 240, NULL, begin, feed_frame, end_html};
