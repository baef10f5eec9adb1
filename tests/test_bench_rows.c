/* `spusk bench ops` times every operator. */
#include "ops/ops.h"
#include "support/support.h"
#include <string.h>

static const char *const timed[] = {
#define ROW(name, ...) #name,
#include "../cli/bench_ops_rows.h"
#undef ROW
};

/* Called by other operators only, or by backward, which is timed with its forward. */
static bool is_inner(const char *name)
{
    static const char *const inner[] = {"erf", "conv2d_weight", "max_pool2d_gather", "batch_moments", "_backward"};
    for (size_t i = 0; i < sizeof inner / sizeof *inner; i++)
        if (strstr(name, inner[i])) return true;
    return false;
}

/* A row's name is the operator's, then what is particular. */
static bool is_timed(const char *name)
{
    for (size_t i = 0; i < sizeof timed / sizeof *timed; i++)
        if (strncmp(timed[i], name, strlen(name)) == 0) return true;
    return false;
}

static void test_every_operator_has_a_row(void **state)
{
    (void)state;
    int missing = 0;
    for (int i = 0; i < sp__n_ops; i++) {
        const char *name = sp__all_ops[i]->name;
        if (is_inner(name) || is_timed(name)) continue;
        print_error("cli/bench_ops_rows.h has no row for %s\n", name);
        missing++;
    }
    assert_int_equal(missing, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {sp_test(test_every_operator_has_a_row)};
    return sp_test_main(tests);
}
