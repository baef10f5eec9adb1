/* Solutions to the exercises of "A morph".
 *
 *     solutions_morph [EXERCISE [A.png B.png]]          the pictures for the first, two digits of one's own
 *
 * On MNIST where SPUSK_DATA names its folder, else on a few drawn digits, which show how it is done and no more. The
 * figures in the comments are of MNIST, seed 0. */
#include <math.h>
#include <spusk/spusk.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CODE = 16, WALK = 30, STEPS = 20 };

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

static sp_module *autoencoder(void)
{
    sp_manual_seed(0);
    sp_module *model = sp_autoencoder(CODE);
    sp_loader *loader = sp_data_loader(digits(false), .batch_size = 64, .shuffle = true, .seed = 0);
    sp_optimizer *optimizer = sp_optim_adam(sp_parameters(model), .lr = 1e-3);
    for (int epoch = 0; epoch < (mnist() ? 5 : 2); epoch++)
        sp_foreach_batch (batch, loader) {
            sp_tensor *X = sp_view(batch.x, -1, 784);
            sp_zero_grad(optimizer);
            sp_tensor *output = sp_forward(model, X);
            sp_tensor *loss = sp_mse_loss(output, X);
            sp_backward(loss);
            sp_step(optimizer);
        }
    sp_eval(model);
    return model;
}

/* Writes the movie of a walk, and tells how much a pixel changes from frame to frame. */
static double movie(const char *path, sp_module *model, sp_tensor *codes)
{
    sp_tensor *frames = sp_decode(model, sp_morph(codes, STEPS));
    sp_movie *movie = sp_movie_new(path, .fps = 20);
    const int64_t n = sp_size(frames, 0);
    for (int64_t i = 0; i < n; i++) sp_movie_frame(movie, sp_select(frames, 0, i));
    sp_movie_close(movie);
    return sp_item(sp_mean(sp_abs(sp_sub(sp_narrow(frames, 0, 1, n - 1), sp_narrow(frames, 0, 0, n - 1)))));
}

/* ---- 1 ---- */

/* How dark a pen makes the place (x, y) that goes straight from a to b. */
static double ink(double x, double y, const double a[2], const double b[2])
{
    const double dx = b[0] - a[0], dy = b[1] - a[1];
    const double t = fmin(1, fmax(0, ((x - a[0]) * dx + (y - a[1]) * dy) / (dx * dx + dy * dy)));
    const double away = hypot(x - a[0] - t * dx, y - a[1] - t * dy);
    return fmin(1, fmax(0, 9 - away));
}

/* A seven on white paper, as one would scan it. */
static void draw_seven(const char *path, double lean)
{
    const double corners[3][2] = {{60, 50}, {150, 50 + 10 * lean}, {110 - 40 * lean, 200}};
    unsigned char paper[240][200];
    for (int y = 0; y < 240; y++)
        for (int x = 0; x < 200; x++)
            paper[y][x] = (unsigned char)(250 - 230 * fmax(ink(x, y, corners[0], corners[1]),
                                                           ink(x, y, corners[1], corners[2])));
    sp_save_png(sp_from_data(paper, SP_DIMS(240, 200), .dtype = SP_U8), path);
}

/* Morph, 1: sp_load_digit makes of a scan what MNIST has: light on black, in the middle, 20 pixels large. Then the
 * autoencoder draws them as well as any digit: an error of 0.006, where the validation digits have 0.0135. */
static void morph_1(const char *first, const char *second)
{
    if (!second) {
        draw_seven(first = "seven-1.png", 0.2);
        draw_seven(second = "seven-2.png", 1.2);
    }
    sp_module *model = autoencoder();
    SP_NO_GRAD {
        sp_tensor *pictures = sp_cat(SP_LIST(sp_load_digit(first), sp_load_digit(second)), 0);
        sp_tensor *codes = sp_encode(model, pictures), *drawn = sp_decode(model, codes);
        sp_tensor *flat = sp_view(pictures, 2, 28, 28);
        printf("morph 1: error of the pictures %.4f, of the validation digits %.4f\n",
               sp_item(sp_mse_loss(drawn, flat)), sp_reconstruction_error(model, digits(true)));
        sp_plot_images("sevens.png", sp_cat(SP_LIST(flat, drawn), 0), .columns = 2, .scale = 4);
        movie("sevens.gif", model, codes);
    }
}

/* ---- 2 ---- */

/* The share of grey among the pixels that are not black. */
static double grey(sp_tensor *x)
{
    sp_tensor *some = sp_gt_scalar(x, 0.1), *middle = sp_logical_and(sp_gt_scalar(x, 0.3), sp_lt_scalar(x, 0.7));
    return sp_item(sp_sum(middle)) / sp_item(sp_sum(some));
}

