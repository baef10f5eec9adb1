/* A small residual network (He, Zhang, Ren, Sun, arXiv:1512.03385) for images (N, 3, 32, 32). */
#include "networks.h"

typedef struct block {
    sp_module base;
    sp_module *conv1, *bn1, *conv2, *bn2, *shortcut;
} block;

static sp_tensor *block_forward(sp_module *self, sp_tensor *x)
{
    block *b = (block *)self;
    sp_tensor *y = sp_relu(sp_forward(b->bn1, sp_forward(b->conv1, x)));
    y = sp_forward(b->bn2, sp_forward(b->conv2, y));
    return sp_relu(sp_add(y, sp_forward(b->shortcut, x)));
}

static sp_module *shortcut(int in, int out, int stride)
{
    if (in == out && stride == 1) return sp_nn_identity();
    return sp_nn_sequential(sp_nn_conv2d(in, out, 1, .stride = stride, .no_bias = true), sp_nn_batch_norm2d(out));
}

static sp_module *block_new(int in, int out, int stride)
{
    block *b = sp_module_new(block, .name = "Block", .forward = block_forward);
    if (!b) return NULL;
    sp_module *self = &b->base;
    b->conv1 = sp_module_add(self, "conv1", sp_nn_conv2d(in, out, 3, .stride = stride, .padding = 1, .no_bias = true));
    b->bn1 = sp_module_add(self, "bn1", sp_nn_batch_norm2d(out));
    b->conv2 = sp_module_add(self, "conv2", sp_nn_conv2d(out, out, 3, .padding = 1, .no_bias = true));
    b->bn2 = sp_module_add(self, "bn2", sp_nn_batch_norm2d(out));
    b->shortcut = sp_module_add(self, "shortcut", shortcut(in, out, stride));
    return self;
}

sp_module *bench_resnet(void)
{
    return sp_nn_sequential(sp_nn_conv2d(3, 16, 3, .padding = 1), sp_nn_batch_norm2d(16), sp_nn_relu(),
                            block_new(16, 16, 1), block_new(16, 32, 2), block_new(32, 64, 2),
                            sp_nn_adaptive_avg_pool2d(1), sp_nn_flatten(), sp_nn_linear(64, 10));
}
