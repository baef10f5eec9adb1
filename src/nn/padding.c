/* Images with more around them. */
#include "layer.h"

enum { LEFT, RIGHT, TOP, BOTTOM, SIDES };
enum { ZERO, CONSTANT, REFLECTION, REPLICATION, N_TYPES };

typedef struct pad_values {
    int64_t sides[SIDES];
    double value;
} pad_values;

static sp_tensor *pad(sp_module *self, sp_tensor *x, sp_pad_mode mode)
{
    const pad_values *v = sp__layer_values(self);
    return sp_pad(x, ((sp_dims){v->sides, SIDES}), .mode = mode, .value = v->value);
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

static sp_status not_negative(const void *values)
{
    const pad_values *v = values;
    for (int i = 0; i < SIDES; i++)
        if (v->sides[i] < 0)
            return sp_raise(SP_ERROR_ARGUMENT,
                            "a padding by reflection or replication must be 0 or more, got %lld; a constant one may "
                            "take away",
                            (long long)v->sides[i]);
    return SP_OK;
}

static void put_sides(sp__text *t, const pad_values *v)
{
    for (int i = 0; i < SIDES; i++) sp__put(t, "%s%lld", i > 0 ? ", " : "(", (long long)v->sides[i]);
    sp__put(t, ")");
}

static size_t describe_sides(const sp_module *module, char *buffer, size_t size)
{
    sp__text t = sp__text_in(buffer, size);
    put_sides(&t, sp__layer_values(module));
    return t.length;
}

static size_t describe_constant(const sp_module *module, char *buffer, size_t size)
{
    const pad_values *v = sp__layer_values(module);
    sp__text t = sp__text_in(buffer, size);
    sp__put(&t, "padding=");
    put_sides(&t, v);
    sp__put(&t, ", value=");
    sp__put_number(&t, v->value);
    return t.length;
}

#define OPTION_SIDES                                                                                                   \
    SP__OPTION(pad_values, sides[LEFT], "padding_left", INT, NEEDED, 0),                                               \
        SP__OPTION(pad_values, sides[RIGHT], "padding_right", INT, NEEDED, 0),                                         \
        SP__OPTION(pad_values, sides[TOP], "padding_top", INT, NEEDED, 0),                                             \
        SP__OPTION(pad_values, sides[BOTTOM], "padding_bottom", INT, NEEDED, 0)
static const sp__layer_type types[N_TYPES] = {
    [ZERO] = {.name = "ZeroPad2d",
              .values_size = sizeof(pad_values),
              .forward = constant_forward,
              .describe = describe_sides,
              .options = {OPTION_SIDES}},
    [CONSTANT] = {.name = "ConstantPad2d",
                  .values_size = sizeof(pad_values),
                  .forward = constant_forward,
                  .describe = describe_constant,
                  .options = {OPTION_SIDES, SP__OPTION(pad_values, value, "value", NUMBER, NEEDED, 0)}},
    [REFLECTION] = {.name = "ReflectionPad2d",
                    .values_size = sizeof(pad_values),
                    .forward = reflection_forward,
                    .check = not_negative,
                    .describe = describe_sides,
                    .options = {OPTION_SIDES}},
    [REPLICATION] = {.name = "ReplicationPad2d",
                     .values_size = sizeof(pad_values),
                     .forward = replication_forward,
                     .check = not_negative,
                     .describe = describe_sides,
                     .options = {OPTION_SIDES}},
};
const sp__layer_family sp__paddings = SP__LAYER_FAMILY(types);

static sp_module *make(int which, int64_t padding, double value, const sp_nn_pad_options *options)
{
    sp_nn_pad_options o;
    pad_values values = {.value = value};
    bool four = false;
    sp_options_copy(&o, sizeof o, options);
    for (int i = 0; i < SIDES; i++) four |= o.padding_lrtb[i] != 0;
    for (int i = 0; i < SIDES; i++) values.sides[i] = sp_option_int(four ? o.padding_lrtb[i] : padding, 0);
    return sp__layer_new(&types[which], &values);
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
