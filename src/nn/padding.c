/* Images with more around them. */
#include "layer.h"

enum { LEFT, RIGHT, TOP, BOTTOM, VALUE };
enum { ZERO, CONSTANT, REFLECTION, REPLICATION, N_TYPES };

static sp_tensor *pad(sp_module *self, sp_tensor *x, sp_pad_mode mode)
{
    const double *n = sp__layer_numbers(self);
    const int64_t sides[4] = {(int64_t)n[LEFT], (int64_t)n[RIGHT], (int64_t)n[TOP], (int64_t)n[BOTTOM]};
    return sp_pad(x, ((sp_dims){sides, 4}), .mode = mode, .value = n[VALUE]);
}

static sp_tensor *constant_forward(sp_module *self, sp_tensor *x)
{
    return pad(self, x, SP_PAD_CONSTANT);
}

static sp_tensor *reflection_forward(sp_module *self, sp_tensor *x)
{
    return pad(self, x, SP_PAD_REFLECT);
}

static sp_tensor *replication_forward(sp_module *self, sp_tensor *x)
{
    return pad(self, x, SP_PAD_REPLICATE);
}

static sp_status not_negative(const double *n)
{
    for (int i = LEFT; i <= BOTTOM; i++)
        if (!(n[i] >= 0))
            return sp_raise(SP_ERROR_ARGUMENT,
                            "a padding by reflection or replication must be 0 or more, got %.0f; a constant one may "
                            "take away",
                            n[i]);
    return SP_OK;
}

static void put_sides(sp__text *t, const double *n)
{
    sp__put(t, "(%.0f, %.0f, %.0f, %.0f)", n[LEFT], n[RIGHT], n[TOP], n[BOTTOM]);
}

static size_t describe_sides(const sp_module *module, char *buffer, size_t size)
{
    sp__text t = sp__text_in(buffer, size);
    put_sides(&t, sp__layer_numbers(module));
    return t.length;
}

static size_t describe_constant(const sp_module *module, char *buffer, size_t size)
{
    sp__text t = sp__text_in(buffer, size);
    sp__put(&t, "padding=");
    put_sides(&t, sp__layer_numbers(module));
    sp__put(&t, ", value=");
    sp__put_number(&t, sp__layer_number(module, VALUE));
    return t.length;
}

#define SIDE(name)                                                                                                     \
    {                                                                                                                  \
        "padding_" name, SP_ATTRIBUTE_INT, SP__OPTION_NEEDED, 0                                                        \
    }
#define SIDES SIDE("left"), SIDE("right"), SIDE("top"), SIDE("bottom")
static const sp__layer_type types[N_TYPES] = {
    [ZERO] = {.name = "ZeroPad2d", .forward = constant_forward, .describe = describe_sides, .options = {SIDES}},
    [CONSTANT] = {.name = "ConstantPad2d",
                  .forward = constant_forward,
                  .describe = describe_constant,
                  .options = {SIDES, [VALUE] = {"value", SP_ATTRIBUTE_NUMBER, SP__OPTION_NEEDED, 0}}},
    [REFLECTION] = {.name = "ReflectionPad2d",
                    .forward = reflection_forward,
                    .check = not_negative,
                    .describe = describe_sides,
                    .options = {SIDES}},
    [REPLICATION] = {.name = "ReplicationPad2d",
                     .forward = replication_forward,
                     .check = not_negative,
                     .describe = describe_sides,
                     .options = {SIDES}},
};

const sp__layer_type *sp__find_padding(const char *name)
{
    for (int i = 0; i < N_TYPES; i++)
        if (strcmp(types[i].name, name) == 0) return &types[i];
    return NULL;
}

static sp_module *make(int which, int64_t padding, double value, const sp_nn_pad_options *options)
{
    sp_nn_pad_options o;
    double numbers[SP__LAYER_OPTIONS] = {0};
    bool four = false;
    sp_options_copy(&o, sizeof o, options);
    for (int i = 0; i < 4; i++) four |= o.padding_lrtb[i] != 0;
    for (int i = 0; i < 4; i++) {
        const int64_t side = four ? o.padding_lrtb[i] : padding;
        numbers[i] = (double)sp_option_int(side, 0);
    }
    numbers[VALUE] = value;
    return sp__layer_new(&types[which], numbers);
}

sp_module *(sp_nn_zero_pad2d)(int64_t padding, const sp_nn_pad_options *options)
{
    return make(ZERO, padding, 0, options);
}

sp_module *(sp_nn_constant_pad2d)(int64_t padding, double value, const sp_nn_pad_options *options)
{
    return make(CONSTANT, padding, value, options);
}

sp_module *(sp_nn_reflection_pad2d)(int64_t padding, const sp_nn_pad_options *options)
{
    return make(REFLECTION, padding, 0, options);
}

sp_module *(sp_nn_replication_pad2d)(int64_t padding, const sp_nn_pad_options *options)
{
    return make(REPLICATION, padding, 0, options);
}
