/* The loops of convolution in bf16, where the level has tiles or an instruction for pairs. Elsewhere, and for what these
 * do not take, the loops of f32 read and write bf16. */
#if defined(__AMX_BF16__)
#include "numbers_pairs.h"

#include "tiles_expand.h"

sp__conv_run *const SP__HERE(sp__conv_bf16)[SP__CONV_LOOPS] = {
    [SP__CONV_TILES] = run_tiles,
    [SP__CONV_TILES_WEIGHT] = run_tiles_weight,
    [SP__CONV_TILES_EXPANDED] = run_tiles_expanded,
};
#elif defined(__AVX512BF16__)
#include "numbers_pairs.h"

#include "direct.h"
#include "pairs.h"

sp__conv_run *const SP__HERE(sp__conv_bf16)[SP__CONV_LOOPS] = {
    [SP__CONV_DIRECT] = run_direct,
    [SP__CONV_WEIGHT] = run_weight_pairs,
    [SP__CONV_PRODUCT] = sp__conv_product,
};
#else
#include "backends/cpu/common/simd.h"
#include "backends/cpu/conv/conv.h"

sp__conv_run *const SP__HERE(sp__conv_bf16)[SP__CONV_LOOPS] = {[SP__CONV_PRODUCT] = sp__conv_product};
#endif
