/* Why a network needs something between its layers: two Linears without an activation are one.
 *
 *     W₂(W₁x + b₁) + b₂ = (W₂W₁)x + (W₂b₁ + b₂) */
#include <spusk/spusk.h>
#include <stdio.h>

/* The one Linear that does what two do. */
static sp_module *fold(sp_module *first, sp_module *second)
{
    sp_tensor *W1 = sp_module_get(first, "weight"), *b1 = sp_module_get(first, "bias");
    sp_tensor *W2 = sp_module_get(second, "weight"), *b2 = sp_module_get(second, "bias");
    sp_module *one = sp_nn_linear(sp_size(W1, 1), sp_size(W2, 0));
    SP_NO_GRAD {
        sp_copy_(sp_module_get(one, "weight"), sp_matmul(W2, W1));
        sp_copy_(sp_module_get(one, "bias"), sp_add(sp_matmul(W2, b1), b2));
    }
    return one;
}

static double largest_difference(sp_tensor *a, sp_tensor *b)
{
    return sp_item(sp_amax(sp_abs(sp_sub(a, b))));
}

int main(void)
{
    sp_tensor *x = sp_rand(SP_DIMS(1000, 784));
    sp_module *first = sp_nn_linear(784, 256), *second = sp_nn_linear(256, 10);
    sp_module *two = sp_nn_sequential(first, second);
    sp_module *one = fold(first, second);

    printf("two Linears: %lld numbers; one: %lld\n", (long long)sp_module_num_parameters(two),
           (long long)sp_module_num_parameters(one));
    printf("the outputs differ by at most %.1e\n", largest_difference(sp_forward(two, x), sp_forward(one, x)));

    sp_tensor *with_relu = sp_forward(second, sp_relu(sp_forward(first, x)));
    printf("with a ReLU between the two, by %.2f: no single Linear does that\n",
           largest_difference(with_relu, sp_forward(one, x)));
    return sp_finish();
}
