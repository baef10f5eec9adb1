/* Solutions to the exercises of "Walking down".
 *
 *     solutions_descent [EXERCISE] */
#include <math.h>
#include <spusk/spusk.h>
#include <stdio.h>
#include <stdlib.h>

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

/* Descent, 1: below the slowest rate 200 steps are too few along the ravine, above 2/40 the walk leaves it across. The
 * fastest leaves as much over across as along: 1 - λ = 40λ - 1, so λ = 2/41. */
static void descent_1(void)
{
    sp_surface *ravine = sp_surface_by_name("ravine");
    const sp_surface_about *about = sp_surface_about_of(ravine);
    double slowest = 0, largest = 0, best = 0, fewest = 201;
    for (int i = 1; i <= 55; i++) {
        double lr = 0.001 * i;
        sp_tensor *p = place(about->start[0], about->start[1]);
        int arrived = walk(ravine, p, sp_optim_sgd(SP_LIST(p), .lr = lr), 200, about->lowest + 1e-3);
        if (arrived < 0) continue;
        slowest = slowest == 0 ? lr : slowest, largest = lr;
        if (arrived < fewest) fewest = arrived, best = lr;
    }
    printf("descent 1: rates from %.3f to %.3f arrive; %.3f is the fastest, after %.0f steps\n", slowest, largest, best,
           fewest);
}

/* Descent, 2: from the square within about half a unit of the lowest point, and no other. All starts walk at once: the
 * gradient of the sum in one of them is that of its own value. */
static void descent_2(void)
{
    enum { N = 17 };
    sp_surface *rastrigin = sp_surface_by_name("rastrigin");
    double starts[N][N][2];
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) starts[i][j][0] = (j - 8) * 0.15, starts[i][j][1] = (8 - i) * 0.15;
    sp_tensor *p = sp_from_data(starts, SP_DIMS(N * N, 2), .dtype = SP_F64, .requires_grad = true);
    sp_optimizer *optimizer = sp_optim_sgd(SP_LIST(p), .lr = sp_surface_about_of(rastrigin)->lr);
    for (int step = 0; step < 300; step++)
        SP_SCOPE {
            sp_zero_grad(optimizer);
            sp_backward(sp_sum(sp_surface_value(rastrigin, p)));
            sp_step(optimizer);
        }
    double ends[N * N][2];
    sp_copy_out(ends, p, sizeof ends);
    puts("descent 2: starts from -1.2 to 1.2 both ways; # finds the lowest point");
    for (int i = 0; i < N * N; i++)
        printf("%s%s", hypot(ends[i][0], ends[i][1]) < 1e-2 ? "#" : ".", i % N == N - 1 ? "\n" : "");
}

/* Himmelblau's function, (x² + y - 11)² + (x + y² - 7)²: four minima, all of them 0. */
static sp_tensor *himmelblau(sp_tensor *p)
{
    sp_tensor *x = sp_select(p, -1, 0), *y = sp_select(p, -1, 1);
    sp_tensor *a = sp_add(sp_square(x), y), *b = sp_add(x, sp_square(y));
    return sp_add(sp_square(sp_sub_scalar(a, 11)), sp_square(sp_sub_scalar(b, 7)));
}

/* Descent, 3: a function is whatever operators on p make of it; the walk does not change. */
static void descent_3(void)
{
    sp_tensor *p = place(0, 0);
    sp_optimizer *optimizer = sp_optim_sgd(SP_LIST(p), .lr = 0.01);
    for (int step = 0; step < 200; step++)
        SP_SCOPE {
            sp_zero_grad(optimizer);
            sp_backward(himmelblau(p));
            sp_step(optimizer);
        }
    printf("descent 3: Himmelblau's function from (0, 0): ");
    sp_print(sp_detach(p));
}

int main(int argc, char **argv)
{
    void (*const exercises[])(void) = {descent_1, descent_2, descent_3};
    const int n = sizeof exercises / sizeof *exercises, chosen = argc > 1 ? atoi(argv[1]) : 0;
    if (chosen < 0 || chosen > n) {
        fprintf(stderr, "solutions_descent: exercises 1 to %d\n", n);
        return 2;
    }
    for (int i = 0; i < n; i++)
        if (chosen == 0 || chosen == i + 1) exercises[i]();
    return sp_finish();
}
