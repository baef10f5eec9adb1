/* The loops of convolution in f32. */
#include "numbers_f32.h"

#include "channel.h"
#include "channel_weight.h"
#include "direct.h"
#include "expand.h"
#include "sparse.h"
#include "weight.h"
#include "winograd_data.h"
#include "winograd_weight.h"

sp__conv_run *const SP__HERE(sp__conv_f32)[SP__CONV_LOOPS] = {
    [SP__CONV_WINOGRAD] = run_winograd,
    [SP__CONV_DIRECT] = run_direct,
    [SP__CONV_SPARSE] = run_sparse,
    [SP__CONV_EXPANDED] = run_expanded,
    [SP__CONV_WEIGHT] = run_weight,
    [SP__CONV_TWO_PASSES] = sp__conv_two_passes,
    [SP__CONV_WINOGRAD_WEIGHT] = run_winograd_weight,
    [SP__CONV_CHANNEL] = run_channels,
    [SP__CONV_CHANNEL_WEIGHT] = run_channel_sums,
    [SP__CONV_PRODUCT] = sp__conv_product,
    [SP__CONV_BY_GROUP] = sp__conv_by_group,
};
