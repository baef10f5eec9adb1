/* Who owns what: scopes, and the three ways out of them.
 *
 *     ownership */
#include <spusk/spusk.h>
#include <stdio.h>

/* What is made in a function belongs to the scope of its caller: nothing is said, nothing is freed. */
static sp_tensor *normalised(sp_tensor *x)
{
    return sp_div(sp_sub(x, sp_mean(x)), sp_std(x));
}

/* A function with a scope of its own hands its result to the scope around it; all else goes at once. */
static sp_tensor *distance(sp_tensor *a, sp_tensor *b)
{
    SP_SCOPE {
        sp_tensor *difference = sp_sub(a, b);
        return sp_escape(sp_sqrt(sp_sum(sp_square(difference))));
    }
    return NULL; // never reached: SP_SCOPE always runs its block
}

/* A weight that outlives every scope until it is released. */
static sp_tensor *table;

static void load_table(void)
{
    SP_SCOPE {
        table = sp_keep(sp_linspace(0, 1, 5));
    }
}

/* One step in mixed precision: the loss leaves the scope of SP_AUTOCAST, for backward runs outside it. */
static double mixed_step(sp_module *model, sp_tensor *x, sp_tensor *y)
{
    sp_tensor *loss = NULL;
    SP_AUTOCAST(SP_BF16)
    {
        loss = sp_escape(sp_mse_loss(sp_forward(model, x), y));
    }
    sp_backward(loss);
    return sp_item(loss);
}

/* A thousand steps in constant memory: each turn's tensors go with its scope, a number stays. */
static int64_t grown(sp_tensor *x)
{
    int64_t before = sp_memory().live_bytes;
    double sum = 0;
    for (int i = 0; i < 1000; i++)
        SP_SCOPE {
            sum += sp_item(sp_sum(sp_exp(x)));
        }
    return sum > 0 ? sp_memory().live_bytes - before : -1;
}

int main(void)
{
    sp_tensor *x = sp_vector(1, 2, 3), *y = sp_vector(3, 2, 1);
    sp_print(normalised(x));  // tensor([-1.,  0.,  1.])
    sp_print(distance(x, y)); // tensor(2.8284)
    load_table();
    sp_print(table); // tensor([0.0000, 0.2500, 0.5000, 0.7500, 1.0000])
    sp_release(table);

    sp_module *model = sp_nn_linear(3, 1);
    printf("%d\n", mixed_step(model, sp_ones(SP_DIMS(4, 3)), sp_zeros(SP_DIMS(4, 1))) >= 0); // 1
    printf("%lld bytes\n", (long long)grown(x));                                             // 0 bytes
    return sp_finish();
}