/* Morph, 2: both digits at once, each in half its strength: 0.62 of what is not black is grey, in digits 0.24. A mean
 * of two pictures has the strokes of both, and a digit has strokes of one; half-way between two codes the decoder draws
 * one picture, somewhat blurred as all of its are (0.37). */
static void morph_2(void)
{
    enum { PAIRS = 100, SHOWN = 9 };
    sp_module *model = autoencoder();
    SP_NO_GRAD {
        sp_tensor *images = sp_squeeze_dim(sp_narrow(sp_data_all(digits(true)).x, 0, 0, 2 * PAIRS), 1);
        sp_tensor *a = sp_narrow(images, 0, 0, PAIRS), *b = sp_narrow(images, 0, PAIRS, PAIRS);
        sp_tensor *pixels = sp_lerp(a, b, 0.5);
        sp_tensor *codes = sp_decode(model, sp_lerp(sp_encode(model, a), sp_encode(model, b), 0.5));
        printf("morph 2: grey of what is not black: %.2f in digits, %.2f half-way by pixels, %.2f by codes\n",
               grey(images), grey(pixels), grey(codes));
        sp_tensor *one = sp_narrow(images, 0, 0, 1), *other = sp_narrow(images, 0, 3, 1);
        sp_list *by_pixels = sp_list_new(NULL, 0), *by_codes = sp_list_new(NULL, 0);
        for (int i = 0; i < SHOWN; i++) {
            const double t = (double)i / (SHOWN - 1);
            sp_list_append(by_pixels, sp_lerp(one, other, t));
            sp_list_append(by_codes, sp_decode(model, sp_lerp(sp_encode(model, one), sp_encode(model, other), t)));
        }
        const char *const captions[] = {"pixels", "codes"};
        sp_plot_images("half-way.png", sp_cat(SP_LIST(sp_cat(by_pixels, 0), sp_cat(by_codes, 0)), 0), .columns = SHOWN,
                       .scale = 3, .row_captions = captions);
    }
}

/* ---- 3 ---- */

static double length_of(double at[WALK][CODE], const int order[WALK])
{
    double sum = 0;
    for (int i = 0; i < WALK; i++) {
        const double *a = at[order[i]], *b = at[order[(i + 1) % WALK]];
        double square = 0;
        for (int k = 0; k < CODE; k++) square += (a[k] - b[k]) * (a[k] - b[k]);
        sum += sqrt(square);
    }
    return sum;
}

/* Turns pieces of the walk round as long as that makes it shorter (2-opt: Croes, Operations Research 6, 1958). */
static void shorten(double at[WALK][CODE], int order[WALK])
{
    bool better = true;
    while (better) {
        better = false;
        for (int i = 0; i < WALK - 1; i++)
            for (int j = i + 1; j < WALK; j++) {
                int turned[WALK];
                for (int k = 0; k < WALK; k++) turned[k] = order[k >= i && k <= j ? i + j - k : k];
                if (length_of(at, turned) > length_of(at, order) - 1e-9) continue;
                memcpy(order, turned, sizeof turned);
                better = true;
            }
    }
}

/* Morph, 3: 654 long as the digits come, 367 when shortened; a pixel changes by 0.0056 a frame instead of 0.0102. */
static void morph_3(void)
{
    sp_module *model = autoencoder();
    SP_NO_GRAD {
        sp_tensor *codes = sp_encode(model, sp_narrow(sp_data_all(digits(true)).x, 0, 0, WALK));
        double at[WALK][CODE];
        int order[WALK];
        sp_copy_out(at, sp_cast(codes, SP_F64), sizeof at);
        for (int i = 0; i < WALK; i++) order[i] = i;
        const double before = length_of(at, order), uneasy = movie("as-drawn.gif", model, codes);
        shorten(at, order);
        sp_list *row = sp_list_new(NULL, 0);
        for (int i = 0; i < WALK; i++) sp_list_append(row, sp_select(codes, 0, order[i]));
        const double calm = movie("shortest.gif", model, sp_stack(row, 0));
        printf("morph 3: %.0f long as the digits come, %.0f when shortened; a pixel changes by %.4f a frame, by %.4f\n",
               before, length_of(at, order), uneasy, calm);
    }
}

int main(int argc, char **argv)
{
    const int chosen = argc > 1 ? atoi(argv[1]) : 0;
    if (chosen < 0 || chosen > 3) {
        fputs("solutions_morph: exercises 1 to 3\n", stderr);
        return 2;
    }
    if (chosen == 0 || chosen == 1) morph_1(argc > 3 ? argv[2] : NULL, argc > 3 ? argv[3] : NULL);
    if (chosen == 0 || chosen == 2) morph_2();
    if (chosen == 0 || chosen == 3) morph_3();
    return sp_finish();
}
