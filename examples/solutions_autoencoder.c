/* Solutions to the exercises of "Autoencoders".
 *
 *     solutions_autoencoder [EXERCISE]
 *
 * On MNIST where SPUSK_DATA names its folder, else on a few drawn digits, which show how it is done and no more. The
 * figures in the comments are of MNIST, seed 0, three epochs. */
#include <math.h>
#include <spusk/spusk.h>
#include <stdio.h>
#include <stdlib.h>

enum { SHOWN = 12 };

static bool mnist(void)
{
    const char *folder = getenv("SPUSK_DATA");
    return folder && *folder;
}

static sp_dataset *digits(bool test)
{
    return mnist() ? sp_data_digits(NULL, .test = test)
                   : sp_data_digits("synthetic", .test = test, .length = test ? 200 : 600);
}

/* The chapter's autoencoder, in a Sequential. */
static sp_module *autoencoder(int64_t code)
{
    sp_manual_seed(0);
    return sp_autoencoder(code);
}

/* With noise, as it sees the digits; as they are without. */
static sp_tensor *noisy(sp_tensor *X, double noise)
{
    if (noise == 0) return X;
    return sp_clamp(sp_add(X, sp_mul_scalar(sp_randn_like(X), noise)), 0, 1);
}

/* Learns to draw the digits as they are from the digits with noise. */
static sp_module *train(int64_t code, double noise)
{
    sp_module *model = autoencoder(code);
    sp_loader *loader = sp_data_loader(digits(false), .batch_size = 64, .shuffle = true, .seed = 0);
    sp_optimizer *optimizer = sp_optim_adam(sp_parameters(model), .lr = 1e-3);
    for (int epoch = 0; epoch < (mnist() ? 3 : 1); epoch++)
        sp_foreach_batch (batch, loader) {
            sp_tensor *X = sp_view(batch.x, -1, 784);
            sp_zero_grad(optimizer);
            sp_tensor *output = sp_forward(model, noisy(X, noise));
            sp_tensor *loss = sp_mse_loss(output, X);
            sp_backward(loss);
            sp_step(optimizer);
        }
    sp_eval(model);
    return model;
}

/* Autoencoder, 1: at eight to sixteen. Up to 2 a further number takes 0.0114 of the error, up to 4 0.0052, to 8 0.0025,
 * to 16 0.0006, to 32 0.0001. (Principal components still gain there: a plane needs more numbers for what is bent.) */
static void autoencoder_1(void)
{
    sp_dataset *val = digits(true);
    sp_series *errors = sp_series_new("dense autoencoder"), *components = sp_series_new("principal components");
    sp_tensor *x = sp_reshape(sp_data_all(digits(false)).x, -1, 784);
    double before = 0;
    for (int64_t code = 1; code <= 32; code *= 2)
        SP_SCOPE {
            const double error = sp_reconstruction_error(train(code, 0), val);
            sp_series_push_xy(errors, (double)code, error);
            const double linear = sp_reconstruction_error(sp_autoencoder_pca(x, code), val);
            sp_series_push_xy(components, (double)code, linear);
            printf("autoencoder 1: code of %2lld: error %.4f", (long long)code, error);
            if (code > 1) printf(", %.4f less for each further number", 2 * (before - error) / (double)code);
            printf("; principal components %.4f\n", linear);
            before = error;
        }
    sp_plot_lines("code-sizes.png", SP_SERIES(errors, components), .title = "How many numbers does a digit need?",
                  .x_label = "numbers in the code", .y_label = "mean squared error of a pixel", .log_x = true);
}

/* The mean distance from points (n, code) to the nearest of the codes (m, code). */
static double distance_to(sp_tensor *codes, sp_tensor *points)
{
    sp_tensor *squares = sp_unsqueeze(sp_sum_dim(sp_square(points), 1), 1);
    sp_tensor *products = sp_mul_scalar(sp_matmul(points, sp_t(codes)), 2);
    sp_tensor *distances = sp_add(sp_sub(squares, products), sp_sum_dim(sp_square(codes), 1));
    return sp_item(sp_mean(sp_sqrt(sp_clamp_min(sp_amin_dim(distances, 1), 0))));
}

