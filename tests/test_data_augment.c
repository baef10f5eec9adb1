/* Random distortions of images. */
#include "support/support.h"
#include <math.h>
#include <spusk/spusk.h>

/* A soft spot at (row, column). */
static sp_tensor *spot(double row, double column)
{
    sp_tensor *x = sp_zeros(SP_DIMS(1, 21, 21));
    float *values = sp_data(x);
    for (int i = 0; i < 21; i++)
        for (int j = 0; j < 21; j++)
            values[21 * i + j] = (float)exp(-((i - row) * (i - row) + (j - column) * (j - column)) / 8);
    return x;
}

static void centre(sp_tensor *x, double *row, double *column)
{
    const float *values = sp_const_data(x);
    double sum = 0;
    *row = *column = 0;
    for (int i = 0; i < 441; i++) {
        const int at_row = i / 21, at_column = i % 21;
        sum += (double)values[i];
        *row += (double)values[i] * at_row;
        *column += (double)values[i] * at_column;
    }
    *row /= sum, *column /= sum;
}

static void test_shift(void **state)
{
    (void)state;
    sp_transform *shift = sp_transform_shift(2);
    double least = 9, most = -9, row, column;
    sp_generator *g = sp_generator_new(1);
    for (int i = 0; i < 200; i++)
        SP_SCOPE {
            centre(sp_transform_apply(shift, spot(10, 10), g), &row, &column);
            assert_true(fabs(row - 10) < 2.01 && fabs(column - 10) < 2.01);
            least = fmin(least, row - 10), most = fmax(most, row - 10);
        }
    assert_true(least < -1.8 && most > 1.8);
    /* No distance, no change, in any floating type and number of dimensions. */
    sp_tensor *x = sp_rand(SP_DIMS(5, 7), .dtype = SP_F64);
    sp_tensor *y = sp_transform_apply(sp_transform_shift(0), sp_cast(sp_cast(x, SP_F32), SP_F64), g);
    assert_int_equal(sp_dtype_of(y), SP_F64);
    assert_true(sp_equal(y, sp_cast(sp_cast(x, SP_F32), SP_F64)));
    assert_no_error();
}

static void test_rotate(void **state)
{
    (void)state;
    sp_transform *rotate = sp_transform_rotate(90);
    sp_generator *g = sp_generator_new(2);
    double row, column, largest = 0;
    for (int i = 0; i < 200; i++)
        SP_SCOPE {
            centre(sp_transform_apply(rotate, spot(10, 15), g), &row, &column);
            /* On a circle of radius 5. */
            assert_true(fabs(hypot(row - 10, column - 10) - 5) < 0.05);
            assert_true(column > 9.8);
            largest = fmax(largest, fabs(row - 10));
        }
    assert_true(largest > 4.9);
    assert_no_error();
}

static void test_elastic(void **state)
{
    (void)state;
    sp_transform *elastic = sp_transform_elastic(34, 4);
    sp_generator *g = sp_generator_new(3);
    double row, column, squares = 0;
    for (int i = 0; i < 100; i++)
        SP_SCOPE {
            centre(sp_transform_apply(elastic, spot(10, 10), g), &row, &column);
            squares += (row - 10) * (row - 10) / 100;
        }
    /* 34 times a uniform number's deviation, 1/√3, blurred by 1/(2σ√π): 1.38; a spot's centre averages a little. */
    assert_true(sqrt(squares) > 0.7 && sqrt(squares) < 1.5);
    assert_no_error();
}

static void test_the_generator_decides(void **state)
{
    (void)state;
    sp_transform *shift = sp_transform_shift(3), *rotate = sp_transform_rotate(20);
    sp_transform *all = sp_transform_compose(shift, rotate, sp_transform_elastic(20, 3));
    sp_tensor *x = spot(8, 12), *results[3];
    for (int i = 0; i < 3; i++) results[i] = sp_transform_apply(all, x, sp_generator_new(i == 2 ? 6 : 5));
    assert_true(sp_equal(results[0], results[1]));
    assert_false(sp_equal(results[0], results[2]));
    assert_true(sp_equal(x, spot(8, 12)));
    /* Workers change nothing. */
    sp_tensor *batches[2] = {NULL, NULL};
    sp_dataset *data = sp_data_synthetic_digits(.length = 8, .transform = all);
    for (int i = 0; i < 2; i++) {
        sp_loader *loader = sp_data_loader(data, .batch_size = 8, .seed = 4, .num_workers = 2 * i);
        sp_foreach_batch (batch, loader) batches[i] = sp_keep(batch.x);
    }
    assert_true(sp_equal(batches[0], batches[1]));
    for (int i = 0; i < 2; i++) sp_release(batches[i]);
    assert_no_error();
}

static void test_refused(void **state)
{
    (void)state;
    assert_null(sp_transform_shift(-1));
    assert_error(SP_ERROR_ARGUMENT, "sp_transform_shift: the amount must be 0 or more");
    assert_null(sp_transform_rotate(NAN));
    assert_error(SP_ERROR_ARGUMENT, "at most 180 degrees");
    assert_null(sp_transform_elastic(1, 22));
    assert_error(SP_ERROR_ARGUMENT, "sigma in (0, 21]");
    sp_generator *g = sp_generator_new(1);
    assert_null(sp_transform_apply(sp_transform_shift(1), sp_zeros(SP_DIMS(3, 3), .dtype = SP_U8), g));
    assert_error(SP_ERROR_DTYPE, "sp_transform_to_tensor() before it");
    assert_null(sp_transform_apply(sp_transform_rotate(1), sp_zeros(SP_DIMS(3)), g));
    assert_error(SP_ERROR_DTYPE, "not for float32 of 1 dimensions");
    assert_null(sp_transform_apply(sp_transform_rotate(1), sp_zeros(SP_DIMS(3, 0)), g));
    assert_error(SP_ERROR_SHAPE, "an image with pixels");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        sp_test(test_shift),   sp_test(test_rotate), sp_test(test_elastic), sp_test(test_the_generator_decides),
        sp_test(test_refused),
    };
    return sp_test_main(tests);
}
