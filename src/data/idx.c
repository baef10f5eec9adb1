/* IDX, MNIST's file format: two zeros, the element type, the number of dimensions, each dimension as a big-endian
 * 32-bit number, then the elements. A file is believed in nothing before it is checked. */
#include "data_private.h"
#include "files.h"

enum { UNSIGNED_BYTES = 0x08, MOST_DIMS = 3 };
/* gzip gains at most 1 : 1032. For a file that was made to waste time and memory even that is too much, so a packed
 * file may have no more examples than the largest data set of MNIST's kind. */
enum { MOST_PACKED = 1032, MOST_PACKED_EXAMPLES = 1000000 };

static const char *type_name(unsigned code)
{
    switch (code) {
    case 0x08: return "unsigned bytes";
    case 0x09: return "signed bytes";
    case 0x0B: return "16-bit integers";
    case 0x0C: return "32-bit integers";
    case 0x0D: return "32-bit floats";
    case 0x0E: return "64-bit floats";
    default: return "an unknown type";
    }
}

static sp_status read_exactly(sp__stream *stream, void *to, int64_t n, const char *what)
{
    int64_t got = sp__stream_read(stream, to, n);
    if (got < 0) return sp_error_status();
    if (got == n) return SP_OK;
    return sp_raise(SP_ERROR_FORMAT, "%s: the file is cut short: its %s ends after %lld of %lld bytes", stream->path,
                    what, (long long)got, (long long)n);
}

static sp_status check_magic(const sp__stream *stream, const uint8_t m[4], int ndim)
{
    if (m[0] || m[1]) {
        return sp_raise(SP_ERROR_FORMAT, "%s: not an IDX file: it begins with %02x %02x %02x %02x, not with 00 00",
                        stream->path, m[0], m[1], m[2], m[3]);
    }
    if (m[2] != UNSIGNED_BYTES) {
        return sp_raise(SP_ERROR_FORMAT, "%s: holds %s (type %02x), not unsigned bytes (08)", stream->path,
                        type_name(m[2]), m[2]);
    }
    if (m[3] == ndim) return SP_OK;
    return sp_raise(SP_ERROR_FORMAT, "%s: has %d dimensions, and %s have %d", stream->path, m[3],
                    ndim == 1 ? "labels" : "images", ndim);
}

/* The count must fit the file before it decides how much memory is asked for. */
static sp_status check_count(const sp__stream *stream, int64_t head, int64_t bytes, int64_t count)
{
    if (!count) return sp_raise(SP_ERROR_FORMAT, "%s: holds no examples", stream->path);
    int64_t there = stream->file_size, wanted = head + bytes;
    if (stream->gzip && count > MOST_PACKED_EXAMPLES)
        return sp_raise(SP_ERROR_FORMAT, "%s: its head says %lld examples, more than %d (packed): unpack it first",
                        stream->path, (long long)count, MOST_PACKED_EXAMPLES);
    bool fits = stream->gzip ? wanted <= there * MOST_PACKED : wanted == there;
    if (fits) return SP_OK;
    return sp_raise(SP_ERROR_FORMAT, "%s: its head says %lld examples, that is %lld bytes, but the file has %lld%s",
                    stream->path, (long long)count, (long long)wanted, (long long)there,
                    stream->gzip ? " (packed)" : "");
}

static sp_status read_head(sp__stream *stream, int ndim, int64_t sizes[MOST_DIMS])
{
    uint8_t magic[4], numbers[4 * MOST_DIMS];
    sp_status status = read_exactly(stream, magic, 4, "head");
    if (!status) status = check_magic(stream, magic, ndim);
    if (!status) status = read_exactly(stream, numbers, 4 * (int64_t)ndim, "head");
    if (status) return status;
    for (int d = 0; d < ndim; d++) {
        const uint8_t *n = &numbers[4 * d];
        sizes[d] = (int64_t)n[0] << 24 | (int64_t)n[1] << 16 | (int64_t)n[2] << 8 | n[3];
    }
    if (ndim > 1 && (sizes[1] != SP__SIDE || sizes[2] != SP__SIDE)) {
        return sp_raise(SP_ERROR_FORMAT, "%s: its images are %lld×%lld, not 28×28", stream->path, (long long)sizes[1],
                        (long long)sizes[2]);
    }
    int64_t each = ndim > 1 ? SP__PIXELS : 1;
    return check_count(stream, 4 + 4 * (int64_t)ndim, sizes[0] * each, sizes[0]);
}

/* Reading on at the end also makes zlib compare the checksum. */
static sp_status check_end(sp__stream *stream)
{
    char more;
    int64_t got = sp__stream_read(stream, &more, 1);
    if (got == 0) return SP_OK;
    return got < 0
               ? sp_error_status()
               : sp_raise(SP_ERROR_FORMAT, "%s: goes on after the last example that its head announces", stream->path);
}

static sp_tensor *read_body(sp__stream *stream, int ndim)
{
    int64_t sizes[MOST_DIMS];
    if (read_head(stream, ndim, sizes)) return NULL;
    sp_tensor *x = sp_empty(((sp_dims){sizes, ndim}), .dtype = SP_U8);
    if (!x) return NULL;
    if (!read_exactly(stream, sp_data(x), sp_numel(x), "body") && !check_end(stream)) return x;
    sp_release(x);
    return NULL;
}

static sp_tensor *read_idx(const char *path, int ndim)
{
    sp__stream stream;
    if (sp__stream_open(&stream, path)) return NULL;
    sp_tensor *x = read_body(&stream, ndim);
    sp__stream_close(&stream);
    return x;
}

sp_tensor *sp__idx_images(const char *path)
{
    return read_idx(path, 3);
}

sp_tensor *sp__idx_labels(const char *path)
{
    sp_tensor *labels = read_idx(path, 1);
    const uint8_t *values = labels ? sp_const_data(labels) : NULL;
    for (int64_t i = 0, n = sp_numel(labels); values && i < n; i++) {
        if (values[i] < SP__IMAGE_CLASSES) continue;
        sp_raise(SP_ERROR_FORMAT, "%s: label %lld is %d, and must be 0 … 9", path, (long long)i, values[i]);
        sp_release(labels);
        return NULL;
    }
    return labels;
}

/* The head is made again from the sizes, so that the file is read only once. */
sp__match sp__idx_compare(const sp_tensor *x, const char *content)
{
    uint8_t head[4 + 4 * MOST_DIMS] = {0, 0, UNSIGNED_BYTES, (uint8_t)sp_ndim(x)};
    char text[SP__SHA256_TEXT];
    sp__sha256 *sum = content ? sp__sha256_new() : NULL;
    if (!sum) return SP__UNCHECKED;
    for (int d = 0; d < sp_ndim(x); d++)
        for (int i = 0; i < 4; i++) head[4 + 4 * d + i] = (uint8_t)(sp_size(x, d) >> (24 - 8 * i));
    sp__sha256_add(sum, head, 4 + 4 * (size_t)sp_ndim(x));
    sp__sha256_add(sum, sp_const_data(x), (size_t)sp_numel(x));
    sp__sha256_end(sum, text);
    return strcmp(text, content) == 0 ? SP__SAME : SP__OTHER;
}