/* Autoencoder, 2: because codes do not fill their space. A digit that the network has not seen has a code 3.9 away from
 * the nearest that it has seen; a random point, each number spread as the codes' are, 9.8. Numbers that go together as
 * the codes' do (with their covariance) come to 7.1, and look a little more like digits; but the codes lie in ten
 * regions that are bent, and no ellipsoid is like that. */
static void autoencoder_2(void)
{
    enum { POINTS = 200 };
    sp_module *model = train(16, 0);
    SP_NO_GRAD {
        sp_tensor *codes = sp_encode_all(model, digits(false)).x, *mean = sp_mean_dim(codes, 0);
        sp_tensor *others = sp_narrow(sp_encode_all(model, digits(true)).x, 0, 0, POINTS);
        sp_tensor *centred = sp_sub(codes, mean);
        /* Each number by itself as wide as the codes'; and with their covariance, too. */
        sp_tensor *normal = sp_randn(SP_DIMS(POINTS, 16));
        sp_tensor *each = sp_add(mean, sp_mul(normal, sp_std_dim(codes, 0)));
        sp_tensor *mixture = sp_randn(SP_DIMS(POINTS, sp_size(codes, 0)));
        sp_tensor *together = sp_add(mean, sp_div_scalar(sp_matmul(mixture, centred), sqrt((double)sp_size(codes, 0))));
        printf(
            "autoencoder 2: distance to the nearest digit's code: other digits %.2f, random points %.2f, random points "
            "with the codes' covariance %.2f\n",
            distance_to(codes, others), distance_to(codes, each), distance_to(codes, together));
        sp_tensor *drawn[] = {sp_decode(model, sp_narrow(others, 0, 0, SHOWN)),
                              sp_decode(model, sp_narrow(each, 0, 0, SHOWN)),
                              sp_decode(model, sp_narrow(together, 0, 0, SHOWN))};
        const char *const captions[] = {"codes of digits", "random", "and correlated"};
        sp_plot_images("random-codes.png", sp_cat(SP_LIST(drawn[0], drawn[1], drawn[2]), 0), .columns = SHOWN,
                       .scale = 3, .row_captions = captions);
    }
}

/* Autoencoder, 3: the noise is an error of 0.1155. The autoencoder that learnt without it takes it for strokes, 0.072;
 * the one that learnt with it has 0.024 (denoising.png). It can draw nothing but digits, and chooses the likeliest. */
static void autoencoder_3(void)
{
    const double noise = 0.5;
    sp_module *plain = train(32, 0), *denoising = train(32, noise);
    SP_NO_GRAD {
        sp_tensor *X = sp_reshape(sp_data_all(digits(true)).x, -1, 784);
        sp_tensor *seen = noisy(X, noise), *by_plain = sp_forward(plain, seen), *drawn = sp_forward(denoising, seen);
        printf("autoencoder 3: error of the noisy digits %.4f, drawn by one that learnt without noise %.4f, by one "
               "that learnt with it %.4f\n",
               sp_item(sp_mse_loss(seen, X)), sp_item(sp_mse_loss(by_plain, X)), sp_item(sp_mse_loss(drawn, X)));
        sp_tensor *rows[] = {seen, by_plain, drawn, X};
        sp_list *pictures = sp_list_new(NULL, 0);
        for (int i = 0; i < 4; i++) sp_list_append(pictures, sp_view(sp_narrow(rows[i], 0, 0, SHOWN), SHOWN, 28, 28));
        const char *const captions[] = {"with noise", "plain", "denoising", "the digits"};
        sp_plot_images("denoising.png", sp_cat(pictures, 0), .columns = SHOWN, .scale = 3, .row_captions = captions);
    }
}

int main(int argc, char **argv)
{
    void (*const exercises[])(void) = {autoencoder_1, autoencoder_2, autoencoder_3};
    const int n = sizeof exercises / sizeof *exercises, chosen = argc > 1 ? atoi(argv[1]) : 0;
    if (chosen < 0 || chosen > n) {
        fprintf(stderr, "solutions_autoencoder: exercises 1 to %d\n", n);
        return 2;
    }
    for (int i = 0; i < n; i++)
        if (chosen == 0 || chosen == i + 1) exercises[i]();
    return sp_finish();
}
