/* The functions of the table of fusions, each in the file of its name. */
#ifndef SPUSK_FUSION_H
#define SPUSK_FUSION_H

#include "autograd/fusion.h"

/* linear → relu */
bool sp__linear_relu_pays(const sp_call *linear);
sp_status sp__linear_relu_forward(const sp_call *calls, bool *taken);

/* conv2d → relu, and what begins with it */
bool sp__conv_relu_pays(const sp_call *conv);
sp_status sp__conv_relu_forward(const sp_call *calls, bool *taken);
sp_status sp__conv_relu_backward(sp_grad_call *calls, bool *taken);

/* conv2d → relu → max_pool2d */
sp_status sp__conv_relu_pool_forward(const sp_call *calls, bool *taken);
sp_status sp__conv_relu_pool_backward(sp_grad_call *calls, bool *taken);

/* batch_norm → relu, and with an addition between them */
bool sp__norm_relu_pays(const sp_call *norm);
sp_status sp__norm_relu_forward(const sp_call *calls, bool *taken);
sp_status sp__norm_relu_backward(sp_grad_call *calls, bool *taken);
sp_status sp__norm_add_relu_forward(const sp_call *calls, bool *taken);
sp_status sp__norm_add_relu_backward(sp_grad_call *calls, bool *taken);

#endif
