/* Products of matrices: what shapes mean, and what a good kernel is worth.
 *
 *     matmul [M] [K] [N]          the lesson's 1000 5000 2000 if nothing is said */
#include <spusk/spusk.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void)
{
    struct timespec t;
    timespec_get(&t, TIME_UTC);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* The definition, as one would first write it: out[i][j] = Σ a[i][p]·b[p][j]. */
static sp_tensor *by_definition(sp_tensor *a, sp_tensor *b)
{
    int64_t m = sp_size(a, 0), k = sp_size(a, 1), n = sp_size(b, 1);
    sp_tensor *out = sp_zeros(SP_DIMS(m, n));
    const float *x = sp_const_data(a), *y = sp_const_data(b);
    float *z = sp_data(out);
    if (!x || !y || !z) return NULL;
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++)
            for (int64_t p = 0; p < k; p++) z[i * n + j] += x[i * k + p] * y[p * n + j];
    return out;
}

static void time_product(const char *name, sp_dtype dtype, int64_t m, int64_t k, int64_t n)
{
    SP_SCOPE {
        sp_tensor *a = sp_rand(SP_DIMS(m, k), .dtype = dtype);
        sp_tensor *b = sp_rand(SP_DIMS(k, n), .dtype = dtype);
        sp_matmul(a, b); // the first call wakes the threads
        double began = now();
        sp_matmul(a, b);
        double seconds = now() - began;
        printf("%s: %.1f ms, %.1f GFLOP/s\n", name, seconds * 1e3, 2e-9 * (double)(m * k * n) / seconds);
    }
}

int main(int argc, char **argv)
{
    int64_t m = argc > 1 ? atoi(argv[1]) : 1000, k = argc > 2 ? atoi(argv[2]) : 5000,
            n = argc > 3 ? atoi(argv[3]) : 2000;

    sp_tensor *a = sp_matrix(2, 3, 1, 2, 3, 4, 5, 6);
    sp_tensor *b = sp_matrix(3, 2, 1, 0, 0, 1, 1, 1);
    sp_print(sp_matmul(a, b));                  // a matrix by a matrix
    sp_print(sp_matmul(a, sp_vector(1, 1, 1))); // by a vector
    sp_print(sp_matmul(a, sp_t(a)));            // by its own transpose, which is a view
    sp_tensor *many = sp_ones(SP_DIMS(5, 2, 3));
    sp_print(sp_sum(sp_matmul(many, b))); // five at once

    a = sp_rand(SP_DIMS(64, 300));
    b = sp_rand(SP_DIMS(300, 48));
    bool same = sp_allclose(sp_matmul(a, b), by_definition(a, b), .rtol = 1e-4);
    puts(same ? "sp_matmul agrees with the definition" : "sp_matmul and the definition differ");

    time_product("float64", SP_F64, m, k, n);
    time_product("float32", SP_F32, m, k, n);
    return sp_finish();
}
