/* Products of matrices; eigenvalues. */
#include "fuzz/call.h"

/* Sizes of a product of at most so many multiplications. */
static void draw_mnk(fuzz_random *r, int64_t most, int64_t *m, int64_t *n, int64_t *k)
{
    *m = fuzz_size(r, most);
    *n = fuzz_size(r, most / *m);
    *k = fuzz_size(r, most / *m / *n);
    if (fuzz_chance(r, 5)) *k = fuzz_between(r, 0, 1000);
    if (fuzz_chance(r, 2)) *m = 0;
}

static void draw_mm(fuzz_case *c, fuzz_random *r, int attempt)
{
    int64_t m, n, k;
    const sp_dtype dtype = attempt ? fuzz_float(r) : fuzz_any_dtype(r);
    draw_mnk(r, 1 << 21, &m, &n, &k);
    fuzz_add(c, r, dtype, SP_DIMS(m, k));
    fuzz_add(c, r, dtype, SP_DIMS(k, n));
}

static void draw_mv(fuzz_case *c, fuzz_random *r, int attempt)
{
    const int64_t m = fuzz_size(r, 1000), k = fuzz_size(r, 1000);
    const sp_dtype dtype = attempt ? fuzz_float(r) : fuzz_any_dtype(r);
    fuzz_add(c, r, dtype, SP_DIMS(m, k));
    fuzz_add(c, r, dtype, SP_DIMS(k));
}

static void draw_addmm(fuzz_case *c, fuzz_random *r, int attempt)
{
    int64_t m, n, k;
    const sp_dtype dtype = attempt ? fuzz_float(r) : fuzz_any_dtype(r);
    draw_mnk(r, 1 << 20, &m, &n, &k);
    if (fuzz_chance(r, 50))
        fuzz_add(c, r, dtype, SP_DIMS(m, n));
    else
        fuzz_add(c, r, dtype, SP_DIMS(n));
    fuzz_add(c, r, dtype, SP_DIMS(m, k));
    fuzz_add(c, r, dtype, SP_DIMS(k, n));
    c->real[0] = (double)fuzz_between(r, -1, 2);
    c->real[1] = (double)fuzz_between(r, -1, 2);
}

/* Up to three dimensions of batches on each side, of which some are 1 or missing. */
static void draw_matmul(fuzz_case *c, fuzz_random *r, int attempt)
{
    int64_t m, n, k, batch[3], a[5], b[5];
    const sp_dtype dtype = attempt ? fuzz_float(r) : fuzz_any_dtype(r);
    int na = 0, nb = 0;
    draw_mnk(r, 1 << 16, &m, &n, &k);
    for (int d = 0; d < 3; d++) {
        batch[d] = fuzz_between(r, 1, 4);
        if (na || fuzz_chance(r, 50)) a[na++] = fuzz_chance(r, 30) ? 1 : batch[d];
        if (nb || fuzz_chance(r, 50)) b[nb++] = fuzz_chance(r, 30) ? 1 : batch[d];
    }
    a[na++] = m, a[na++] = k;
    b[nb++] = k, b[nb++] = n;
    fuzz_add(c, r, dtype, (sp_dims){a, na});
    fuzz_add(c, r, dtype, (sp_dims){b, nb});
}

/* (…, in), (out, in) and perhaps (out). */
static void draw_linear(fuzz_case *c, fuzz_random *r, int attempt)
{
    int64_t m, n, k;
    const sp_dtype dtype = fuzz_float(r);
    (void)attempt;
    draw_mnk(r, 1 << 20, &m, &n, &k);
    const int64_t sizes[] = {fuzz_between(r, 1, 3), m, k};
    const int skipped = (int)fuzz_between(r, 0, 2);
    fuzz_add(c, r, dtype, (sp_dims){sizes + skipped, 3 - skipped});
    fuzz_add(c, r, dtype, SP_DIMS(n, k));
    if (fuzz_chance(r, 60)) fuzz_add(c, r, dtype, SP_DIMS(n));
}

static void draw_square(fuzz_case *c, fuzz_random *r, int attempt)
{
    const int64_t n = fuzz_size(r, attempt ? 8 : 70);
    fuzz_add(c, r, fuzz_chance(r, 50) ? SP_F32 : SP_F64, SP_DIMS(fuzz_between(r, 1, 3), n, n));
}

CALL(mm, sp_mm(in[0], in[1]))
CALL(mv, sp_mv(in[0], in[1]))
CALL(addmm, sp_addmm(in[0], in[1], in[2], .alpha = sp_exactly(c->real[0]), .beta = sp_exactly(c->real[1])))
CALL(matmul, sp_matmul(in[0], in[1]))
CALL(linear, sp_linear(in[0], in[1], c->n > 2 ? in[2] : SP_NONE))
CALL(linear_relu, sp_relu(sp_linear(in[0], in[1], c->n > 2 ? in[2] : SP_NONE)))
CALL(eigenvalues, sp_linalg_eigh(in[0]).eigenvalues)

const fuzz_subject fuzz_products[] = {
    {"mm of any sizes", &sp__op_mm, draw_mm, mm, 0},
    {"mv of any sizes", &sp__op_mv, draw_mv, mv, 0},
    {"addmm with options", &sp__op_addmm, draw_addmm, addmm, 0},
    {"matmul of batches", &sp__op_bmm, draw_matmul, matmul, 0},
    {"linear of any sizes", &sp__op_linear, draw_linear, linear, 0},
    {"linear and relu", &sp__op_linear, draw_linear, linear_relu, FUZZ_JUMPS},
    {"eigenvalues", &sp__op_linalg_eigh, draw_square, eigenvalues, FUZZ_FINITE},
    {0},
};
