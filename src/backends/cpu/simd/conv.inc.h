/* Convolution of one type, in the order in which the parts need each other. T: the element. I: the integer of its size.
 * FN(name): a function's name. */
#include "conv_tile.inc.h"

#include "conv_tail.inc.h"

#include "conv_gather.inc.h"

#include "conv_gathers.inc.h"

#include "conv_weight.inc.h"

#include "conv_sparse.inc.h"

static sp_status FN(run_conv)(const sp__conv *call)
{
    if (call->kind == SP__CONV_FORWARD) return FN(run_gathers)(call);
    if (call->tail && FN(is_sparse)(call)) return FN(run_sparse)(call);
    if (call->kind == SP__CONV_BACKWARD_WEIGHT) return FN(run_weights)(call);
    return call->tail ? FN(run_expanded)(call) : FN(run_gathers)(call);
}

sp_status SP__HERE(FN(sp__conv))(const sp__conv *call)
{
    return sp__conv_arranged(call, call->dtype, FN(run_conv));
}
