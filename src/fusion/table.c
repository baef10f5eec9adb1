/* The one table of fusions. The first row that ends with a call's operator, fits what stands before it and takes it,
 * runs it. */
#include "fusion/fusion.h"
#include "ops/ops.h"

const sp__fusion sp__all_fusions[] = {
    {
        .n = 2,
        .ops = {&sp__op_linear, &sp__op_relu},
        .pays = sp__linear_relu_pays,
        .forward = sp__linear_relu_forward,
    },
    {
        .n = 2,
        .ops = {&sp__op_conv2d, &sp__op_relu},
        .pays = sp__conv_relu_pays,
        .forward = sp__conv_relu_forward,
        .backward = sp__conv_relu_backward,
    },
    {
        .n = 3,
        .ops = {&sp__op_conv2d, &sp__op_relu, &sp__op_max_pool2d},
        .pays = sp__conv_relu_pays,
        .forward = sp__conv_relu_pool_forward,
        .backward = sp__conv_relu_pool_backward,
        .saves = SP_SAVE_OUTPUT(0), /* what ReLU let through */
    },
    {
        .n = 2,
        .ops = {&sp__op_batch_norm, &sp__op_relu},
        .pays = sp__norm_relu_pays,
        .forward = sp__norm_relu_forward,
        .backward = sp__norm_relu_backward,
    },
    {
        .n = 3,
        .ops = {&sp__op_batch_norm, &sp__op_add, &sp__op_relu},
        .pays = sp__norm_relu_pays,
        .forward = sp__norm_add_relu_forward,
        .backward = sp__norm_add_relu_backward,
    },
    {0},
};
