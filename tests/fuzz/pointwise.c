/* Element by element: functions with options, mixed dtypes, results written in place. */
#include "fuzz/call.h"

/* ---- one input; two numbers ---- */

static void draw_one(fuzz_case *c, fuzz_random *r, int attempt)
{
    int64_t sizes[SP_MAX_DIMS];
    const int ndim = fuzz_shape(r, sizes);
    fuzz_add(c, r, attempt ? fuzz_float(r) : fuzz_any_dtype(r), (sp_dims){sizes, ndim});
    c->real[0] = fuzz_chance(r, 20) ? (double)(fuzz_one_of(r, 0, 1, -1, 2, 3)) : fuzz_real(r, -3, 3);
    c->real[1] = fuzz_chance(r, 20) ? 1 : fuzz_real(r, 0.05, 4);
    c->whole[0] = fuzz_between(r, -3, 5);
}

CALL(softplus, sp_softplus(in[0], .beta = c->real[1], .threshold = sp_exactly(c->real[0])))
CALL(leaky_relu, sp_leaky_relu(in[0], .negative_slope = sp_exactly(c->real[0])))
CALL(elu, sp_elu(in[0], .alpha = sp_exactly(c->real[0])))
CALL(gelu, sp_gelu(in[0], .tanh = c->whole[0] > 0))
CALL(clamp, sp_clamp(in[0], c->real[0], c->real[0] + c->real[1]))
CALL(clamp_min, sp_clamp_min(in[0], c->real[0]))
CALL(clamp_max, sp_clamp_max(in[0], c->real[0]))
CALL(add_scalar, sp_add_scalar(in[0], c->real[0]))
CALL(rsub_int, sp_rsub_int(in[0], c->whole[0]))
CALL(mul_scalar, sp_mul_scalar(in[0], c->real[0]))
CALL(div_scalar, sp_div_scalar(in[0], c->real[1]))
CALL(compare, sp_le_scalar(in[0], c->real[0]))
CALL(fill, sp_fill_(sp_clone(in[0]), c->real[0]))

static void draw_positive(fuzz_case *c, fuzz_random *r, int attempt)
{
    draw_one(c, r, attempt);
    c->in[0].low = 0.05;
}

CALL(pow_scalar, sp_pow_scalar(in[0], c->real[0]))
CALL(pow_int, sp_pow_int(in[0], c->whole[0]))

/* ---- casts: from any dtype to any ---- */

static void draw_cast(fuzz_case *c, fuzz_random *r, int attempt)
{
    draw_one(c, r, attempt);
    c->in[0].special = false; /* what does not fit is undefined */
    c->in[0].low = fuzz_chance(r, 50) ? 0 : -100;
    c->in[0].high = 100;
    c->whole[0] = fuzz_one_of(r, SP_F32, SP_F64, SP_BF16, SP_I64, SP_I32, SP_U8, SP_BOOL);
    if (c->whole[0] == SP_U8) c->in[0].low = 0;
}

CALL(cast, sp_cast(in[0], (sp_dtype)c->whole[0]))

/* ---- several inputs that broadcast, of any dtypes ---- */

static void draw_several(fuzz_case *c, fuzz_random *r, int n, int first_bool, int attempt)
{
    int64_t sizes[SP_MAX_DIMS], mine[SP_MAX_DIMS];
    const int ndim = fuzz_shape(r, sizes);
    sp_dtype dtype = attempt ? SP_F32 : fuzz_any_dtype(r);
    for (int i = 0; i < n; i++) {
        const int left_out = fuzz_chance(r, 20) ? (int)fuzz_between(r, 0, ndim) : 0;
        for (int d = left_out; d < ndim; d++) mine[d - left_out] = fuzz_chance(r, 15) ? 1 : sizes[d];
        if (fuzz_chance(r, 20) && !attempt) dtype = fuzz_any_dtype(r);
        fuzz_add(c, r, i == first_bool ? SP_BOOL : dtype, (sp_dims){mine, ndim - left_out});
    }
    c->real[0] = fuzz_real(r, -1, 2);
}

static void draw_two(fuzz_case *c, fuzz_random *r, int attempt)
{
    draw_several(c, r, 2, -1, attempt);
}

static void draw_three(fuzz_case *c, fuzz_random *r, int attempt)
{
    draw_several(c, r, 3, -1, attempt);
}

static void draw_where(fuzz_case *c, fuzz_random *r, int attempt)
{
    draw_several(c, r, 3, 0, attempt);
}

static void draw_mask(fuzz_case *c, fuzz_random *r, int attempt)
{
    draw_several(c, r, 2, 1, attempt);
}

static void draw_powers(fuzz_case *c, fuzz_random *r, int attempt)
{
    draw_two(c, r, attempt);
    c->in[0].low = c->in[1].low = 0.1;
}

