/* What must compile without a warning, by every compiler and in every dialect, and soon. */
#include <spusk/extend.h>
#include <spusk/spusk.h>

typedef struct thing {
    sp_module base;
    SP_OPTIONS_MEMBER(sp_optim_options, options);
    int n;
} thing;

sp_tensor *forward(sp_module *self, sp_tensor *x);
void options(sp_tensor *t, sp_list *p);
void charts(sp_series *a, sp_series *const *all);
void numbers(sp_tensor *t, sp_tensor *u);
sp_tensor *nested(sp_tensor *x);
sp_tensor *nested_options(sp_tensor *x);
sp_tensor *nested_kinds(sp_module *m, sp_tensor *x);
sp_module *nested_modules(void);

void options(sp_tensor *t, sp_list *p)
{
    int64_t n = 3;
    sp_optim_sgd(p);
    sp_optim_sgd(p, .lr = 0.1);
    sp_optim_adam(p, .lr = SP_ZERO, .betas = {0.8, 0.9}, .maximize = true);
    sp_sum_dim(t, 1, .keepdim = true);
    sp_nn_conv2d(1, n, 3, .stride_hw = {1, 2}, .padding = n);
    sp_nn_leaky_relu();
    sp_nn_leaky_relu(.negative_slope = 0.2);
    sp_zeros(SP_DIMS());
    sp_zeros(SP_DIMS(n, 2), .dtype = SP_F64);
    sp_full(SP_DIMS(2), 1.5, .dtype = SP_F64);
    sp_full(SP_DIMS(2), n);
    sp_arange(0, n, 1);
    sp_arange(0., 1., .1, .requires_grad = true);
    sp_matrix(1, 2, 3, 4);
    sp_vector(1, 2.5, (double)n);
    sp_module_new(thing, .name = "Thing", .forward = forward);
    (sp_optim_sgd)(p, NULL);
    const sp_optim_options o = {.size = sizeof o, .lr = 0.1};
    (sp_optim_sgd)(p, &o);
    const thing one = {.options = {.lr = 0.1}, .n = 1};
    (sp_optim_sgd)(p, &one.options);
}

void charts(sp_series *a, sp_series *const *all)
{
    sp_plot_lines("a.png", a);
    sp_plot_lines("a.png", a, .title = "a");
    sp_plot_lines("a.png", SP_SERIES(a, a), .log_y = true);
    sp_plot_lines("a.png", ((sp_series_list){all, 2}));
    (sp_plot_lines)("a.png", (sp_series_list){all, 2}, NULL);
}

void numbers(sp_tensor *t, sp_tensor *u)
{
    sp_tensor *(*operator)(sp_tensor *, sp_tensor *) = sp_add;
    operator(t, u);
    sp_add(t, sp_keep(u));
    sp_mul(sp_scalar(2), t);
    sp_add(t, *(u ? &u : &t));
    sp_add(t, u ? u : t);
    sp_add_(t, SP_NONE);
    sp_eq(t, sp_list_get(SP_LIST(t, u), 0));
    sp_pow(t, (sp_tensor *)NULL);
}

sp_tensor *forward(sp_module *self, sp_tensor *x)
{
    return sp_forward(self, x);
}

/* Sixteen calls in one another. */
// clang-format off
sp_tensor *nested(sp_tensor *x)
{
    return sp_add(x, sp_sub(sp_add(x, sp_sub(sp_add(x, sp_sub(sp_add(x, sp_sub(sp_add(x, sp_sub(sp_add(x, sp_sub(sp_add(x, sp_sub(sp_add(x, sp_sub(x, x)), x)), x)), x)), x)), x)), x)), x));
}

sp_tensor *nested_options(sp_tensor *x)
{
    return sp_sum_dim(sp_sum_dim(sp_sum_dim(sp_sum_dim(sp_sum_dim(sp_sum_dim(sp_sum_dim(sp_sum_dim(sp_sum_dim(sp_sum_dim(sp_sum_dim(sp_sum_dim(sp_sum_dim(sp_sum_dim(sp_sum_dim(sp_sum_dim(x, 0, .keepdim = true), 0, .keepdim = true), 0, .keepdim = true), 0, .keepdim = true), 0, .keepdim = true), 0, .keepdim = true), 0, .keepdim = true), 0, .keepdim = true), 0, .keepdim = true), 0, .keepdim = true), 0, .keepdim = true), 0, .keepdim = true), 0, .keepdim = true), 0, .keepdim = true), 0, .keepdim = true), 0, .keepdim = true);
}

sp_tensor *nested_kinds(sp_module *m, sp_tensor *x)
{
    return sp_max_pool2d(sp_forward(m, sp_softplus(sp_mul(x, sp_max_pool2d(sp_forward(m, sp_softplus(sp_mul(x, sp_max_pool2d(sp_forward(m, sp_softplus(sp_mul(x, sp_max_pool2d(sp_forward(m, sp_softplus(sp_mul(x, x), .beta = 2)), 2)), .beta = 2)), 2)), .beta = 2)), 2)), .beta = 2)), 2);
}

sp_module *nested_modules(void)
{
    return sp_nn_sequential(sp_nn_linear(3, 3), sp_nn_sequential(sp_nn_linear(3, 3), sp_nn_sequential(sp_nn_linear(3, 3), sp_nn_sequential(sp_nn_linear(3, 3), sp_nn_sequential(sp_nn_linear(3, 3), sp_nn_sequential(sp_nn_linear(3, 3), sp_nn_sequential(sp_nn_linear(3, 3), sp_nn_sequential(sp_nn_linear(3, 3), sp_nn_sequential(sp_nn_linear(3, 3), sp_nn_sequential(sp_nn_linear(3, 3), sp_nn_sequential(sp_nn_linear(3, 3), sp_nn_sequential(sp_nn_linear(3, 3), sp_nn_sequential(sp_nn_linear(3, 3), sp_nn_sequential(sp_nn_linear(3, 3), sp_nn_sequential(sp_nn_linear(3, 3), sp_nn_sequential(sp_nn_linear(3, 3), sp_nn_relu()))))))))))))))));
}
// clang-format on
