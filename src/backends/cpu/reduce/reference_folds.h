/* The loop of each fold of one element type. A file includes this behind its steps, `sum_step` for the fold `sum`: a
 * step takes v, the cell's value, and the element x, and returns the value that follows. The cells keep what was added
 * so far, so that blocks can follow one another. */

/* Every cell takes its elements in order, whichever loop is outside: so the layout does not change the result. */
#define FOLD(name, arguments)                                                                                          \
    static inline void name##_into(sp__cell *cell, const void *at, const sp__fold_block *b, int64_t i)                 \
    {                                                                                                                  \
        const value x = (value)load(at);                                                                               \
        const value v = *value_of(cell);                                                                               \
        (void)b, (void)i;                                                                                              \
        *value_of(cell) = name##_step arguments;                                                                       \
    }                                                                                                                  \
    static void name##_fold(sp__cell *cells, const sp__fold_block *b)                                                  \
    {                                                                                                                  \
        const int64_t down = b->stride_reduced, across = b->stride_kept, reduced = b->n_reduced, kept = b->n_kept;     \
        if (kept == 1) {                                                                                               \
            sp__cell cell = cells[0];                                                                                  \
            for (int64_t i = 0; i < reduced; i++) name##_into(&cell, b->in + i * down, b, i);                          \
            cells[0] = cell;                                                                                           \
            return;                                                                                                    \
        }                                                                                                              \
        for (int64_t i = 0; i < reduced; i++) {                                                                        \
            const char *in = b->in + i * down;                                                                         \
            for (int64_t j = 0; j < kept; j++) name##_into(&cells[j], in + j * across, b, i);                          \
        }                                                                                                              \
    }
