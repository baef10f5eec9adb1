/* The negative log likelihood: one element is read or written for each target, so loops are not typed. */
#include "backends/cpu/reference.h"

/* What is the same for all targets. */
typedef struct sums {
    double loss, weight;
} sums;

static char *element(const sp__operand *operand, int64_t i)
{
    return sp__operand_at(operand) + i * sp__size_of(operand->dtype);
}

static double load(const sp__operand *operand, int64_t i)
{
    return sp__load_f64(operand->dtype, element(operand, i));
}

static int64_t target_at(const sp__nll *call, int64_t i)
{
    const char *p = element(&call->target, i);
    return call->target.dtype == SP_U8 ? *(const uint8_t *)p : *(const int64_t *)p;
}

static double weight_of(const sp__nll *call, int64_t target)
{
    return call->weight.buffer ? load(&call->weight, target) : 1;
}

/* Where target i points in x; i runs over (batch, inner). */
static int64_t place(const sp__nll *call, int64_t i, int64_t target)
{
    return ((i / call->inner) * call->classes + target) * call->inner + i % call->inner;
}

static sp_status check_targets(const sp__nll *call)
{
    for (int64_t i = 0; i < call->batch * call->inner; i++) {
        const int64_t target = target_at(call, i);
        if ((target >= 0 && target < call->classes) || target == call->ignore_index) continue;
        return sp_raise(SP_ERROR_ARGUMENT, "%s: target %lld (element %lld) is out of range for %lld classes",
                        call->function, (long long)target, (long long)i, (long long)call->classes);
    }
    return SP_OK;
}

/* Adds up what the targets cost and weigh; stores the costs where each is wanted. */
static sums forward(const sp__nll *call)
{
    sums total = {0};
    for (int64_t i = 0; i < call->batch * call->inner; i++) {
        const int64_t target = target_at(call, i);
        const bool counts = target != call->ignore_index;
        const double weight = counts ? weight_of(call, target) : 0;
        const double loss = counts ? -weight * load(&call->x, place(call, i, target)) : 0;
        if (call->each) sp__store_f64(call->loss.dtype, element(&call->loss, i), loss);
        total.loss += loss;
        total.weight += weight;
    }
    return total;
}

static double total_weight(const sp__nll *call)
{
    double total = 0;
    for (int64_t i = 0; i < call->batch * call->inner; i++) {
        const int64_t target = target_at(call, i);
        if (target != call->ignore_index) total += weight_of(call, target);
    }
    return total;
}

static void backward(const sp__nll *call)
{
    const int64_t n = call->batch * call->inner;
    if (n * call->classes == 0) return;
    memset(sp__operand_at(&call->x), 0, (size_t)(n * call->classes * sp__size_of(call->x.dtype)));
    const double divisor = call->mean ? total_weight(call) : 1;
    for (int64_t i = 0; i < n; i++) {
        const int64_t target = target_at(call, i);
        if (target == call->ignore_index) continue;
        const double gradient = -load(&call->loss, call->each ? i : 0) * weight_of(call, target) / divisor;
        sp__store_f64(call->x.dtype, element(&call->x, place(call, i, target)), gradient);
    }
}

sp_status sp__nll_any(const sp__nll *call)
{
    const sp_status status = check_targets(call);
    if (status) return status;
    if (call->backward) {
        backward(call);
        return SP_OK;
    }
    const sums total = forward(call);
    if (!call->each) {
        sp__store_f64(call->loss.dtype, element(&call->loss, 0), call->mean ? total.loss / total.weight : total.loss);
    }
    return SP_OK;
}
