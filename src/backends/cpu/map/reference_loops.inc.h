/* Loops over elements of one type; included again for every dtype, by map_float.c and map_integer.c.
 * T: what is in memory. C: what is computed with. LOAD(p), STORE(p, c): between them. FN(name): the function's name.
 * In a formula x, y, z are the inputs and p, q the params. */

#define LOOP(name) static void FN(name)(char *const *data, const int64_t *s, int64_t n, const double *params)

#define UNARY(name, formula)                                                                                           \
    LOOP(name)                                                                                                         \
    {                                                                                                                  \
        const C p = PARAM(params[0]), q = PARAM(params[1]);                                                            \
        (void)p, (void)q;                                                                                              \
        for (int64_t i = 0; i < n; i++) {                                                                              \
            const C x = LOAD(data[1] + i * s[1]);                                                                      \
            STORE(data[0] + i * s[0], (formula));                                                                      \
        }                                                                                                              \
    }

#define BINARY(name, formula)                                                                                          \
    LOOP(name)                                                                                                         \
    {                                                                                                                  \
        const C p = PARAM(params[0]), q = PARAM(params[1]);                                                            \
        (void)p, (void)q;                                                                                              \
        for (int64_t i = 0; i < n; i++) {                                                                              \
            const C x = LOAD(data[1] + i * s[1]), y = LOAD(data[2] + i * s[2]);                                        \
            STORE(data[0] + i * s[0], (formula));                                                                      \
        }                                                                                                              \
    }

#define TERNARY(name, formula)                                                                                         \
    LOOP(name)                                                                                                         \
    {                                                                                                                  \
        const C p = PARAM(params[0]);                                                                                  \
        (void)p;                                                                                                       \
        for (int64_t i = 0; i < n; i++) {                                                                              \
            const C x = LOAD(data[1] + i * s[1]), y = LOAD(data[2] + i * s[2]), z = LOAD(data[3] + i * s[3]);          \
            STORE(data[0] + i * s[0], (formula));                                                                      \
        }                                                                                                              \
    }

/* One input, a bool out. */
#define TEST(name, formula)                                                                                            \
    LOOP(name)                                                                                                         \
    {                                                                                                                  \
        (void)params;                                                                                                  \
        for (int64_t i = 0; i < n; i++) {                                                                              \
            const C x = LOAD(data[1] + i * s[1]);                                                                      \
            (void)x;                                                                                                   \
            *(uint8_t *)(data[0] + i * s[0]) = (formula);                                                              \
        }                                                                                                              \
    }

/* Two inputs, a bool out. */
#define COMPARE(name, formula)                                                                                         \
    LOOP(name)                                                                                                         \
    {                                                                                                                  \
        (void)params;                                                                                                  \
        for (int64_t i = 0; i < n; i++) {                                                                              \
            const C x = LOAD(data[1] + i * s[1]), y = LOAD(data[2] + i * s[2]);                                        \
            *(uint8_t *)(data[0] + i * s[0]) = (formula);                                                              \
        }                                                                                                              \
    }

TEST(logical_not, x == 0)
COMPARE(eq, x == y)
COMPARE(ne, x != y)
COMPARE(lt, x < y)
COMPARE(le, x <= y)
COMPARE(gt, x > y)
COMPARE(ge, x >= y)
COMPARE(logical_and, x != 0 && y != 0)
COMPARE(logical_or, x != 0 || y != 0)
COMPARE(logical_xor, (x != 0) != (y != 0))

/* The chosen element is copied bit for bit. */
LOOP(where)
{
    (void)params;
    for (int64_t i = 0; i < n; i++) {
        const bool chosen = *(const uint8_t *)(data[1] + i * s[1]) != 0;
        *(T *)(data[0] + i * s[0]) = *(const T *)(chosen ? data[2] + i * s[2] : data[3] + i * s[3]);
    }
}

/* The rows that every dtype has. */
#define COMMON_ROWS                                                                                                    \
    [SP__LOGICAL_NOT] = FN(logical_not), [SP__EQ] = FN(eq), [SP__NE] = FN(ne), [SP__LT] = FN(lt), [SP__LE] = FN(le),   \
    [SP__GT] = FN(gt), [SP__GE] = FN(ge), [SP__LOGICAL_AND] = FN(logical_and), [SP__LOGICAL_OR] = FN(logical_or),      \
    [SP__LOGICAL_XOR] = FN(logical_xor), [SP__WHERE] = FN(where)
