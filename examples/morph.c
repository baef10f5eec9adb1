/* A morph: a closed walk through the codes of some digits, and what the decoder draws on the way.
 *
 *     morph FILE [DATA] [DIGITS] [STEPS]          FILE: weights of the autoencoder that `autoencoder` trained */
#include <spusk/spusk.h>
#include <stdio.h>
#include <stdlib.h>

/* The codes of some digits, one a row: e(x). */
static sp_tensor *encode_some(sp_module *model, sp_dataset *data, int digits)
{
    sp_list *images = sp_list_new(NULL, 0);
    sp_tensor *order = sp_randperm(sp_data_length(data));
    for (int i = 0; i < digits; i++) sp_list_append(images, sp_data_get(data, sp_item_i64(sp_select(order, 0, i))).x);
    sp_tensor *X = sp_view(sp_stack(images, 0), -1, 784);
    return sp_forward(sp_get_submodule(model, "encode"), X);
}

int main(int argc, char **argv)
{
    const char *file = argc > 1 ? argv[1] : "autoencoder.safetensors";
    int digits = argc > 3 ? atoi(argv[3]) : 30, steps = argc > 4 ? atoi(argv[4]) : 20;

    sp_module *model = sp_load_module(file); // built anew from its description
    sp_dataset *data = sp_data_digits(argc > 2 ? argv[2] : NULL, .test = true);
    sp_module *decode = sp_get_submodule(model, "decode");
    sp_movie *movie = sp_movie_new("walk.gif", .fps = 20);

    SP_NO_GRAD {
        sp_tensor *codes = encode_some(model, data, digits);
        for (int i = 0; i < digits; i++) {
            sp_tensor *a = sp_select(codes, 0, i), *b = sp_select(codes, 0, (i + 1) % digits);
            for (int k = 0; k < steps; k++)
                SP_SCOPE {
                    double t = (double)k / steps; // never 1: that frame is the next digit's first
                    sp_tensor *c = sp_lerp(a, b, t);
                    sp_movie_frame(movie, sp_view(sp_forward(decode, c), 28, 28));
                }
        }
    }
    if (sp_movie_close(movie) == SP_OK) printf("walk.gif: %d frames\n", digits * steps);
    return sp_finish();
}
