/* Where the maxima stand, as indices: i64, whatever the dtype of the images. */
#include "backends/cpu/pool/places.h"
#include "backends/cpu/reference.h"

/* x's strides are those of a contiguous plane here, so that an offset is an index. */
static void pool_indices(const sp__pool *p, int64_t first, int64_t last)
{
    for (int64_t k = first; k < last; k++) {
        const int64_t n = k / p->channels, c = k % p->channels, *s = p->y.strides;
        int64_t *y = (int64_t *)sp__operand_at(&p->y) + n * s[0] + c * s[1];
        for (int64_t i = 0; i < p->out_size[0]; i++)
            for (int64_t j = 0; j < p->out_size[1]; j++) y[i * s[2] + j * s[3]] = marked_offset(p, n, c, i, j);
    }
}

sp__pool_run *const sp__pool_i64[SP__POOL_KINDS] = {[SP__POOL_MAX_INDICES] = pool_indices};