CALL(add, sp_add(in[0], in[1]))
CALL(sub, sp_sub(in[0], in[1]))
CALL(mul, sp_mul(in[0], in[1]))
CALL(divide, sp_div(in[0], in[1]))
CALL(power, sp_pow(in[0], in[1]))
CALL(maximum, sp_maximum(in[0], in[1]))
CALL(minimum, sp_minimum(in[0], in[1]))
CALL(lerp, sp_lerp(in[0], in[1], c->real[0]))
CALL(lerp_tensor, sp_lerp_tensor(in[0], in[1], in[2]))
CALL(less, sp_lt(in[0], in[1]))
CALL(equal, sp_eq(in[0], in[1]))
CALL(logical_xor, sp_logical_xor(in[0], in[1]))
CALL(where, sp_where(in[0], in[1], in[2]))
CALL(masked_fill, sp_masked_fill(in[0], in[1], c->real[0]))

/* ---- in place, into a view with gaps ---- */

static void draw_in_place(fuzz_case *c, fuzz_random *r, int attempt)
{
    int64_t sizes[SP_MAX_DIMS];
    const int ndim = 1 + (int)fuzz_between(r, 0, 3);
    const sp_dtype dtype = attempt ? fuzz_float(r) : fuzz_any_dtype(r);
    fuzz_sizes(r, ndim, 20000, sizes);
    fuzz_add(c, r, dtype, (sp_dims){sizes, ndim});
    c->whole[0] = fuzz_between(r, 0, ndim - 1);
    c->whole[1] = fuzz_between(r, 0, sizes[c->whole[0]] - 1);
    c->whole[2] = fuzz_between(r, 1, 3);
    c->whole[3] = fuzz_between(r, 0, 5);
    sizes[c->whole[0]] = (sizes[c->whole[0]] - c->whole[1] + c->whole[2] - 1) / c->whole[2];
    fuzz_add(c, r, dtype, (sp_dims){sizes, ndim});
}

static sp_tensor *in_place(const fuzz_case *c, sp_tensor *const *in, sp_list *leaves)
{
    (void)leaves;
    sp_tensor *whole = sp_clone(in[0]);
    sp_tensor *part = sp_slice(whole, (int)c->whole[0], c->whole[1], SP_END, c->whole[2]);
    sp_tensor *done = NULL;
    switch (c->whole[3]) {
    case 0: done = sp_copy_(part, in[1]); break;
    case 1: done = sp_add_(part, in[1]); break;
    case 2: done = sp_mul_(part, in[1]); break;
    case 3: done = sp_lerp_(part, in[1], 0.3); break;
    case 4: done = sp_clamp_(part, -1, 1); break;
    default: done = sp_add_(part, part); break;
    }
    return done ? whole : NULL;
}

const fuzz_subject fuzz_pointwise[] = {
    {"softplus with options", &sp__op_softplus, draw_one, softplus, 0},
    {"leaky_relu with options", &sp__op_leaky_relu, draw_one, leaky_relu, 0},
    {"elu with options", &sp__op_elu, draw_one, elu, 0},
    {"gelu with options", &sp__op_gelu, draw_one, gelu, 0},
    {"clamp with options", &sp__op_clamp, draw_one, clamp, 0},
    {"clamp_min with options", &sp__op_clamp_min, draw_one, clamp_min, 0},
    {"clamp_max with options", &sp__op_clamp_max, draw_one, clamp_max, 0},
    {"add_scalar", &sp__op_add, draw_one, add_scalar, 0},
    {"rsub_int", &sp__op_rsub, draw_one, rsub_int, 0},
    {"mul_scalar", &sp__op_mul, draw_one, mul_scalar, 0},
    {"div_scalar", &sp__op_div, draw_one, div_scalar, 0},
    {"le_scalar", &sp__op_le, draw_one, compare, 0},
    {"fill_", &sp__op_fill, draw_one, fill, 0},
    {"pow_scalar with options", &sp__op_pow_scalar, draw_positive, pow_scalar, 0},
    {"pow_int", &sp__op_pow_scalar, draw_one, pow_int, 0},
    {"cast of any to any", &sp__op_cast, draw_cast, cast, 0},
    {"add, mixed", &sp__op_add, draw_two, add, 0},
    {"sub, mixed", &sp__op_sub, draw_two, sub, 0},
    {"mul, mixed", &sp__op_mul, draw_two, mul, 0},
    {"div, mixed", &sp__op_div, draw_two, divide, 0},
    {"pow, mixed", &sp__op_pow, draw_powers, power, 0},
    {"maximum, mixed", &sp__op_maximum, draw_two, maximum, 0},
    {"minimum, mixed", &sp__op_minimum, draw_two, minimum, 0},
    {"lerp, mixed", &sp__op_lerp, draw_two, lerp, 0},
    {"lerp_tensor, mixed", &sp__op_lerp_tensor, draw_three, lerp_tensor, 0},
    {"lt, mixed", &sp__op_lt, draw_two, less, 0},
    {"eq, mixed", &sp__op_eq, draw_two, equal, 0},
    {"logical_xor, mixed", &sp__op_logical_xor, draw_two, logical_xor, 0},
    {"where, mixed", &sp__op_where, draw_where, where, 0},
    {"masked_fill, mixed", &sp__op_masked_fill, draw_mask, masked_fill, 0},
    {"in place", NULL, draw_in_place, in_place, FUZZ_MODEST},
    {0},
};
