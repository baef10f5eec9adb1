/* The one function that calls every operator: checks, runs, records. */
#include "autograd/deferred.h"
#include "autograd/fusion.h"
#include "autograd/node.h"
#include <stdio.h>
#include <string.h>

enum { MAX_OUTPUTS = sizeof((sp_call *)NULL)->outputs / sizeof(sp_tensor *) };

/* 0: a number that cannot be, of which check_record tells. */
static int outputs_of(const sp_op *op)
{
    if (op->n_outputs < 0 || op->n_outputs > MAX_OUTPUTS) return 0;
    return op->n_outputs ? op->n_outputs : 1;
}

/* A program writes records, too. */
static sp_status check_record(const sp_op *op)
{
    if (!op->name) return sp_raise(SP_ERROR_ARGUMENT, "sp_op_apply: an operator's record needs a name");
    if (!op->infer) return sp_raise(SP_ERROR_ARGUMENT, "sp_%s: its record has no infer", op->name);
    if (outputs_of(op) == 0)
        return sp_raise(SP_ERROR_ARGUMENT, "sp_%s: its record says %d outputs; at most %d are possible", op->name,
                        op->n_outputs, (int)MAX_OUTPUTS);
    if (op->backward_name && !op->backward)
        return sp_raise(SP_ERROR_ARGUMENT, "sp_%s: its record has a backward_name, but no backward", op->name);
    return SP_OK;
}

/* What failed has a cause, whoever forgot to say it. */
static sp_status with_cause(const sp_op *op, const char *part, sp_status status)
{
    if (!status || sp_error_status()) return status;
    return sp_raise(status, "sp_%s: its %s failed and raised no error (sp_raise)", op->name, part);
}

/* Runs infer; all outputs are there when it succeeds. */
static sp_status infer(sp_call *call)
{
    const sp_op *op = call->op;
    sp_status status = with_cause(op, "infer", op->infer(call));
    for (int i = 0; i < call->n_outputs && !status; i++)
        if (!call->outputs[i])
            status = sp_raise(SP_ERROR_STATE, "sp_%s: its infer made no output %d (sp_call_output, sp_call_view)",
                              op->name, i);
    return status;
}

/* suffix: "_" for the twin in place. */
static sp_status check_inputs(const sp_op *op, const char *suffix, sp_tensor *const *inputs, int n)
{
    if (check_record(op)) return sp_error_status();
    if (!inputs) return sp_raise_null(op->name, "inputs");
    if (op->n_inputs >= 0 ? n != op->n_inputs : n < 1 || n > SP_MAX_INPUTS)
        return sp_raise(SP_ERROR_ARGUMENT, "sp_%s%s: takes %d tensors, not %d", op->name, suffix, op->n_inputs, n);
    const sp_tensor *first = NULL;
    for (int i = 0; i < n; i++) {
        bool optional = i < 32 && (op->optional >> i & 1);
        if (optional && inputs[i] == sp_none_) continue;
        char function[64], number[12];
        if (inputs[i] == NULL || !sp__is_tensor(inputs[i])) {
            snprintf(function, sizeof function, "sp_%s%s", op->name, suffix);
            snprintf(number, sizeof number, "%d", i + 1);
            if (optional && !inputs[i] && !sp_error_status())
                return sp_raise(SP_ERROR_NULL, "%s: argument %s is NULL: pass SP_NONE for no tensor", function, number);
            return sp__check_tensor(inputs[i], function, number);
        }
        if (!first) first = inputs[i];
        if (inputs[i]->device.kind != first->device.kind || inputs[i]->device.index != first->device.index)
            return sp_raise(SP_ERROR_DEVICE, "sp_%s%s: the tensors are on different devices", op->name, suffix);
    }
    return SP_OK;
}

static void drop_outputs(sp_call *call)
{
    for (int i = 0; i < call->n_outputs; i++) {
        if (call->outputs[i]) sp_release(call->outputs[i]);
        call->outputs[i] = NULL;
    }
}

static sp_status run_own(sp_call *call)
{
    return with_cause(call->op, "forward", call->op->forward(call));
}

sp_status sp__run_forward(sp_call *call)
{
    bool fused = false;
    sp_status status = sp__fuse_now(call, &fused);
    if (status || fused) return status;
    status = sp__ready_all(call->inputs, call->n_inputs);
    return status ? status : run_own(call);
}

static sp_status allocate_outputs(sp_call *call)
{
    sp_status status = SP_OK;
    for (int i = 0; i < call->n_outputs && !status; i++)
        if (!call->outputs[i]->storage)
            status = call->op->forward
                         ? sp__tensor_allocate(call->outputs[i])
                         : sp_raise(SP_ERROR_ARGUMENT, "sp_%s: its record has no forward, which only a view may lack",
                                    call->op->name);
    return status;
}

