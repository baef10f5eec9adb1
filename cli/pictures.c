/* What a network makes of the digits it has not seen. */
#include "cli.h"

#define SHOWN 60
#define COLUMNS 12

/* "7", or "9 (4)" for a nine that should be a four. */
static void write_captions(sp_tensor *predicted, sp_tensor *labels, char texts[][16], const char **captions,
                           bool *wrong)
{
    for (int64_t i = 0; i < sp_size(labels, 0); i++) {
        long long said = (long long)sp_item_i64(sp_select(predicted, 0, i));
        long long is = (long long)sp_item_i64(sp_select(labels, 0, i));
        wrong[i] = said != is;
        if (wrong[i])
            snprintf(texts[i], 16, "%lld (%lld)", said, is);
        else
            snprintf(texts[i], 16, "%lld", said);
        captions[i] = texts[i];
    }
}

sp_status draw_predictions(sp_module *model, const normalization *n, sp_dataset *dataset, const char *path)
{
    char texts[SHOWN][16];
    const char *captions[SHOWN];
    bool wrong[SHOWN];
    sp_status status = SP_OK;
    sp_eval(model);
    SP_NO_GRAD {
        sp_loader *loader = sp_data_loader(dataset, .batch_size = SHOWN);
        sp_foreach_batch (batch, loader) {
            sp_tensor *predicted = sp_argmax_dim(sp_model_apply(model, batch.x), 1);
            if (predicted) write_captions(predicted, batch.y, texts, captions, wrong);
            sp_tensor *images = n->std > 0 ? sp_add_scalar(sp_mul_scalar(batch.x, n->std), n->mean) : batch.x;
            status = sp_plot_images(path, predicted ? images : NULL, .columns = COLUMNS, .scale = 3,
                                    .captions = captions, .marked = wrong);
            break;
        }
    }
    return status == SP_OK ? sp_error_status() : status;
}
