/* NULL into every public function: refused, with an error that names the function, and nothing else happens. The calls
 * are written by tools/null_calls.py from the headers. */
#include "support/support.h"
#include <spusk/extend.h>
#include <spusk/spusk.h>
#include <string.h>
#include <unistd.h>

static char a_buffer[256];
static sp_tensor *outputs[4];

static sp_tensor *a_tensor(void)
{
    return sp_ones(SP_DIMS(2, 2));
}
static sp_list *a_list(void)
{
    return SP_LIST(sp_ones(SP_DIMS(2), .requires_grad = true));
}
static sp_module *a_module(void)
{
    return sp_nn_linear(2, 2);
}
static sp_optimizer *an_optimizer(void)
{
    return sp_optim_sgd(a_list());
}
static sp_scheduler *a_scheduler(void)
{
    return sp_lr_scheduler_step_lr(an_optimizer(), 1);
}
static sp_outline_tensor outline_tensors[SP_OUTLINE_TENSORS];
static sp_safe_file *a_safe_file(void)
{
    sp_save_state(a_module(), support_path("a_file.safetensors"));
    return sp_safe_open(support_path("a_file.safetensors"));
}
static sp_generator *a_generator(void)
{
    return sp_generator_new(1);
}
static sp_dataset *a_dataset(void)
{
    return sp_data_tensors(a_tensor(), a_tensor());
}
static sp_transform *a_transform(void)
{
    return sp_transform_to_tensor();
}
static sp_figures some_figures;
static sp_series *a_series(void)
{
    return sp_series_new("a series");
}

static const sp_scatter_panel a_panel;

static sp_loader *a_loader(void)
{
    return sp_data_loader(a_dataset());
}
static sp_batch_scheduler *a_batch_scheduler(void)
{
    sp_loader *loader = a_loader();
    return sp_batch_scheduler_multi_step(loader, an_optimizer(), SP_DIMS(1));
}

static sp_movie *a_movie(void)
{
    return sp_movie_new("a movie.html");
}

static sp_surface *a_surface(void)
{
    return sp_surface_by_name("beale");
}

static sp_dict *a_dict(void)
{
    sp_dict *dict = sp_dict_new();
    sp_dict_set(dict, "a name", a_tensor());
    return dict;
}

/* Lists that end in their sentinel; good until the next call. */
static sp_tensor *const *some_tensors(void)
{
    static sp_tensor *list[4];
    list[0] = a_tensor();
    list[1] = list[2] = list[3] = sp_last_;
    return list;
}

static sp_series *const *some_series(void)
{
    static sp_series *list[1];
    list[0] = a_series();
    return list;
}

static sp_tensor *a_hook(sp_tensor *grad, void *user)
{
    (void)user;
    return grad;
}

static sp_tensor *a_function(sp_tensor *const *inputs, void *user)
{
    (void)user;
    return inputs[0];
}

static void a_visit(sp_module *module, void *user)
{
    (void)module, (void)user;
}

static sp_status infer_same(sp_call *call)
{
    return sp_call_output(call, 0, SP_F32, sp_sizes(call->inputs[0]));
}

static sp_status forward_nothing(sp_call *call)
{
    (void)call;
    return SP_OK;
}

static const sp_op an_op = {.name = "nothing", .n_inputs = 1, .infer = infer_same, .forward = forward_nothing};
static const sp_update_numbers some_numbers = {.lr = 1};

static int64_t a_length(void *self)
{
    (void)self;
    return 1;
}

static sp_example a_get(void *self, int64_t index)
{
    (void)self, (void)index;
    return (sp_example){a_tensor(), a_tensor()};
}

static const sp_dataset_class a_dataset_class = {.size = sizeof a_dataset_class, .length = a_length, .get = a_get};

static int calls, failures;

static void refuses(const char *function, bool refused)
{
    calls++;
    bool pending = sp_error_status() != SP_OK;
    if (!refused || !pending) {
        failures++;
        printf("# %s with NULL: %s\n", function, !refused ? "was not refused" : "left no error");
    } else if (!*sp_error_message()) {
        failures++;
        printf("# %s with NULL: an error without a message\n", function);
    }
    sp_error_clear();
}

static void passes(const char *function, int nothing)
{
    (void)nothing;
    calls++;
    if (sp_error_status() == SP_OK) return;
    failures++;
    printf("# %s with NULL: %s\n", function, sp_error_message());
    sp_error_clear();
}

static void test_null_into_every_function(void **state)
{
    (void)state;
#include "null_calls.inc.h"
    printf("# %d calls\n", calls);
    assert_true(calls >= 300);
    assert_int_equal(failures, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {sp_test(test_null_into_every_function)};
    return sp_test_main(tests);
}
