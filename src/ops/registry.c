/* The table of all operators, in the order of list.h. */
#include "ops/ops.h"

#define SP__OP(name) &sp__op_##name,
const sp_op *const sp__all_ops[] = {
#include "ops/list.h"
};
#undef SP__OP

const int sp__n_ops = (int)(sizeof sp__all_ops / sizeof *sp__all_ops);
