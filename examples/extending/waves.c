/* A network with an operator of one's own learns a data set of one's own by an optimiser of one's own. */
#include "extending.h"

#include <stdio.h>

typedef struct wave_net {
    sp_module base;
    sp_module *first, *last;
} wave_net;

static sp_tensor *wave_net_forward(sp_module *self, sp_tensor *x)
{
    wave_net *net = (wave_net *)self;
    return sp_forward(net->last, snake(sp_forward(net->first, x), 5));
}

static sp_module *wave_net_new(void)
{
    wave_net *net = sp_module_new(wave_net, .name = "WaveNet", .forward = wave_net_forward);
    if (!net) return NULL;
    net->first = sp_module_add(&net->base, "first", sp_nn_linear(1, 64));
    net->last = sp_module_add(&net->base, "last", sp_nn_linear(64, 1));
    return &net->base;
}

static sp_tensor *snake_5(sp_tensor *const *inputs, void *user)
{
    (void)user;
    return snake(inputs[0], 5);
}

int main(void)
{
    sp_manual_seed(0);
    sp_tensor *point = sp_requires_grad(sp_randn(SP_DIMS(3, 4), .dtype = SP_F64));
    printf("the gradient of snake is %s\n", sp_gradcheck(snake_5, SP_LIST(point), NULL) ? "right" : "wrong");

    sp_loader *loader = sp_data_loader(waves_new(2000, 1), .batch_size = 50, .shuffle = true, .num_workers = 2);
    sp_module *model = wave_net_new();
    lion *optimizer = lion_new(sp_parameters(model), 3e-3, 0);
    for (int epoch = 0; epoch < 20; epoch++) {
        double sum = 0;
        sp_foreach_batch (batch, loader) {
            sp_module_zero_grad(model);
            sp_tensor *loss = sp_mse_loss(sp_forward(model, batch.x), batch.y);
            sp_backward(loss);
            lion_step(optimizer);
            sum += sp_item(loss);
        }
        if (epoch == 0 || epoch == 19) printf("epoch %2d: loss %.4f\n", epoch, sum / (double)sp_loader_length(loader));
    }
    return sp_finish();
}
