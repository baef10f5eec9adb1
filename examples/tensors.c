/* Tensors and gradients: what they are, and how a gradient flows back. */
#include <spusk/spusk.h>
#include <stdio.h>

int main(void)
{
    sp_tensor *x = sp_vector(1, 2, 3);
    sp_tensor *y = sp_vector(4, 5, 6);
    sp_print(sp_add(x, y)); // tensor([5., 7., 9.])

    x = sp_requires_grad(sp_vector(1, 2, 3));
    y = sp_requires_grad(sp_vector(4, 5, 6));
    sp_tensor *z = sp_dot(x, y);
    sp_print(z);              // tensor(32., grad_fn=<DotBackward0>)
    puts(sp_grad_fn_name(z)); // DotBackward0
    sp_backward(z);
    sp_print(sp_grad(x)); // tensor([4., 5., 6.])
    sp_print(sp_grad(y)); // tensor([1., 2., 3.])
    return sp_finish();   // frees what the root scope holds; not 0 if an error was never handled
}
