/* Reductions of one type. LOAD(p) reads an element as a V, double or int64_t; FIELD is the cell's member of that type;
 * FN(name) the function's name. The cells keep what was added so far, so blocks can follow one another. */

/* Every cell takes its elements in order, whichever loop is outside: so the layout does not change the result. */
#define FOLD(name, step)                                                                                               \
    static inline void FN(name##_step)(sp__cell * cell, V x, const sp__fold_block *b, int64_t i)                       \
    {                                                                                                                  \
        V value = cell->value.FIELD;                                                                                   \
        (void)b, (void)i;                                                                                              \
        step;                                                                                                          \
        cell->value.FIELD = value;                                                                                     \
    }                                                                                                                  \
    static void FN(name)(sp__cell * cells, const sp__fold_block *b)                                                    \
    {                                                                                                                  \
        const int64_t down = b->stride_reduced, across = b->stride_kept;                                               \
        if (b->n_kept == 1) {                                                                                          \
            sp__cell cell = cells[0];                                                                                  \
            for (int64_t i = 0; i < b->n_reduced; i++) FN(name##_step)(&cell, LOAD(b->in + i * down), b, i);           \
            cells[0] = cell;                                                                                           \
            return;                                                                                                    \
        }                                                                                                              \
        for (int64_t i = 0; i < b->n_reduced; i++) {                                                                   \
            const char *in = b->in + i * down;                                                                         \
            for (int64_t j = 0; j < b->n_kept; j++) FN(name##_step)(&cells[j], LOAD(in + j * across), b, i);           \
        }                                                                                                              \
    }

#define NEW_BEST(better)                                                                                               \
    if (better) {                                                                                                      \
        value = x;                                                                                                     \
        cell->also.index = b->position + i;                                                                            \
    }

FOLD(sum, SUM_STEP)
FOLD(prod, value = MUL(value, x))
/* NaN wins: it is not equal to itself, and nothing is greater than it afterwards. */
FOLD(max, value = x > value || x != x ? x : value)
FOLD(min, value = x < value || x != x ? x : value)
FOLD(argmax, NEW_BEST(x > value || (x != x && value == value)))
FOLD(argmin, NEW_BEST(x < value || (x != x && value == value)))

FOLD(any, value = value != 0 || x != 0)
FOLD(all, value = value != 0 && x != 0)
