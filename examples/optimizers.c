/* Ten optimisers walk down one surface from one place; a picture of their paths, and a movie of them walking.
 *
 *     optimizers [SURFACE] [STEPS] [CLIP]   SURFACE: beale (default), rosenbrock, ravine, saddle, cliff, net, …
 *                                           CLIP: the norm that gradients are clipped to, default not at all */
#include <spusk/spusk.h>
#include <stdio.h>
#include <stdlib.h>

#define N 10

/* The walk is the lesson's loop: there is a value instead of a loss, and two numbers instead of a network's weights. */
static void walk(const sp_surface *surface, sp_list *parameters, sp_optimizer *optimizer, int steps, double clip,
                 sp_series *path)
{
    sp_tensor *p = sp_list_get(parameters, 0);
    for (int step = 0; step < steps; step++)
        SP_SCOPE {
            double at[2];
            sp_copy_out(at, p, sizeof at);
            sp_series_push_xy(path, at[0], at[1]);

            sp_zero_grad(optimizer);
            sp_tensor *value = sp_surface_value(surface, p);
            sp_backward(value);
            if (clip > 0) sp_clip_grad_norm_(parameters, clip);
            sp_step(optimizer);
        }
}

int main(int argc, char **argv)
{
    sp_surface *surface = sp_surface_by_name(argc > 1 ? argv[1] : "beale");
    const sp_surface_about *about = sp_surface_about_of(surface);
    if (!about) return sp_finish();
    int steps = argc > 2 ? atoi(argv[2]) : about->steps;
    double clip = argc > 3 ? atof(argv[3]) : 0;

    sp_list *starts[N];
    for (int i = 0; i < N; i++)
        starts[i] = SP_LIST(sp_from_data(about->start, SP_DIMS(2), .dtype = SP_F64, .requires_grad = true));

    /* Steps of the first three are as long as the gradient, those of the others about as long as their rate. */
    double lr = about->lr, width = about->x_range[1] - about->x_range[0];
    const struct {
        const char *name;
        sp_optimizer *optimizer;
    } walkers[N] = {
        {"SGD", sp_optim_sgd(starts[0], .lr = lr)},
        {"momentum", sp_optim_sgd(starts[1], .lr = 0.2 * lr, .momentum = 0.9)},
        {"Nesterov", sp_optim_sgd(starts[2], .lr = 0.2 * lr, .momentum = 0.9, .nesterov = true)},
        {"Adagrad", sp_optim_adagrad(starts[3], .lr = 0.08 * width)},
        {"Adadelta", sp_optim_adadelta(starts[4], .lr = 2 * width)},
        {"RMSprop", sp_optim_rmsprop(starts[5], .lr = 0.005 * width)},
        {"Adam", sp_optim_adam(starts[6], .lr = 0.02 * width)},
        {"AMSGrad", sp_optim_adam(starts[7], .lr = 0.02 * width, .amsgrad = true)},
        {"Adamax", sp_optim_adamax(starts[8], .lr = 0.03 * width)},
        {"NAdam", sp_optim_nadam(starts[9], .lr = 0.02 * width)},
    };

    sp_series *paths[N];
    for (int i = 0; i < N; i++) {
        sp_tensor *p = sp_list_get(starts[i], 0);
        paths[i] = sp_series_new(walkers[i].name);
        walk(surface, starts[i], walkers[i].optimizer, steps, clip, paths[i]);
        printf("%-10s ends at (%.3f, %.3f)\n", walkers[i].name, sp_item(sp_select(p, 0, 0)),
               sp_item(sp_select(p, 0, 1)));
    }

    sp_series *minima = sp_series_new("minimum");
    for (int i = 0; i < about->n_minima; i++) sp_series_push_xy(minima, about->minima[i][0], about->minima[i][1]);
    const sp_contour_options options = {
        .size = sizeof options,
        .title = about->title,
        .x_range = {about->x_range[0], about->x_range[1]},
        .y_range = {about->y_range[0], about->y_range[1]},
        .marks = minima,
    };
    sp_tensor *values = sp_surface_grid(surface, 161);
    (sp_plot_contour)("optimizers.png", values, paths, N, &options);
    (sp_plot_contour_movie)("optimizers.gif", values, paths, N, &options);
    return sp_finish();
}
