/* A user's program, built against the installed package. */
#include <spusk/spusk.h>
#include <stdio.h>

int main(void)
{
    sp_tensor *x = sp_requires_grad(sp_vector(1, 2, 3));
    sp_tensor *y = sp_sum(sp_mul(x, x));
    sp_backward(y);
    double gradient = sp_item(sp_sum(sp_grad(x)));
    printf("spusk %s: %g\n", sp_version(), gradient);
    return gradient == 12 ? sp_finish() : 1;
}
