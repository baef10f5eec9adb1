// A user's program in C++. Options are left out, or given by a pointer.
#include <spusk/spusk.h>

#include <cstdio>

int main()
{
    sp_tensor *x = sp_requires_grad(sp_ones(SP_DIMS()));
    sp_tensor *y = sp_add(x, x);
    sp_backward(y);
    double gradient = sp_item(sp_grad(x));
    std::printf("spusk %s: %g\n", sp_version(), gradient);
    return gradient == 2 ? sp_finish() : 1;
}
