/* Solutions to the exercises of "What is a model?", "Tensors and gradients" and "Products of matrices".
 *
 *     solutions_tensors [EXERCISE]          EXERCISE: model_1, model_2, tensors_1 to tensors_3, products_1, products_2
 */
#include <math.h>
#include <spusk/spusk.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Model, 1: a weight for each pixel and class, and a bias for each class: 784·10 + 10. */
static void model_1(void)
{
    printf("model 1: a linear classifier has %lld parameters\n",
           (long long)sp_module_num_parameters(sp_nn_linear(784, 10)));
}

/* Model, 2: "computable only". How good a choice is can be asked, by training with these ten pixels. But a choice does
 * not change by a little: between two choices there is nothing, so there is no slope that says which pixel to exchange.
 */
static void model_2(void)
{
    double choices = 1;
    for (int i = 0; i < 10; i++) choices *= (784.0 - i) / (i + 1);
    printf("model 2: computable only, and there are %.1e choices to ask about\n", choices);
}

/* Tensors, 1: sp_backward adds to what is there, so that a gradient may be summed over several losses. */
static void tensors_1(void)
{
    sp_tensor *x = sp_requires_grad(sp_vector(1, 2, 3)), *y = sp_vector(4, 5, 6);
    sp_backward(sp_dot(x, y));
    sp_backward(sp_dot(x, y));
    printf("tensors 1: after two passes ");
    sp_print(sp_grad(x));
    sp_set_grad(x, SP_NONE);
    sp_backward(sp_dot(x, y));
    printf("tensors 1: forgotten between them ");
    sp_print(sp_grad(x));
}

/* Tensors, 2: the derivative of Σx² in x is 2x. */
static void tensors_2(void)
{
    sp_tensor *x = sp_requires_grad(sp_vector(1, 2, 3));
    sp_backward(sp_sum(sp_square(x)));
    printf("tensors 2: 2x = ");
    sp_print(sp_grad(x));
}

static void tell(sp_status status, const char *message, void *user)
{
    (void)user;
    printf("%s: %s\n", sp_status_name(status), message);
}

/* Tensors, 3: three elements have three gradients; sp_backward wants one number, or to be told how much each counts. */
static void tensors_3(void)
{
    sp_tensor *x = sp_requires_grad(sp_vector(1, 2, 3)), *y = sp_vector(4, 5, 6);
    sp_set_error_handler(tell, NULL);
    printf("tensors 3: ");
    sp_backward(sp_add(x, y));
    sp_error_clear(); // read and dealt with, so sp_finish does not count it
    sp_backward_with(sp_add(x, y), sp_vector(1, 1, 1));
    printf("tensors 3: each counted once ");
    sp_print(sp_grad(x));
}

static void by_rows(int64_t n, const float *x, const float *y, float *z)
{
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++)
            for (int64_t p = 0; p < n; p++) z[i * n + j] += x[i * n + p] * y[p * n + j];
}

static void exchanged(int64_t n, const float *x, const float *y, float *z)
{
    for (int64_t i = 0; i < n; i++)
        for (int64_t p = 0; p < n; p++)
            for (int64_t j = 0; j < n; j++) z[i * n + j] += x[i * n + p] * y[p * n + j];
}

static double seconds(void product(int64_t, const float *, const float *, float *), sp_tensor *x, sp_tensor *y,
                      sp_tensor *z)
{
    clock_t begin = clock();
    product(sp_size(x, 0), sp_const_data(x), sp_const_data(y), sp_data(z));
    sp_data_end(z);
    return (double)(clock() - begin) / CLOCKS_PER_SEC;
}

/* Products, 1: the inner loop over p goes down a column of y, 1200 bytes from number to number; each takes a whole line
 * of the cache for one use. Over j, it reads a row of y and writes a row of z, one number beside the other, which also
 * lets the compiler take several with one instruction. The sums are the same, in the same order. */
static void products_1(void)
{
    sp_tensor *x = sp_rand(SP_DIMS(300, 300)), *y = sp_rand(SP_DIMS(300, 300));
    sp_tensor *z = sp_zeros(SP_DIMS(300, 300)), *z_too = sp_zeros(SP_DIMS(300, 300));
    double first = seconds(by_rows, x, y, z), second = seconds(exchanged, x, y, z_too);
    printf("products 1: %.1f ms; exchanged %.1f ms; the results are %s\n", 1e3 * first, 1e3 * second,
           sp_allclose(z, z_too) ? "equal" : "different");
}

static void shape_of_product(sp_dims a, sp_dims b)
{
    sp_tensor *product = sp_matmul(sp_zeros(a), sp_zeros(b));
    for (int i = 0; i < sp_ndim(product); i++) printf("%s%lld", i ? "×" : "", (long long)sp_size(product, i));
    printf("%s", sp_ndim(product) ? "\n" : "a scalar\n");
}

/* Products, 2: the last two dimensions are matrices, those before them are broadcast: each of the five 2×3 matrices is
 * multiplied by the one 3×2 matrix. A vector counts as a row on the left, as a column on the right, and that dimension
 * goes again. */
static void products_2(void)
{
    printf("products 2: 5×2×3 by 3×2 is ");
    shape_of_product(SP_DIMS(5, 2, 3), SP_DIMS(3, 2));
    printf("products 2: 5×1×2×3 by 4×3×2 is ");
    shape_of_product(SP_DIMS(5, 1, 2, 3), SP_DIMS(4, 3, 2));
    printf("products 2: 5×2×3 by 3 is ");
    shape_of_product(SP_DIMS(5, 2, 3), SP_DIMS(3));
    printf("products 2: 3 by 3 is ");
    shape_of_product(SP_DIMS(3), SP_DIMS(3));
}

int main(int argc, char **argv)
{
    const struct {
        const char *name;
        void (*solve)(void);
    } exercises[] = {{"model_1", model_1},      {"model_2", model_2},     {"tensors_1", tensors_1},
                     {"tensors_2", tensors_2},  {"tensors_3", tensors_3}, {"products_1", products_1},
                     {"products_2", products_2}};
    int solved = 0;
    for (int i = 0; i < 7; i++)
        if (argc < 2 || strcmp(argv[1], exercises[i].name) == 0) exercises[i].solve(), solved++;
    if (!solved) fprintf(stderr, "solutions_tensors: no exercise %s\n", argv[1]);
    return solved ? sp_finish() : 2;
}
