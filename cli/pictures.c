/* Pictures of what a network says about digits that it has not seen. */
#include "cli.h"

#include <string.h>

#define SHOWN 60
#define COLUMNS 12

/* An example, what the model says of it, and what it is. */
typedef struct verdict {
    int64_t index;
    long long said, is;
} verdict;

typedef struct verdicts {
    verdict wrong[SHOWN], right[SHOWN];
    int64_t n_wrong, n_right;
} verdicts;

static sp_status judge(verdicts *v, sp_tensor *predicted, sp_tensor *labels, int64_t first)
{
    predicted = sp_contiguous(sp_cast(predicted, SP_I64));
    labels = sp_contiguous(sp_cast(labels, SP_I64));
    const int64_t *said = predicted ? sp_const_data(predicted) : NULL, *is = labels ? sp_const_data(labels) : NULL;
    if (!said || !is) return sp_error_status();
    for (int64_t i = 0; i < sp_size(labels, 0); i++) {
        const verdict it = {first + i, (long long)said[i], (long long)is[i]};
        if (said[i] != is[i] && v->n_wrong < SHOWN) v->wrong[v->n_wrong++] = it;
        if (said[i] == is[i] && v->n_right < SHOWN) v->right[v->n_right++] = it;
    }
    return SP_OK;
}

/* Collects examples until there are enough wrong ones. */
static sp_status judge_all(verdicts *v, sp_module *model, sp_dataset *dataset)
{
    sp_status status = SP_OK;
    int64_t first = 0;
    sp_foreach_batch (batch, evaluation_loader(dataset, 0)) {
        status = judge(v, sp_argmax_dim(sp_model_apply(model, batch.x), 1), batch.y, first);
        first += sp_size(batch.y, 0);
        if (status != SP_OK || v->n_wrong == SHOWN) break;
    }
    return status == SP_OK ? sp_error_status() : status;
}

/* Captions: "7", or "9 (4)" for a nine that should be a four. */
static sp_status draw_verdicts(const verdict *all, int64_t n, const normalization *normal, sp_dataset *dataset,
                               const char *path)
{
    char texts[SHOWN][48];
    const char *captions[SHOWN];
    bool wrong[SHOWN];
    sp_list *digits = sp_list_new(NULL, 0);
    for (int64_t i = 0; i < n; i++) {
        sp_list_append(digits, sp_data_get(dataset, all[i].index).x);
        wrong[i] = all[i].said != all[i].is;
        snprintf(texts[i], sizeof texts[i], wrong[i] ? "%lld (%lld)" : "%lld", all[i].said, all[i].is);
        captions[i] = texts[i];
    }
    sp_tensor *images = sp_stack(digits, 0);
    if (normal->std > 0) images = sp_add_scalar(sp_mul_scalar(images, normal->std), normal->mean);
    return sp_plot_images(path, images, .columns = COLUMNS, .scale = 3, .captions = captions, .marked = wrong);
}

sp_status draw_predictions(sp_module *model, const normalization *n, sp_dataset *dataset, const char *path)
{
    verdicts v = {.n_wrong = 0};
    sp_status status = SP_OK;
    sp_eval(model);
    SP_NO_GRAD {
        status = judge_all(&v, model, dataset);
        const int64_t room = SHOWN - v.n_wrong, more = v.n_right < room ? v.n_right : room;
        memcpy(v.wrong + v.n_wrong, v.right, (size_t)more * sizeof *v.right);
        if (status == SP_OK) status = draw_verdicts(v.wrong, v.n_wrong + more, n, dataset, path);
    }
    return status;
}
