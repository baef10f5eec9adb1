// A user's program in C++. A name in parentheses is the plain function behind a macro with options, which is C only.
#include <spusk/spusk.h>

#include <cstdio>

int main()
{
    sp_tensor *x = sp_requires_grad((sp_ones)(sp_dims{}, nullptr));
    sp_tensor *y = sp_add(x, x);
    (sp_backward)(y, nullptr);
    double gradient = sp_item(sp_grad(x));
    std::printf("spusk %s: %g\n", sp_version(), gradient);
    return gradient == 2 ? sp_finish() : 1;
}
