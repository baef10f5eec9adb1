// A user's program in C++, built against the installed package.
#include <spusk/spusk.hpp>

#include <cstdio>

int main()
{
    spusk::tensor x = {1, 2, 3};
    x.requires_grad();
    spusk::tensor y = sp_sum(x * x);
    y.backward();
    double gradient = sp_item(sp_sum(x.grad()));
    std::printf("spusk %s: %g\n", sp_version(), gradient);
    return gradient == 12 ? sp_finish() : 1;
}
