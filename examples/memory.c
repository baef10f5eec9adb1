/* Why .item(): a loss remembers how it was made. Memory over an epoch, keeping each loss's number, and keeping the
 * loss.
 *
 *     memory [DATA] [EXAMPLES]          DATA as in classifier.c */
#include <spusk/spusk.h>
#include <stdio.h>
#include <stdlib.h>

/* One epoch; what is in use after each step, in kilobytes more than before the first. */
static sp_series *epoch(const char *name, sp_dataset *data, bool keep_losses)
{
    sp_series *memory = sp_series_new(name);
    sp_list *losses = sp_list_new(NULL, 0);
    double sum = 0;

    sp_manual_seed(0);
    sp_loader *loader = sp_data_loader(data, .batch_size = 64, .shuffle = true, .drop_last = true);
    sp_module *model = sp_nn_sequential(sp_nn_linear(784, 256), sp_nn_relu(), sp_nn_linear(256, 128), sp_nn_relu(),
                                        sp_nn_linear(128, 10), sp_nn_log_softmax(1));
    sp_optimizer *optimizer = sp_optim_adam(sp_parameters(model), .lr = 1e-3);
    sp_module *criterion = sp_nn_nll_loss();
    int64_t before = 0;

    sp_foreach_batch (batch, loader) {
        sp_tensor *X = sp_view(batch.x, -1, 784);
        sp_zero_grad(optimizer);
        sp_tensor *output = sp_forward(model, X);
        sp_tensor *loss = sp_forward(criterion, output, batch.y);
        sp_backward(loss);
        if (keep_losses)
            sp_list_append(losses, loss); // the list holds the loss, the loss its graph
        else
            sum += sp_item(loss); // a number, and nothing else
        sp_step(optimizer);
        /* The first step makes the gradients and the optimiser's state, which stay. */
        if (batch.index == 0) before = sp_memory().live_bytes;
        sp_series_push(memory, (double)(sp_memory().live_bytes - before) / 1024);
    }
    for (int64_t i = 0; i < sp_list_length(losses); i++) sum += sp_item(sp_list_get(losses, i));
    double grown = sp_series_y(memory, sp_series_length(memory) - 1);
    printf("%-20s mean loss %.4f, %8.0f KiB more after %lld steps\n", name, sum / (double)sp_loader_length(loader),
           grown, (long long)sp_loader_length(loader));
    return memory;
}

int main(int argc, char **argv)
{
    const char *folder = argc > 1 ? argv[1] : NULL;
    long examples = argc > 2 ? atol(argv[2]) : 60000;
    sp_dataset *data = sp_data_digits(folder, .length = examples);
    sp_series *numbers = NULL, *graphs = NULL;
    SP_SCOPE {
        numbers = sp_escape(epoch("sp_item(loss)", data, false));
    }
    SP_SCOPE {
        graphs = sp_escape(epoch("the loss itself", data, true));
    }
    sp_series *const both[] = {numbers, graphs};
    (sp_plot_lines)("memory.png", (sp_series_list){both, 2},
                    &(sp_plot_options){.size = sizeof(sp_plot_options),
                                       .title = "memory in use over an epoch",
                                       .x_label = "step",
                                       .y_label = "KiB more than after the first step",
                                       .legend = SP_LEGEND_TOP_LEFT});
    return sp_finish();
}
