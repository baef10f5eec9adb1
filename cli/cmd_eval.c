/* spusk eval FILE: how good saved weights are on the validation half. */
#include "cli.h"

static int print_figures(const common *c, sp_dataset *data, const sp_figures *f)
{
    if (!c->json) {
        fputs("data: ", stdout);
        put_text(stdout, sp_data_description(data));
        fputc('\n', stdout);
        printf("loss %.4f  accuracy %.4f  (%lld of %lld right)\n", f->loss, f->accuracy, (long long)f->correct,
               (long long)f->total);
        return EXIT_FINE;
    }
    fputs("{\"loss\":", stdout);
    json_number(stdout, f->loss);
    fputs(",\"accuracy\":", stdout);
    json_number(stdout, f->accuracy);
    printf(",\"correct\":%lld,\"total\":%lld", (long long)f->correct, (long long)f->total);
    json_dataset(stdout, data);
    puts("}");
    return EXIT_FINE;
}

static int eval(const common *c, const char *model, dataset_options *options)
{
    if (!dataset_known(c, options->name) || !in_range(c, "--limit", (double)options->limit, 0, 1e12))
        return EXIT_WRONG_USE;
    if (model && !model_known(c, model)) return EXIT_WRONG_USE;
    sp_module *network = load_network(c, c->words[0], model);
    if (network && !is_classifier(c, network)) return EXIT_FAILED;
    if (network) options->normal = load_normalization(c->words[0]);
    sp_dataset *data = network ? dataset_open(c, options, true) : NULL;
    sp_figures result;
    if (!data || sp_evaluate(&result, network, evaluation_loader(data, 0)) != SP_OK) return EXIT_FAILED;
    return print_figures(c, data, &result);
}

int cmd_eval(const command *self, int argc, char **argv)
{
    common c;
    char *model = NULL, *dataset = NULL;
    dataset_options data = {.name = "mnist"};
    struct poptOption table[] = {
        {"model", '\0', POPT_ARG_STRING, &model, 0, "the network, for a file that does not describe it", "NAME"},
        {"dataset", '\0', POPT_ARG_STRING, &dataset, 0, "mnist (default), fashion or synthetic", "NAME"},
        {"limit", '\0', POPT_ARG_LONGLONG, &data.limit, 0, "as in spusk train: the first N/6 examples (0: all)", "N"},
        POPT_TABLEEND,
    };
    int status = options_read(&c, self, table, argc, argv);
    if (dataset) data.name = dataset;
    if (status == -1) status = eval(&c, model, &data);
    options_free(&c);
    return status;
}
