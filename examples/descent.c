/* Going downhill: the minimum of a quadratic, and a line through points, each by its formula and by descent until the
 * gradient is as good as zero. */
#include <math.h>
#include <spusk/spusk.h>
#include <stdio.h>

/* f(p) = (p₀ - 3)² + 10·(p₁ + 1)², least at (3, -1). */
static sp_tensor *quadratic(sp_tensor *p)
{
    sp_tensor *target = sp_from_data(((const double[]){3, -1}), SP_DIMS(2), .dtype = SP_F64);
    sp_tensor *weight = sp_from_data(((const double[]){1, 10}), SP_DIMS(2), .dtype = SP_F64);
    return sp_sum(sp_mul(weight, sp_square(sp_sub(p, target))));
}

static int descend_quadratic(sp_tensor *p)
{
    sp_optimizer *optimizer = sp_optim_sgd(SP_LIST(p), .lr = 0.04);
    double norm = INFINITY;
    int steps = 0;
    for (; norm > 1e-9 && steps < 10000; steps++)
        SP_SCOPE {
            sp_zero_grad(optimizer);
            sp_backward(quadratic(p));
            norm = sp_item(sp_norm(sp_grad(p)));
            sp_step(optimizer);
        }
    return steps;
}

/* The least squares line through (x, y): slope = Σ(x - x̄)(y - ȳ) / Σ(x - x̄)², intercept = ȳ - slope·x̄. */
static void fit_by_formula(sp_tensor *x, sp_tensor *y)
{
    sp_tensor *dx = sp_sub(x, sp_mean(x)), *dy = sp_sub(y, sp_mean(y));
    double slope = sp_item(sp_dot(dx, dy)) / sp_item(sp_dot(dx, dx));
    printf("formula: y = %.6f x + %.6f\n", slope, sp_item(sp_mean(y)) - slope * sp_item(sp_mean(x)));
}

static void fit_by_descent(sp_tensor *x, sp_tensor *y)
{
    sp_module *line = sp_nn_linear(1, 1, .dtype = SP_F64);
    sp_module *criterion = sp_nn_mse_loss();
    sp_list *parameters = sp_parameters(line);
    sp_optimizer *optimizer = sp_optim_sgd(parameters, .lr = 0.1, .momentum = 0.9);
    sp_tensor *inputs = sp_unsqueeze(x, 1), *targets = sp_unsqueeze(y, 1);
    double norm = INFINITY;
    int steps = 0;
    for (; norm > 1e-9 && steps < 10000; steps++)
        SP_SCOPE {
            sp_zero_grad(optimizer);
            sp_tensor *output = sp_forward(line, inputs);
            sp_tensor *loss = sp_forward(criterion, output, targets);
            sp_backward(loss);
            norm = hypot(sp_item(sp_grad(sp_list_get(parameters, 0))), sp_item(sp_grad(sp_list_get(parameters, 1))));
            sp_step(optimizer);
        }
    printf("descent: y = %.6f x + %.6f after %d steps\n", sp_item(sp_module_get(line, "weight")),
           sp_item(sp_module_get(line, "bias")), steps);
}

int main(void)
{
    sp_tensor *p = sp_zeros(SP_DIMS(2), .dtype = SP_F64, .requires_grad = true);
    int steps = descend_quadratic(p);
    printf("quadratic: least at (3, -1) by its formula, at (%.6f, %.6f) after %d steps\n", sp_item(sp_select(p, 0, 0)),
           sp_item(sp_select(p, 0, 1)), steps);

    sp_manual_seed(1);
    sp_tensor *x = sp_linspace(-1, 1, 100, .dtype = SP_F64);
    sp_tensor *noise = sp_mul_scalar(sp_randn(SP_DIMS(100), .dtype = SP_F64), 0.1);
    sp_tensor *y = sp_add(sp_add_scalar(sp_mul_scalar(x, 2), 0.5), noise); // y = 2x + 0.5, nearly
    fit_by_formula(x, y);
    fit_by_descent(x, y);
    return sp_finish();
}
