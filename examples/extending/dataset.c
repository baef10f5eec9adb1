/* A data set of one's own: a length, and a function that makes example i. */
#include "extending.h"

#include <math.h>
#include <spusk/extend.h>

typedef struct waves {
    int64_t length;
    uint64_t seed;
} waves;

static int64_t waves_length(void *self)
{
    return ((const waves *)self)->length;
}

/* Workers of a loader call it, each in its own thread and for any i: it reads `self` and changes nothing. */
static sp_example waves_get(void *self, int64_t i)
{
    const waves *w = self;
    sp_generator *generator = sp_generator_new(w->seed + (uint64_t)i);
    sp_tensor *x = sp_sub_scalar(sp_mul_scalar(sp_rand(SP_DIMS(1), .generator = generator), 2), 1);
    sp_tensor *noise = sp_mul_scalar(sp_randn(SP_DIMS(1), .generator = generator), 0.05);
    sp_tensor *y = sp_add(sp_sin(sp_mul_scalar(x, 12)), noise);
    return (sp_example){x, y};
}

static void waves_destroy(void *self)
{
    sp_free(self, sizeof(waves));
}

sp_dataset *waves_new(int64_t length, uint64_t seed)
{
    static const sp_dataset_class type = {
        .size = sizeof type, .length = waves_length, .get = waves_get, .destroy = waves_destroy};
    waves *w = sp_alloc(sizeof *w);
    if (!w) return NULL;
    *w = (waves){length, seed};
    return sp_data_new(&type, w);
}
