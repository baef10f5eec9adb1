/* spusk predict FILE [digit.png | INDEX]: what a network sees in a picture. */
#include "cli.h"

#include <stdlib.h>
#include <string.h>

/* A picture to look at; its label where it has one, else -1. */
typedef struct subject {
    sp_tensor *image; /* (1, 1, 28, 28) */
    int64_t label;
    sp_dataset *data; /* that it comes from; NULL: a picture of one's own */
} subject;

static bool is_index(const char *word)
{
    return *word && strspn(word, "0123456789") == strlen(word);
}

static subject from_data(const common *c, dataset_options *options, const char *word)
{
    subject none = {NULL, -1, NULL};
    sp_dataset *data = dataset_open(c, options, true);
    long long index = strlen(word) < 18 ? strtoll(word, NULL, 10) : INT64_MAX;
    if (!data || !in_range(c, "INDEX", (double)index, 0, (double)(sp_data_length(data) - 1))) return none;
    sp_example example = sp_data_get(data, index);
    if (!example.x) return none;
    return (subject){sp_unsqueeze(example.x, 0), sp_item_i64(example.y), data};
}

static int64_t best_of(const sp_tensor *probabilities)
{
    return sp_item_i64(sp_argmax((sp_tensor *)(uintptr_t)probabilities));
}

static void print_json(const subject *s, sp_tensor *probabilities)
{
    printf("{\"class\":%lld", (long long)best_of(probabilities));
    if (s->label >= 0) printf(",\"label\":%lld", (long long)s->label);
    fputs(",\"probabilities\":[", stdout);
    for (int64_t i = 0; i < sp_size(probabilities, 0); i++) {
        if (i > 0) fputc(',', stdout);
        json_number(stdout, sp_item(sp_select(probabilities, 0, i)));
    }
    fputc(']', stdout);
    if (s->data) json_dataset(stdout, s->data);
    puts("}");
}

static void print_text(const subject *s, sp_tensor *probabilities)
{
    int64_t best = best_of(probabilities);
    draw_image(stdout, sp_select(sp_select(s->image, 0, 0), 0, 0));
    printf("class %lld, probability %.4f", (long long)best, sp_item(sp_select(probabilities, 0, best)));
    if (s->label >= 0) printf(" (it is %s %lld)", s->label == best ? "indeed" : "in fact", (long long)s->label);
    puts("");
    for (int64_t i = 0; i < sp_size(probabilities, 0); i++) {
        double p = sp_item(sp_select(probabilities, 0, i));
        printf("  %lld  %.4f  %.*s\n", (long long)i, p, p > 0 && p <= 1 ? (int)(p * 40 + 0.5) : 0,
               "########################################");
    }
}

static int predict(const common *c, const char *model, dataset_options *options)
{
    const char *word = c->n_words > 1 ? c->words[1] : "0";
    if (!dataset_known(c, options->name) || (model && !model_known(c, model))) return EXIT_WRONG_USE;
    sp_module *network = load_network(c, c->words[0], model);
    if (!network || !is_classifier(c, network)) return EXIT_FAILED;
    int status = EXIT_FAILED;
    SP_NO_GRAD {
        subject s = is_index(word) ? from_data(c, options, word) : (subject){sp_load_digit(word), -1, NULL};
        const normalization normal = load_normalization(c->words[0]);
        sp_tensor *probabilities = s.image
                                       ? sp_select(sp_model_probabilities(network, normalized(&normal, s.image)), 0, 0)
                                       : NULL;
        if (probabilities) status = EXIT_FINE;
        if (!s.image && sp_error_status() == SP_OK) status = EXIT_WRONG_USE; /* there is no such INDEX */
        if (probabilities && c->json)
            print_json(&s, probabilities);
        else if (probabilities)
            print_text(&s, probabilities);
    }
    return status;
}

int cmd_predict(const command *self, int argc, char **argv)
{
    common c;
    char *model = NULL, *dataset = NULL;
    dataset_options data = {.name = "mnist"};
    struct poptOption table[] = {
        {"model", '\0', POPT_ARG_STRING, &model, 0, "the network, for a file that does not describe it", "NAME"},
        {"dataset", '\0', POPT_ARG_STRING, &dataset, 0, "where INDEX points into: mnist, fashion, synthetic", "NAME"},
        POPT_TABLEEND,
    };
    int status = options_read(&c, self, table, argc, argv);
    if (dataset) data.name = dataset;
    if (status == -1) status = predict(&c, model, &data);
    options_free(&c);
    return status;
}
