/* The loops of convolution in f64. */
#include "numbers_f64.h"

#include "channel.h"
#include "channel_weight.h"
#include "direct.h"
#include "expand.h"
#include "weight.h"

sp__conv_run *const SP__HERE(sp__conv_f64)[SP__CONV_LOOPS] = {
    [SP__CONV_DIRECT] = run_direct,     [SP__CONV_CHANNEL] = run_channels, [SP__CONV_CHANNEL_WEIGHT] = run_channel_sums,
    [SP__CONV_EXPANDED] = run_expanded, [SP__CONV_WEIGHT] = run_weight,    [SP__CONV_TWO_PASSES] = sp__conv_two_passes,
};
