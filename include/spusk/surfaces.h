/* Functions of two numbers to walk down on: what optimisers are compared by. */
#ifndef SPUSK_SURFACES_H
#define SPUSK_SURFACES_H

#include <spusk/tensor.h>

SP_BEGIN

typedef struct sp_surface sp_surface;

/* What is known about one. */
typedef struct sp_surface_about {
    const char *name, *title, *formula;
    double x_range[2], y_range[2]; /* what a picture of it shows */
    double start[2];               /* where a walk begins that shows what the surface is hard for */
    double minima[4][2];           /* where it is lowest */
    int n_minima;
    double lowest; /* the value there */
    double lr;     /* with which plain gradient descent arrives, about as fast as it can */
    int steps;     /* after which good walks have arrived */
} sp_surface_about;

/* A surface by its name:
 *   beale       (1.5 - x + xy)² + (2.25 - x + xy²)² + (2.625 - x + xy³)²: flat but for steep corners
 *   rosenbrock  (1 - x)² + 100(y - x²)²: a bent valley
 *   rastrigin   20 + x² - 10 cos 2πx + y² - 10 cos 2πy: a minimum at each whole number
 *   saddle      x³ - 3xy² + ¾(x² + y²)²: a monkey saddle at 0, with a floor for each of its three valleys
 *   ravine      ½u² + 20v², (u, v) being (x, y) turned by 30°: forty times as steep across as along
 *   cliff       0.4x + 0.2y² + a wall of slope 25 where x < -1
 *   plateau     -e^(-(x² + y²)): no slope far from the hole
 *   net         the loss of a small network on the plane through the ends of two trainings and the beginning of one
 * The net is trained when it is made, always alike (some tens of milliseconds). */
SP_API sp_surface *sp_surface_by_name(const char *name);

/* The name of surface i, from 0 on; NULL without an error after the last. */
SP_API const char *sp_surface_name(int i);

/* What is known about a surface: where it is lowest, where a walk begins. NULL for NULL. */
SP_API const sp_surface_about *sp_surface_about_of(const sp_surface *surface);

/* The surface's values (…) at points p (…, 2). Follows gradients. Fails unless p is f64. */
SP_API sp_tensor *sp_surface_value(const sp_surface *surface, sp_tensor *p);

/* The surface's values at n × n points over its ranges, (n, n), f64: row i has the i-th y from below, column j the j-th
 * x. Fails unless 2 ≤ n ≤ 4096. */
SP_API sp_tensor *sp_surface_grid(const sp_surface *surface, int64_t n);

SP_END_DECLS

#endif
