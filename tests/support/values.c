#include "support/values.h"
#include <math.h>
#include <spusk/reductions.h>
#include <spusk/views.h>

void support_assert_holds(sp_tensor *x, const double *expected, int64_t n, const char *file, int line)
{
    static const double tolerances[SP_DTYPE_COUNT] = {[SP_F64] = 1e-12, [SP_F32] = 2e-6, [SP_BF16] = 1e-2};
    if (!x) print_error("%s:%d: no tensor: %s\n", file, line, sp_error_message());
    if (!x || sp_numel(x) != n) _fail(file, line);
    const double tolerance = tolerances[sp_dtype_of(x)];
    sp_tensor *flat = (sp_reshape)(sp_cast(sp_detach(x), SP_F64), SP_DIMS(n));
    for (int64_t i = 0; i < n; i++) {
        const double allowed = isfinite(expected[i]) ? tolerance * (1 + fabs(expected[i])) : 0;
        support_assert_close(sp_item(sp_select(flat, 0, i)), expected[i], allowed, file, line);
    }
}

void support_assert_shape(sp_tensor *x, sp_dims expected, const char *file, int line)
{
    bool same = x && sp_ndim(x) == expected.n;
    for (int d = 0; d < expected.n && same; d++) same = sp_size(x, d) == expected.data[d];
    if (same) return;
    print_error("%s:%d: not the shape expected: %s\n", file, line, x ? "the tensor has another" : sp_error_message());
    _fail(file, line);
}

sp_tensor *support_gradient(sp_tensor *y, sp_tensor *x)
{
    return sp_list_get(sp_autograd_grad(SP_LIST(sp_sum(y)), SP_LIST(x), .create_graph = true), 0);
}

sp_tensor *support_f64(const double *values, int64_t n)
{
    return sp_from_data(values, SP_DIMS(n), .dtype = SP_F64);
}