/* The table of fusions is asked only where it may have something. */
static sp_status run(sp_call *call)
{
    const bool ready = sp__are_ready(call->inputs, call->n_inputs);
    bool deferred = false;
    sp_status status = infer(call);
    if (!status && (!ready || sp__may_begin_fusion(call->op))) status = sp__fuse_later(call, &deferred);
    if (status || deferred) return status;
    status = allocate_outputs(call);
    if (status || !call->op->forward) return status; /* a pure view reads nothing */
    return ready ? run_own(call) : sp__run_forward(call);
}

sp_status sp_call_output(sp_call *call, int i, sp_dtype dtype, sp_dims dims)
{
    sp_device device = {SP_CPU, 0};
    for (int k = 0; k < call->n_inputs; k++)
        if (!sp__is_none(call->inputs[k])) {
            device = call->inputs[k]->device;
            break;
        }
    if (i < 0 || i >= call->n_outputs)
        return sp_raise(SP_ERROR_ARGUMENT, "sp_call_output: sp_%s has %d outputs, so none of number %d", call->op->name,
                        call->n_outputs, i);
    if (call->outputs[i]) sp_release(call->outputs[i]);
    call->outputs[i] = sp__tensor_new(dtype, device, dims.n, dims.data);
    if (!call->outputs[i]) return sp_error_status();
    sp__object_set_origin(call->outputs[i], call->op->name);
    return SP_OK;
}

sp_status sp_call_output_like(sp_call *call, int i, sp_dtype dtype, sp_dims dims, const sp_tensor *like)
{
    sp_status status = sp_call_output(call, i, dtype, dims);
    if (!status) sp__set_layout(call->outputs[i], like);
    return status;
}

sp_status sp_call_output_channels_last(sp_call *call, int i, sp_dtype dtype, sp_dims dims)
{
    sp_status status = sp_call_output(call, i, dtype, dims);
    if (!status) sp__set_channels_last(call->outputs[i]);
    return status;
}

sp_status sp_call_view(sp_call *call, int i, sp_tensor *of, sp_dims sizes, const int64_t *strides, int64_t offset)
{
    sp_status status = sp_call_output(call, i, of->dtype, sizes);
    if (status) return status;
    sp_tensor *view = call->outputs[i];
    memcpy(view->strides, strides, (size_t)sizes.n * sizeof *strides);
    view->offset = offset;
    view->storage = of->storage;
    sp__storage_ref(view->storage);
    sp_tensor *base = sp__base_of(of);
    view->base = sp__ref(base ? base : of);
    view->base_generation = view->base->generation;
    view->stands_in = of->stands_in;
    return SP_OK;
}

/* A call whose inputs are checked. */
static sp_status run_and_record(sp_call *call)
{
    const sp_op *op = call->op;
    sp_status status = run(call);
    if (!status && op->backward_name && sp__should_record(call->inputs, call->n_inputs)) status = sp__record(call);
    if (status) drop_outputs(call);
    return status;
}

static sp_status run_mixed(sp_call *call)
{
    sp_tensor *cast[SP_MAX_INPUTS];
    sp_status status = sp__autocast(call->op, call->inputs, call->n_inputs, cast);
    call->inputs = cast;
    if (!status) status = run_and_record(call);
    call->inputs = NULL;
    return status;
}

sp_status sp_op_apply_n(sp_tensor **outputs, const sp_op *op, sp_tensor *const *inputs, int n, const void *attributes)
{
    if (!op || !outputs) return sp_raise_null("sp_op_apply", op ? "outputs" : "op");
    sp_call call = {.op = op, .inputs = inputs, .n_inputs = n, .attributes = attributes, .n_outputs = outputs_of(op)};
    sp__caller caller = {.name = op->name, .suffix = ""};
    sp__call_enter(&caller);
    sp_status status = check_inputs(op, "", inputs, n);
    const bool mixed = op->autocast && sp_autocast_dtype();
    if (!status) status = mixed ? run_mixed(&call) : run_and_record(&call);
    sp__call_leave(&caller);
    for (int i = 0; i < call.n_outputs; i++) outputs[i] = call.outputs[i];
    return status;
}

sp_tensor *sp_op_apply(const sp_op *op, sp_tensor *const *inputs, int n, const void *attributes)
{
    sp_tensor *outputs[4] = {0};
    return sp_op_apply_n(outputs, op, inputs, n, attributes) ? NULL : outputs[0];
}

/* ---- in place ---- */

