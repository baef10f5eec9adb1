/* A small transformer that predicts the next character: (N, 64) characters → scores (64·N, 65). Layers normalise first
 * (Radford and others, "Language Models are Unsupervised Multitask Learners", 2019). */
#include "networks.h"

enum { CHARACTERS = 65, PLACES = 64, WIDTH = 192, HEADS = 6, LAYERS = 3 };

/* ---- causal self-attention ---- */

typedef struct attention {
    sp_module base;
    sp_module *project, *out; /* to queries, keys and values side by side; from all heads */
} attention;

static sp_tensor *attention_forward(sp_module *self, sp_tensor *x)
{
    attention *a = (attention *)self;
    const int64_t n = sp_size(x, 0), places = sp_size(x, 1);
    sp_tensor *qkv = sp_reshape(sp_forward(a->project, x), n, places, 3, HEADS, WIDTH / HEADS);
    qkv = sp_permute(qkv, 2, 0, 3, 1, 4);
    sp_tensor *q = sp_select(qkv, 0, 0), *k = sp_select(qkv, 0, 1), *v = sp_select(qkv, 0, 2);
    sp_tensor *heads = sp_transpose(sp_scaled_dot_product_attention(q, k, v, .is_causal = true), 1, 2);
    return sp_forward(a->out, sp_reshape(heads, n, places, WIDTH));
}

static sp_module *attention_new(void)
{
    attention *a = sp_module_new(attention, .name = "Attention", .forward = attention_forward);
    if (!a) return NULL;
    a->project = sp_module_add(&a->base, "project", sp_nn_linear(WIDTH, 3 * WIDTH));
    a->out = sp_module_add(&a->base, "out", sp_nn_linear(WIDTH, WIDTH));
    return &a->base;
}

/* ---- layers ---- */

typedef struct layer {
    sp_module base;
    sp_module *norm1, *attention, *norm2, *mlp;
} layer;

static sp_tensor *layer_forward(sp_module *self, sp_tensor *x)
{
    layer *l = (layer *)self;
    x = sp_add(x, sp_forward(l->attention, sp_forward(l->norm1, x)));
    return sp_add(x, sp_forward(l->mlp, sp_forward(l->norm2, x)));
}

static sp_module *layer_new(void)
{
    layer *l = sp_module_new(layer, .name = "Layer", .forward = layer_forward);
    if (!l) return NULL;
    sp_module *self = &l->base;
    l->norm1 = sp_module_add(self, "norm1", sp_nn_layer_norm(SP_DIMS(WIDTH)));
    l->attention = sp_module_add(self, "attention", attention_new());
    l->norm2 = sp_module_add(self, "norm2", sp_nn_layer_norm(SP_DIMS(WIDTH)));
    l->mlp = sp_module_add(
        self, "mlp", sp_nn_sequential(sp_nn_linear(WIDTH, 4 * WIDTH), sp_nn_gelu(), sp_nn_linear(4 * WIDTH, WIDTH)));
    return self;
}

/* ---- the whole ---- */

typedef struct former {
    sp_module base;
    sp_module *characters, *layers;
    sp_tensor *positions;
} former;

static sp_tensor *former_forward(sp_module *self, sp_tensor *text)
{
    former *f = (former *)self;
    return sp_forward(f->layers, sp_add(sp_forward(f->characters, text), f->positions));
}

/* Scores of characters, a row for each place. */
static sp_module *former_layers(void)
{
    sp_module *layers[LAYERS + 4];
    int n = 0;
    while (n < LAYERS) layers[n++] = layer_new();
    layers[n++] = sp_nn_layer_norm(SP_DIMS(WIDTH));
    layers[n++] = sp_nn_linear(WIDTH, CHARACTERS);
    layers[n++] = sp_nn_flatten(.start_dim = SP_ZERO, .end_dim = 1);
    layers[n] = sp_last_module_;
    return sp_nn_sequential_until(layers);
}

sp_module *bench_former(void)
{
    former *f = sp_module_new(former, .name = "Former", .forward = former_forward);
    if (!f) return NULL;
    f->characters = sp_module_add(&f->base, "characters", sp_nn_embedding(CHARACTERS, WIDTH));
    f->positions = sp_module_add_parameter(&f->base, "positions",
                                           sp_init_normal_(sp_empty(SP_DIMS(PLACES, WIDTH)), 0, 0.02));
    f->layers = sp_module_add(&f->base, "layers", former_layers());
    return &f->base;
}
