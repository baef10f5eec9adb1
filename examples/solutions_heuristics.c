/* Solutions to the exercises of "Better steps".
 *
 *     solutions_heuristics [EXERCISE] */
#include <spusk/spusk.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static sp_tensor *place(double x, double y)
{
    return sp_from_data(((const double[]){x, y}), SP_DIMS(2), .dtype = SP_F64, .requires_grad = true);
}

/* The first step after which the walk is lower than `enough`, or -1; it goes on to the end in either case. */
static int walk(const sp_surface *surface, sp_tensor *p, sp_optimizer *optimizer, int steps, double enough)
{
    int arrived = -1;
    for (int step = 0; step < steps; step++)
        SP_SCOPE {
            sp_zero_grad(optimizer);
            sp_tensor *value = sp_surface_value(surface, p);
            if (arrived < 0 && sp_item(value) < enough) arrived = step;
            sp_backward(value);
            sp_step(optimizer);
        }
    return arrived;
}

/* How many steps lead out of the plateau, to half its hole's depth, when all slopes are multiplied by a number; -1:
 * over 2000. And how long the first step is. */
static int leave_plateau(const char *name, double rate, double slopes, double *first_step)
{
    sp_surface *plateau = sp_surface_by_name("plateau");
    const sp_surface_about *about = sp_surface_about_of(plateau);
    const bool momentum = strcmp(name, "momentum") == 0, by_slope = momentum || strcmp(name, "sgd") == 0;
    const double lr = rate * (by_slope ? about->lr : about->x_range[1] - about->x_range[0]);
    sp_tensor *p = place(about->start[0], about->start[1]), *start = sp_clone(sp_detach(p));
    sp_optimizer *optimizer = momentum ? sp_optim_sgd(SP_LIST(p), .lr = lr, .momentum = 0.9)
                                       : sp_optim_by_name(name, SP_LIST(p), .lr = lr);
    int out = -1;
    for (int step = 0; step < 2000 && out < 0; step++)
        SP_SCOPE {
            sp_zero_grad(optimizer);
            sp_tensor *value = sp_surface_value(plateau, p);
            if (sp_item(value) < -0.5) out = step;
            sp_backward(sp_mul_scalar(value, slopes));
            sp_step(optimizer);
            if (step == 0) *first_step = sp_item(sp_norm(sp_sub(p, start)));
        }
    return out;
}

/* Heuristics, 1: Adagrad, after 4 steps: its rate here is the largest, and its first step, 0.51, is more than fifty
 * times as long as plain descent's, which is as short as the slope. Whoever divides by the root of the squares steps as
 * far as the rate says: with all slopes a hundredth, the first steps are as long as before, and it is out after as many
 * of them. Plain descent is not out in 2000, momentum after 1560. Adadelta minds, too: the squares are now smaller than
 * the 1e-6 that it adds to them. */
static void heuristics_1(void)
{
    const char *const names[] = {"sgd", "momentum", "adagrad", "adadelta", "rmsprop", "adam", "adamax", "nadam"};
    const double rates[] = {1, 0.2, 0.08, 2, 0.005, 0.02, 0.03, 0.02};
    for (int i = 0; i < 8; i++) {
        double first = 0, flat_first = 0;
        const int steps = leave_plateau(names[i], rates[i], 1, &first);
        const int flat = leave_plateau(names[i], rates[i], 0.01, &flat_first);
        printf("heuristics 1: %-8s first step %.4f, out after %2d; all slopes a hundredth: %.4f, %d\n", names[i], first,
               steps, flat_first, flat);
    }
}

static int steps_on_beale(bool adam, double lr)
{
    sp_surface *beale = sp_surface_by_name("beale");
    const sp_surface_about *about = sp_surface_about_of(beale);
    sp_tensor *p = place(about->start[0], about->start[1]);
    sp_optimizer *optimizer = adam ? sp_optim_adam(SP_LIST(p), .lr = lr) : sp_optim_sgd(SP_LIST(p), .lr = lr);
    return walk(beale, p, optimizer, 3000, 1e-3);
}

/* Heuristics, 2: Adam's steps are about as long as its rate, so a tiny one makes it late, whatever the slope is. */
static void heuristics_2(void)
{
    printf("heuristics 2: steps on Beale's function (-1: over 3000): sgd 0.01 %d, adam 0.001 %d; sgd 0.001 %d, adam "
           "0.1 %d\n",
           steps_on_beale(false, 0.01), steps_on_beale(true, 0.001), steps_on_beale(false, 0.001),
           steps_on_beale(true, 0.1));
}

/* How fast it comes near the saddle, and where it is after 400 steps. */
static void pass_saddle(const char *name, sp_tensor *p, sp_optimizer *optimizer)
{
    sp_surface *saddle = sp_surface_by_name("saddle");
    double x = 1.1, near_step = 0, end[2];
    for (int step = 0; step < 400; step++) {
        const double before = x;
        walk(saddle, p, optimizer, 1, 0);
        sp_copy_out(end, p, sizeof end);
        x = end[0];
        if (x < 0.25 && near_step == 0) near_step = before - x;
    }
    printf("heuristics 3: %-24s comes below x = 0.25 by a step of %.4f, ends at (%.3f, %g)\n", name, near_step, end[0],
           end[1]);
}

/* Heuristics, 3: nobody leaves the line y = 0: there the slope in y is exactly 0. Along the line the slope is
 * 3x²(1 + x), soon less than any multiple of the distance x to the saddle: who steps by a multiple of it never arrives,
 * and plain descent does not. Momentum comes with a step of 0.16 and rolls through, to the valley at (-1, 0); with a
 * tenth of the rate it comes with 0.0085 and is stopped. Adam passes with a rate of 0.06, not with 0.045: it divides by
 * the root of squares that it remembers for a thousand steps, among them the steep ones of the beginning. With β₂ = 0.9
 * it forgets these in time, and passes with 0.045, too. */
static void heuristics_3(void)
{
    sp_tensor *p[6];
    for (int i = 0; i < 6; i++) p[i] = place(1.1, 0);
    pass_saddle("sgd 0.05", p[0], sp_optim_sgd(SP_LIST(p[0]), .lr = 0.05));
    pass_saddle("momentum 0.01", p[1], sp_optim_sgd(SP_LIST(p[1]), .lr = 0.01, .momentum = 0.9));
    pass_saddle("momentum 0.001", p[2], sp_optim_sgd(SP_LIST(p[2]), .lr = 0.001, .momentum = 0.9));
    pass_saddle("adam 0.06", p[3], sp_optim_adam(SP_LIST(p[3]), .lr = 0.06));
    pass_saddle("adam 0.045", p[4], sp_optim_adam(SP_LIST(p[4]), .lr = 0.045));
    pass_saddle("adam 0.045, beta2 0.9", p[5], sp_optim_adam(SP_LIST(p[5]), .lr = 0.045, .betas = {0.9, 0.9}));
}

int main(int argc, char **argv)
{
    void (*const exercises[])(void) = {heuristics_1, heuristics_2, heuristics_3};
    const int n = sizeof exercises / sizeof *exercises, chosen = argc > 1 ? atoi(argv[1]) : 0;
    if (chosen < 0 || chosen > n) {
        fprintf(stderr, "solutions_heuristics: exercises 1 to %d\n", n);
        return 2;
    }
    for (int i = 0; i < n; i++)
        if (chosen == 0 || chosen == i + 1) exercises[i]();
    return sp_finish();
}