static int rank_of(sp_dtype dtype)
{
    return dtype == SP_BOOL ? 0 : sp_dtype_is_floating_point(dtype) ? 2 : 1;
}

/* What the operator would make must fit into x. */
static sp_status check_result(const sp_op *op, const sp_tensor *x, const sp_tensor *result)
{
    bool same = x->ndim == result->ndim && memcmp(x->sizes, result->sizes, (size_t)x->ndim * sizeof *x->sizes) == 0;
    if (!same)
        return sp_raise(SP_ERROR_SHAPE, "sp_%s_: the result has shape %s, which does not fit into %s", op->name,
                        sp__shape_of(result), sp__shape_of(x));
    if (rank_of(result->dtype) > rank_of(x->dtype))
        return sp_raise(SP_ERROR_DTYPE, "sp_%s_: a result of dtype %s cannot be kept in a tensor of dtype %s", op->name,
                        sp_dtype_name(result->dtype), sp_dtype_name(x->dtype));
    return SP_OK;
}

static bool same_view(const sp_tensor *a, const sp_tensor *b)
{
    return a->offset == b->offset && a->ndim == b->ndim && a->dtype == b->dtype &&
           memcmp(a->sizes, b->sizes, (size_t)a->ndim * sizeof *a->sizes) == 0 &&
           !memcmp(a->strides, b->strides, (size_t)a->ndim * sizeof *a->strides);
}

/* Operands that share memory with x in another arrangement are read from copies: the kernel may write before it reads.
 */
static sp_status separate(sp_tensor *const *inputs, int n, sp_tensor **out)
{
    for (int i = 0; i < n; i++) {
        sp_tensor *y = inputs[i];
        bool clashes = i > 0 && !sp__is_none(y) && y->storage == inputs[0]->storage && !same_view(y, inputs[0]);
        out[i] = clashes ? sp__tensor_empty(y->dtype, y->device, y->ndim, y->sizes) : y;
        if (!out[i] || (clashes && sp__copy_values(out[i], y))) return sp_error_status();
    }
    return SP_OK;
}

/* Runs forward with x's own memory as the output. */
static sp_status run_into(const sp_op *op, sp_tensor *const *inputs, int n, const void *attributes)
{
    sp_tensor *operands[SP_MAX_INPUTS];
    sp_tensor *x = inputs[0];
    sp_status status = sp__ready_all(inputs, n);
    if (!status) status = sp__before_write(x);
    if (!status) status = separate(inputs, n, operands);
    sp_call call = {.op = op, .inputs = operands, .n_inputs = n, .attributes = attributes, .n_outputs = 1};
    if (!status) status = infer(&call);
    if (!status) status = check_result(op, x, call.outputs[0]);
    drop_outputs(&call);
    if (!status && !(call.outputs[0] = sp__tensor_alias(x))) status = sp_error_status();
    if (!status && !op->forward)
        status = sp_raise(SP_ERROR_ARGUMENT, "sp_%s_: a view writes nothing in place", op->name);
    if (!status) status = with_cause(op, "forward", op->forward(&call));
    drop_outputs(&call);
    return status;
}

static sp_status check_written(const sp_op *op, const sp_tensor *x)
{
    char function[64];
    snprintf(function, sizeof function, "sp_%s_", op->name);
    return sp__check_writable(x, function);
}

static sp_tensor *apply_inplace(const sp_op *op, sp_tensor *const *inputs, int n, const void *attributes)
{
    if (check_inputs(op, "_", inputs, n) || check_written(op, inputs[0])) return NULL;
    sp_tensor *x = inputs[0];
    sp__pending pending = {0};
    bool record = op->backward_name && sp__should_record(inputs, n);
    sp_scope scope = sp_scope_open();
    sp_status status = record ? sp__prepare_inplace(op, inputs, n, attributes, &pending) : SP_OK;
    if (!status) {
        status = run_into(op, inputs, n, attributes);
        if (status != SP_ERROR_SHAPE && status != SP_ERROR_DTYPE) sp__bump_version(x);
    }
    if (record && !status)
        sp__rebase(x, &pending);
    else
        sp__drop_pending(&pending);
    sp_scope_close(&scope);
    return status ? NULL : x;
}

sp_tensor *sp_op_apply_inplace(const sp_op *op, sp_tensor *const *inputs, int n, const void *attributes)
{
    if (!op) {
        sp_raise_null("sp_op_apply_inplace", "op");
        return NULL;
    }
    sp__caller caller = {.name = op->name, .suffix = "_"};
    sp__call_enter(&caller);
    sp_tensor *x = apply_inplace(op, inputs, n, attributes);
    sp__call_leave(&caller);
    return x;
}
