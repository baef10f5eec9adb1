/* Reductions of f32 and f64 by vectors; all add in f64. */
#include "backends/cpu/simd/f32.h"
#include "backends/cpu/simd/f64.h"
#include <math.h>

typedef float narrow __attribute__((vector_size(SP__VECTOR_BYTES / 2), aligned(4), may_alias));

/* Extremes need no f64: rows of f32 are compared as they lie, four vectors at a time, the last four over again. */
#define EXTREME(name, beats)                                                                                           \
    SP__INLINE vf name##_of(vf v, vf x)                                                                                \
    {                                                                                                                  \
        return select_f32((x beats v) | (x != x), x, v); /* NaN wins */                                                \
    }                                                                                                                  \
    static sp__fold_run name##_f32;                                                                                    \
    static void name##_rows(sp__cell *cells, const sp__fold_block *b)                                                  \
    {                                                                                                                  \
        enum { LANES = LANES_f32, STEP = 4 * LANES };                                                                  \
        if (b->stride_reduced != sizeof(float) || b->n_reduced < STEP) {                                               \
            name##_f32(cells, b);                                                                                      \
            return;                                                                                                    \
        }                                                                                                              \
        for (int64_t j = 0; j < b->n_kept; j++) {                                                                      \
            const float *in = (const float *)(const void *)(b->in + j * b->stride_kept);                               \
            vf best[4];                                                                                                \
            for (int k = 0; k < 4; k++) best[k] = load_f32(in + k * LANES, LANES);                                     \
            for (int64_t i = STEP; i < b->n_reduced; i += STEP) {                                                      \
                const float *at = in + (i + STEP <= b->n_reduced ? i : b->n_reduced - STEP);                           \
                for (int k = 0; k < 4; k++) best[k] = name##_of(best[k], load_f32(at + k * LANES, LANES));             \
            }                                                                                                          \
            best[0] = name##_of(name##_of(best[0], best[1]), name##_of(best[2], best[3]));                             \
            for (int k = 0; k < LANES; k++) {                                                                          \
                const double x = (double)best[0][k], value = cells[j].value.f;                                         \
                if (x beats value || x != x) cells[j].value.f = x;                                                     \
            }                                                                                                          \
        }                                                                                                              \
    }
EXTREME(max, >)
EXTREME(min, <)

#define MAX_ROW max_rows
#define MIN_ROW min_rows
#define T float
#define FN(name) name##_f32
#define WIDE(p) __builtin_convertvector(*(const narrow *)(p), vd)
#define DTYPE SP_F32
#define TABLE SP__HERE(sp__fold_f32)
#include "reduce.inc.h"

#define MAX_ROW max_f64
#define MIN_ROW min_f64
#define T double
#define FN(name) name##_f64
#define WIDE(p) (*(const vd *)(p))
#define DTYPE SP_F64
#define TABLE SP__HERE(sp__fold_f64)
#include "reduce.inc.h"
