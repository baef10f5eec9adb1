/* Data sets of images in bytes. A batch is converted straight from the bytes by a table of the 256 values that a pixel
 * can have, so that a loader costs little beside a training step. */
#include "data_private.h"

int64_t sp__images_length(const sp_dataset *dataset)
{
    return ((const sp__images *)dataset)->length;
}

/* ---- conversion ---- */

/* The whole table goes through the transform itself, so that both ways give the same bits. */
static sp_status transform_table(sp__images *images, sp_transform *transform)
{
    sp_scope scope = sp_scope_open_no_grad();
    sp_tensor *x = sp_from_data(images->table, SP_DIMS(1, 16, 16));
    x = sp_transform_apply(transform, x, sp_default_generator());
    sp_status status = x ? sp_copy_out(images->table, x, sizeof images->table) : sp_error_status();
    sp_scope_close(&scope);
    return status;
}

sp_status sp__images_set_transform(sp__images *images, sp_transform *transform)
{
    for (int byte = 0; byte < 256; byte++) images->table[byte] = (float)byte / 255.0F;
    if (!transform) return SP_OK;
    sp_status status = sp__transform_check(transform, images->base.description);
    if (status) return status;
    if (sp__transform_is_elementwise(transform)) return transform_table(images, transform);
    images->transform = sp_retain(transform);
    return SP_OK;
}

static void convert(const float table[256], const uint8_t *restrict from, float *restrict to)
{
    for (int i = 0; i < SP__PIXELS; i++) to[i] = table[from[i]];
}

/* ---- examples ---- */

sp_example sp__images_get(sp_dataset *dataset, int64_t i)
{
    sp__images *images = (sp__images *)dataset;
    uint8_t scratch[SP__PIXELS];
    int64_t label = 0;
    const uint8_t *pixels = images->image(images, i, scratch, &label);
    sp_tensor *y = sp_scalar_i64(label);
    sp_tensor *x = sp_empty(SP_DIMS(1, SP__SIDE, SP__SIDE));
    if (x) convert(images->table, pixels, sp_data(x));
    if (x) sp_data_end(x);
    if (x && images->transform) x = sp_transform_apply(images->transform, x, sp_default_generator());
    return x && y ? (sp_example){x, y} : (sp_example){NULL, NULL};
}

/* The bytes of the next image may lie anywhere in memory. They are asked for early, so that they arrive while this
 * image is converted. */
static void prefetch(const uint8_t *pixels)
{
#ifdef __GNUC__
    for (int i = 0; i < SP__PIXELS; i += 64) __builtin_prefetch(pixels + i);
#else
    (void)pixels;
#endif
}

static void fill(sp__images *images, const int64_t *index, int64_t n, float *x, int64_t *y)
{
    uint8_t scratch[2][SP__PIXELS];
    const uint8_t *pixels = images->image(images, index[0], scratch[0], &y[0]);
    for (int64_t i = 0; i < n; i++) {
        const uint8_t *next = NULL;
        if (i + 1 < n) {
            next = images->image(images, index[i + 1], scratch[(i + 1) % 2], &y[i + 1]);
            prefetch(next);
        }
        convert(images->table, pixels, x + i * SP__PIXELS);
        pixels = next;
    }
}

sp_example sp__images_batch(sp_dataset *dataset, const int64_t *index, int64_t n, const sp__draws *draws)
{
    sp__images *images = (sp__images *)dataset;
    if (images->transform) return sp__data_collate(dataset, index, n, draws);
    sp_tensor *x = sp_empty(SP_DIMS(n, 1, SP__SIDE, SP__SIDE));
    sp_tensor *y = x ? sp_empty(SP_DIMS(n), .dtype = SP_I64) : NULL;
    if (!y) {
        sp_release(x);
        return (sp_example){NULL, NULL};
    }
    fill(images, index, n, sp_data(x), sp_data(y));
    sp_data_end(x);
    return (sp_example){x, y};
}
