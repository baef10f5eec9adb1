/* Changes in place. A twin of an operator runs the operator's own record into its first argument; what exists only in
 * place has records here. g is the gradient of the tensor's new value; that of its old value is 0.
 *
 *     copy_     x becomes the source, broadcast and cast    source: g, summed and cast back
 *     fill_     x becomes a number; zero_ the number 0
 *     uniform_  x becomes random numbers in [low, high)
 *     normal_   x becomes random numbers of the normal distribution */
#include "ops/elementwise.h"
#include <math.h>
#include <spusk/random.h>

/* ---- twins ---- */

#define TWIN(NAME)                                                                                                     \
    sp_tensor *sp_##NAME##_(sp_tensor *x)                                                                              \
    {                                                                                                                  \
        return sp_op_apply_inplace(&sp__op_##NAME, &x, 1, NULL);                                                       \
    }
#define BINARY_TWIN(NAME)                                                                                              \
    sp_tensor *(sp_##NAME##_)(sp_tensor * x, sp_tensor * y)                                                            \
    {                                                                                                                  \
        return sp_op_apply_inplace(&sp__op_##NAME, (sp_tensor *[]){x, y}, 2, NULL);                                    \
    }                                                                                                                  \
    sp_tensor *sp_##NAME##_scalar_(sp_tensor *x, double value)                                                         \
    {                                                                                                                  \
        return sp__apply_f64_inplace(&sp__op_##NAME, x, value);                                                        \
    }                                                                                                                  \
    sp_tensor *sp_##NAME##_int_(sp_tensor *x, int64_t value)                                                           \
    {                                                                                                                  \
        return sp__apply_i64_inplace(&sp__op_##NAME, x, value);                                                        \
    }
TWIN(neg)
TWIN(exp)
TWIN(log)
TWIN(sqrt)
TWIN(tanh)
TWIN(sigmoid)
TWIN(relu)
BINARY_TWIN(add)
BINARY_TWIN(sub)
BINARY_TWIN(mul)
BINARY_TWIN(div)

/* ---- what all records here share ---- */

/* The old value's gradient: none arrives there. */
static sp_status backward_zero(sp_grad_call *call)
{
    return SP__GIVE(call, 0, sp_zeros_like(call->grads[0]));
}

/* ---- copy_ ---- */

static sp_status copy_infer(sp_call *call)
{
    return sp__broadcast_output(call, call->inputs[0]->dtype);
}

static sp_status copy_forward(sp_call *call)
{
    return sp__copy_values(call->outputs[0], call->inputs[1]);
}

static sp_status copy_backward(sp_grad_call *call)
{
    sp_status status = backward_zero(call);
    return status ? status : SP__GIVE(call, 1, call->grads[0]);
}

sp_tensor *(sp_copy_)(sp_tensor *x, sp_tensor *source)
{
    return sp_op_apply_inplace(&sp__op_copy, (sp_tensor *[]){x, source}, 2, NULL);
}

/* ---- fill_, zero_ ---- */

static sp_status fill_infer(sp_call *call)
{
    sp_status status = sp__check_fits(call, call->attributes, call->inputs[0]->dtype);
    return status ? status : sp__infer_any(call);
}

static sp_status fill_forward(sp_call *call)
{
    return sp__fill_number(call->outputs[0], *(const sp__number *)call->attributes);
}

static sp_tensor *fill(const sp_op *op, sp_tensor *x, sp__number number)
{
    return sp_op_apply_inplace(op, &x, 1, &number);
}

sp_tensor *sp_fill_(sp_tensor *x, double value)
{
    return fill(&sp__op_fill, x, sp__float_number(value));
}

sp_tensor *sp_fill_int_(sp_tensor *x, int64_t value)
{
    return fill(&sp__op_fill, x, sp__int_number(value));
}

sp_tensor *sp_zero_(sp_tensor *x)
{
    return fill(&sp__op_zero, x, sp__float_number(0));
}

/* ---- uniform_, normal_ ---- */

/* low and high, or mean and deviation. */
typedef struct distribution {
    double a, b;
} distribution;

static sp_status uniform_infer(sp_call *call)
{
    const distribution *d = call->attributes;
    if (!(d->a <= d->b) || !isfinite(d->b - d->a))
        return sp_raise(SP_ERROR_ARGUMENT, "sp_uniform_: no numbers lie between %g and %g", d->a, d->b);
    return sp__infer_floating_only(call);
}

static sp_status normal_infer(sp_call *call)
{
    const distribution *d = call->attributes;
    if (!(d->b >= 0)) return sp_raise(SP_ERROR_ARGUMENT, "sp_normal_: the deviation %g is negative", d->b);
    return sp__infer_floating_only(call);
}

/* The kernel writes contiguous memory; other tensors get a copy of that. */
static sp_status draw(sp__fill_kind kind, sp_tensor *out, const distribution *d)
{
    int64_t n = sp__product(out->ndim, out->sizes);
    if (n == 0) return SP_OK;
    bool contiguous = sp__strides_contiguous(out->ndim, out->sizes, out->strides);
    sp_tensor *fresh = contiguous ? out : sp__tensor_empty(out->dtype, out->device, out->ndim, out->sizes);
    if (!fresh) return sp_error_status();
    sp_generator *generator = sp_default_generator();
    sp__fill fill = {.kind = kind, .out = sp__operand_of(fresh), .n = n, .a = d->a, .b = d->b, .seed = generator->seed};
    fill.position = sp__generator_take(generator, sp__fill_blocks(kind, out->dtype, n));
    sp_status status = sp__backend_for(out)->fill(&fill);
    if (contiguous) return status;
    if (!status) status = sp__copy_values(out, fresh);
    sp_release(fresh);
    return status;
}

static sp_status uniform_forward(sp_call *call)
{
    return draw(SP__FILL_UNIFORM, call->outputs[0], call->attributes);
}

static sp_status normal_forward(sp_call *call)
{
    return draw(SP__FILL_NORMAL, call->outputs[0], call->attributes);
}

sp_tensor *sp_uniform_(sp_tensor *x, double low, double high)
{
    return sp_op_apply_inplace(&sp__op_uniform, &x, 1, &(distribution){low, high});
}

sp_tensor *sp_normal_(sp_tensor *x, double mean, double std)
{
    return sp_op_apply_inplace(&sp__op_normal, &x, 1, &(distribution){mean, std});
}

/* ---- records; where a draw can only give one number, PyTorch's is the same ---- */

SP__SAMPLE(copy_sample, sp_copy_(sp__sample_copy(in[0]), in[1]));
SP__SAMPLE(fill_sample, sp_fill_(sp__sample_copy(in[0]), 3));
SP__SAMPLE(fill_fraction_sample, sp_fill_(sp__sample_copy(in[0]), 2.5));
SP__SAMPLE(zero_sample, sp_zero_(sp__sample_copy(in[0])));
SP__SAMPLE(uniform_sample, sp_uniform_(sp__sample_copy(in[0]), 2, 2));
SP__SAMPLE(normal_sample, sp_normal_(sp__sample_copy(in[0]), 3, 0));

#define COPY(A, B) SP__PAIR(copy_sample, "a.clone().copy_(b)", A, B, -2, 2)
static const sp_sample copy_samples[] = {
    COPY("3 4", "3 4"),
    COPY("2 3", "3"),
    COPY("2 3", ""),
    COPY("", ""),
    COPY("0 3", "1 3"),
    COPY("1", "1"),
    {.call = copy_sample, .torch = "a.clone().copy_(b)", .inputs = {{.shape = "67"}, {.shape = "67", .dtype = SP_F64}}},
    {.call = copy_sample, .torch = "a.clone().copy_(b)", .inputs = {{.shape = "67"}, {.shape = "67", .dtype = SP_I32}}},
    {0}};
static const sp_sample fill_samples[] = {SP__UNARY_SAMPLES(fill_sample, "a.clone().fill_(3)", -2, 2),
                                         SP__ONE(fill_fraction_sample, "a.clone().fill_(2.5)", "2 3", -2, 2),
                                         {0}};
static const sp_sample zero_samples[] = {SP__UNARY_SAMPLES(zero_sample, "a.clone().zero_()", -2, 2), {0}};
static const sp_sample uniform_samples[] = {SP__UNARY_SAMPLES(uniform_sample, "a.clone().uniform_(2, 2)", -2, 2), {0}};
static const sp_sample normal_samples[] = {SP__UNARY_SAMPLES(normal_sample, "a.clone().normal_(3, 0)", -2, 2), {0}};

#define RECORD(NAME, BACKWARD_NAME, N, SIZE, INFER, FORWARD, BACKWARD)                                                 \
    const sp_op sp__op_##NAME = {.name = #NAME,                                                                        \
                                 .backward_name = BACKWARD_NAME,                                                       \
                                 .n_inputs = N,                                                                        \
                                 .attributes_size = SIZE,                                                              \
                                 .infer = INFER,                                                                       \
                                 .forward = FORWARD,                                                                   \
                                 .backward = BACKWARD,                                                                 \
                                 .samples = NAME##_samples}
RECORD(copy, "CopyBackwards", 2, 0, copy_infer, copy_forward, copy_backward);
RECORD(fill, "FillBackward2", 1, sizeof(sp__number), fill_infer, fill_forward, backward_zero);
RECORD(zero, "ZeroBackward0", 1, sizeof(sp__number), fill_infer, fill_forward, backward_zero);
RECORD(uniform, "UniformBackward0", 1, sizeof(distribution), uniform_infer, uniform_forward, backward_zero);
RECORD(normal, "NormalBackward0", 1, sizeof(distribution), normal_infer, normal_forward, backward_zero);
