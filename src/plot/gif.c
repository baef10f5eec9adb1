/* GIF by cgif. The palette is chosen when all frames are known, so the frames wait in a file without a name. */
#include "movie.h"
#include "palette.h"
#include "store.h"

#if SP_HAVE_CGIF

#include <cgif.h>
#include <errno.h>
#include <math.h>

static sp_status begin(sp_movie *movie)
{
    movie->store = sp__store_new(movie->path);
    return movie->store ? SP_OK : sp_error_status();
}

static size_t frame_bytes(const sp_movie *movie)
{
    return (size_t)(movie->channels * movie->height * movie->width);
}

static sp_status store_frame(sp_movie *movie, const unsigned char *pixels)
{
    sp__signals signals;
    sp__signals_hold(&signals);
    bool stored = fwrite(pixels, 1, frame_bytes(movie), movie->store) == frame_bytes(movie) &&
                  fflush(movie->store) == 0;
    int error = errno;
    sp__signals_release(&signals);
    if (stored) return SP_OK;
    return sp_raise(SP_ERROR_IO, "%s: frames cannot be stored: %s", movie->path, strerror(error));
}

/* ---- writing ---- */

/* The file as it grows, and what is needed to make it. */
typedef struct gif {
    sp_movie *movie;
    CGIF *encoder;
    sp__palette *palette;
    unsigned char *frame;             /* as it came */
    unsigned char *indices, *picture; /* of the palette; enlarged */
    int64_t height, width;            /* of the picture */
    unsigned char *bytes;             /* the file */
    size_t used, capacity;
} gif;

static int append(void *context, const uint8_t *data, size_t n)
{
    gif *g = context;
    if (sp_reserve(&g->bytes, &g->capacity, g->used + n, 1) != SP_OK) return -1;
    memcpy(g->bytes + g->used, data, n);
    g->used += n;
    return 0;
}

static sp_status fail(const gif *g, const char *what)
{
    /* Our own error is the first cause, where there is one. */
    if (sp_error_status() != SP_OK) return sp_error_status();
    return sp_raise(SP_ERROR_IO, "%s: cgif cannot %s", g->movie->path, what);
}

static sp_status read_frame(const gif *g)
{
    if (fread(g->frame, 1, frame_bytes(g->movie), g->movie->store) == frame_bytes(g->movie)) return SP_OK;
    return sp_raise(SP_ERROR_IO, "%s: stored frames cannot be read", g->movie->path);
}

static sp_status choose_palette(const gif *g)
{
    sp_status status = SP_OK;
    rewind(g->movie->store);
    sp__palette_init(g->palette);
    for (int64_t i = 0; i < g->movie->frames && status == SP_OK; i++) {
        status = read_frame(g);
        if (status == SP_OK)
            sp__palette_see(g->palette, g->frame, g->movie->height * g->movie->width, g->movie->channels);
    }
    return status == SP_OK ? sp__palette_choose(g->palette) : status;
}

/* The delay of a frame in hundredths of a second, rounded so that the sum of all delays follows the true one. */
static uint16_t delay_of(const sp_movie *movie, int64_t frame)
{
    double from = round((double)frame * 100 / movie->fps), to = round((double)(frame + 1) * 100 / movie->fps);
    return (uint16_t)(to - from);
}

static sp_status write_frame(const gif *g, int64_t index)
{
    const sp_movie *movie = g->movie;
    sp_status status = read_frame(g);
    if (status != SP_OK) return status;
    sp__palette_index(g->palette, g->frame, movie->height * movie->width, movie->channels, g->indices);
    sp__movie_enlarge(movie, g->indices, 1, g->picture, g->height, g->width);
    CGIF_FrameConfig frame = {
        .pImageData = g->picture,
        .genFlags = CGIF_FRAME_GEN_USE_DIFF_WINDOW | CGIF_FRAME_GEN_USE_TRANSPARENCY,
        .delay = delay_of(movie, index),
    };
    return cgif_addframe(g->encoder, &frame) == CGIF_OK ? SP_OK : fail(g, "encode a frame");
}

static sp_status encode(gif *g)
{
    CGIF_Config about = {
        .pGlobalPalette = g->palette->colours[0],
        .numGlobalPaletteEntries = (uint16_t)g->palette->n,
        .attrFlags = CGIF_ATTR_IS_ANIMATED | (g->movie->once ? CGIF_ATTR_NO_LOOP : 0),
        .width = (uint16_t)g->width,
        .height = (uint16_t)g->height,
        .numLoops = CGIF_INFINITE_LOOP,
        .pWriteFn = append,
        .pContext = g,
    };
    g->encoder = cgif_newgif(&about);
    if (!g->encoder) return fail(g, "begin");
    sp_status status = SP_OK;
    rewind(g->movie->store);
    for (int64_t i = 0; i < g->movie->frames && status == SP_OK; i++) status = write_frame(g, i);
    bool ended = cgif_close(g->encoder) == CGIF_OK;
    return status != SP_OK || ended ? status : fail(g, "end the file");
}

static sp_status end(sp_movie *movie)
{
    gif g = {.movie = movie, .height = movie->height * movie->scale, .width = movie->width * movie->scale};
    size_t pixels = (size_t)(movie->height * movie->width), enlarged = (size_t)(g.height * g.width);
    g.palette = sp_alloc(sizeof *g.palette);
    g.frame = sp_alloc(frame_bytes(movie));
    g.indices = sp_alloc(pixels);
    g.picture = sp_alloc(enlarged);
    sp_status status = g.palette && g.frame && g.indices && g.picture ? SP_OK : sp_error_status();
    if (status == SP_OK) status = choose_palette(&g);
    if (status == SP_OK) status = encode(&g);
    if (status == SP_OK) status = sp_save_bytes(g.bytes, g.used, movie->path);
    sp_free(g.palette, sizeof *g.palette);
    sp_free(g.frame, frame_bytes(movie));
    sp_free(g.indices, pixels);
    sp_free(g.picture, enlarged);
    sp_free(g.bytes, g.capacity);
    return status;
}

const sp__movie_format sp__movie_gif = {".gif", "a GIF", 50, NULL, begin, store_frame, end};

#else

static sp_status check(void)
{
    return sp_raise(SP_ERROR_UNSUPPORTED,
                    "this build has no cgif, so it cannot write a GIF; .mp4 and .html need ffmpeg");
}

const sp__movie_format sp__movie_gif = {.ending = ".gif", .name = "a GIF", .max_fps = 50, .check = check};

#endif
