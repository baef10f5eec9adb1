/* Eigenvalues and eigenvectors of a symmetric matrix A, in f64 whatever its dtype, in three steps.
 *
 *   tridiagonal   Householder's reflections H_k = I - beta_k·v·vᵀ give T = Qᵀ·A·Q with Q = H_0·H_1·…. One pass over the
 *                 matrix, row by row, makes a step's update and the product with the next step's vector. v_k stays in
 *                 row k of A, behind the diagonal.
 *   QL            Implicit QL with Wilkinson's shift makes T diagonal. Its rotations are collected, and many at a time
 *                 are applied to blocks of columns of the eigenvectors, which stay in the cache.
 *   back          Each eigenvector of T is multiplied by Q: reflections, from the last to the first.
 *
 * The size alone says how rows, blocks and vectors are shared out among threads, and sums have one order. So results
 * are the same for any number of threads. Sources: Golub and Van Loan, Matrix Computations, 8.3; Bowdler, Martin,
 * Reinsch, Wilkinson, "The QR and QL algorithms for symmetric matrices", Numerische Mathematik 11, 1968. */
#include "backends/cpu/cpu.h"
#include <float.h>
#include <math.h>

enum { VECTORS = 8, SWEEPS = 8, PATIENCE = 50 };

typedef struct problem {
    const sp__eigh_loops *loops;
    int64_t n, blocks;
    double *a;            /* (n, n), all of it; then the reflections */
    double *beta, *d, *e; /* n each; the diagonal and what stands beside it, e[i] between i and i + 1 */
    double *v, *w, *p;    /* n each: the update that is still to be made; the product with the next vector */
    double *z;            /* (blocks, n, SP__EIGH_COLUMNS): row i of all blocks is vector i of T */
    double *y;            /* (n, n): row i is vector i of A */
    int64_t *order;       /* vectors by eigenvalue */
    sp__rotation *rotations;
    int64_t n_rotations, max_rotations;
    int64_t k, grain; /* of the step that is cut into tasks */
    double *out_values, *out_vectors;
} problem;

/* ---- to tridiagonal form ---- */

static void update_rows(void *context, int64_t task)
{
    const problem *s = context;
    const int64_t from = s->k + 1, n = s->n, first = from + task * s->grain;
    const int64_t last = first + s->grain < n ? first + s->grain : n;
    const double *next = s->a + s->k * n + from;
    for (int64_t i = first; i < last; i++)
        s->p[i] = s->loops->update(s->a + i * n + from, s->v + from, s->w + from, s->v[i], s->w[i], next, n - from);
}

/* Row k becomes the vector of the reflection that leaves one element beside the diagonal. Elements whose squares are
 * near the smallest doubles are nothing beside a largest of 1, and would make beta infinite. */
static void make_reflection(problem *s, int64_t k)
{
    const double nothing = 1e-140;
    double *x = s->a + k * s->n + k + 1, sigma = 0;
    for (int64_t j = 1; j < s->n - k - 1; j++) sigma += x[j] * x[j];
    if (sigma < nothing) sigma = 0;
    const double alpha = x[0], norm = sqrt(alpha * alpha + sigma);
    s->e[k] = sigma == 0 ? alpha : alpha > 0 ? -norm : norm;
    x[0] = sigma == 0 ? 0 : alpha - s->e[k];
    s->beta[k] = sigma == 0 ? 0 : 2 / (x[0] * x[0] + sigma);
}

/* w = beta·p - (beta²/2·p·v)·v: with it A becomes H·A·H by A -= v·wᵀ + w·vᵀ. */
static void make_update(problem *s, int64_t k)
{
    const double *row = s->a + k * s->n;
    const double beta = s->beta[k];
    double dot = 0;
    for (int64_t i = k + 1; i < s->n; i++) dot += s->p[i] * row[i];
    for (int64_t i = k + 1; i < s->n; i++) {
        s->w[i] = beta * s->p[i] - beta * beta / 2 * dot * row[i];
        s->v[i] = row[i];
    }
}

static void make_tridiagonal(problem *s)
{
    const int64_t n = s->n;
    for (int64_t k = 0; k < n; k++) {
        double *row = s->a + k * n;
        s->loops->update(row + k, s->v + k, s->w + k, s->v[k], s->w[k], s->p + k, n - k);
        s->d[k] = row[k];
        s->e[k] = k + 1 < n ? row[k + 1] : 0;
        if (k >= n - 2) continue;
        make_reflection(s, k);
        s->k = k;
        s->grain = 1 + SP__GRAIN / (n - k);
        sp__tasks((n - k - 1 + s->grain - 1) / s->grain, update_rows, s);
        make_update(s, k);
    }
}

/* ---- to diagonal form ---- */

static void swap(double *x, double *y)
{
    const double kept = *x;
    *x = *y;
    *y = kept;
}

static void rotate_block(void *context, int64_t block)
{
    const problem *s = context;
    s->loops->rotate(s->z + block * s->n * SP__EIGH_COLUMNS, s->rotations, s->n_rotations);
}

static void apply_rotations(problem *s)
{
    sp__tasks(s->blocks, rotate_block, s);
    s->n_rotations = 0;
}

/* The first m ≥ l where T falls into two parts. Beside a largest element of 1, what is smaller than the rounding of a
 * rounding is nothing. */
static int64_t find_split(const problem *s, int64_t l)
{
    int64_t m = l;
    for (; m < s->n - 1; m++)
        if (fabs(s->e[m]) <= DBL_EPSILON * (fabs(s->d[m]) + fabs(s->d[m + 1])) + DBL_EPSILON * DBL_EPSILON) break;
    return m;
}

/* √(x² + y²) of numbers whose squares may be too small. Not libm's hypot, which differs between C libraries. */
static double length(double x, double y)
{
    const double large = fmax(fabs(x), fabs(y)), ratio = fmin(fabs(x), fabs(y)) / (large > 0 ? large : 1);
    return large * sqrt(1 + ratio * ratio);
}

/* One implicit QL step on rows l … m. */
static void sweep(problem *s, int64_t l, int64_t m)
{
    double *d = s->d, *e = s->e;
    double g = (d[l + 1] - d[l]) / (2 * e[l]), r = length(g, 1);
    g = d[m] - d[l] + e[l] / (g + copysign(r, g));
    double sine = 1, cosine = 1, p = 0;
    for (int64_t i = m - 1; i >= l; i--) {
        const double f = sine * e[i], b = cosine * e[i];
        r = length(f, g);
        e[i + 1] = r;
        if (r == 0) {
            d[i + 1] -= p;
            e[m] = 0;
            return;
        }
        sine = f / r;
        cosine = g / r;
        g = d[i + 1] - p;
        r = (d[i] - g) * sine + 2 * cosine * b;
        p = sine * r;
        d[i + 1] = g + p;
        g = cosine * r - b;
        s->rotations[s->n_rotations++] = (sp__rotation){i, cosine, sine};
    }
    d[l] -= p;
    e[l] = g;
    e[m] = 0;
}

/* QL finds the values from the top down, and soonest where the small ones stand there; reflections from the top tend to
 * leave them at the bottom. T and its vectors are turned upside down then. */
static void put_small_first(problem *s)
{
    const int64_t n = s->n;
    double top = 0, bottom = 0;
    for (int64_t i = 0; i < n / 2; i++) {
        top += fabs(s->d[i]);
        bottom += fabs(s->d[n - 1 - i]);
    }
    const bool turn = top > bottom;
    for (int64_t i = 0; turn && i < n / 2; i++) swap(&s->d[i], &s->d[n - 1 - i]);
    for (int64_t i = 0; turn && i < (n - 1) / 2; i++) swap(&s->e[i], &s->e[n - 2 - i]);
    for (int64_t i = 0; i < n; i++) {
        const int64_t at = turn ? n - 1 - i : i;
        s->z[(at / SP__EIGH_COLUMNS * n + i) * SP__EIGH_COLUMNS + at % SP__EIGH_COLUMNS] = 1;
    }
}

static sp_status make_diagonal(problem *s)
{
    int64_t sweeps = 0;
    put_small_first(s);
    for (int64_t l = 0; l < s->n; l++) {
        for (int64_t m = find_split(s, l); m != l; m = find_split(s, l)) {
            if (sweeps++ == PATIENCE * s->n)
                return sp_raise(SP_ERROR_ARGUMENT, "sp_linalg_eigh: eigenvalue %lld did not converge", (long long)l);
            if (s->n_rotations + s->n > s->max_rotations) apply_rotations(s);
            sweep(s, l, m);
        }
    }
    apply_rotations(s);
    return SP_OK;
}

/* ---- back ---- */

static void sort_values(problem *s)
{
    for (int64_t i = 0; i < s->n; i++) {
        int64_t at = i;
        for (; at > 0 && s->d[s->order[at - 1]] > s->d[i]; at--) s->order[at] = s->order[at - 1];
        s->order[at] = i;
    }
}

static void gather_vector(const problem *s, int64_t i)
{
    for (int64_t j = 0; j < s->n; j++)
        s->y[i * s->n + j] =
            s->z[(j / SP__EIGH_COLUMNS * s->n + s->order[i]) * SP__EIGH_COLUMNS + j % SP__EIGH_COLUMNS];
}

/* VECTORS vectors at a time, so that each reflection is read once for all of them. */
static void finish_vectors(void *context, int64_t task)
{
    const problem *s = context;
    const int64_t n = s->n, first = task * VECTORS, last = first + VECTORS < n ? first + VECTORS : n;
    for (int64_t i = first; i < last; i++) gather_vector(s, i);
    for (int64_t k = n - 3; k >= 0; k--)
        for (int64_t i = first; i < last; i++)
            s->loops->reflect(s->y + i * n + k + 1, s->a + k * n + k + 1, s->beta[k], n - k - 1);
    for (int64_t j = 0; j < n; j++)
        for (int64_t i = first; i < last; i++) s->out_vectors[j * n + i] = s->y[i * n + j];
}

/* ---- one matrix ---- */

/* All of A from one triangle, divided by the power of two that brings the largest magnitude to 1/2 … 1. */
static sp_status read_matrix(problem *s, const sp__eigh *call, int64_t batch, int *exponent)
{
    const sp_dtype dtype = call->a.dtype;
    const int64_t n = s->n;
    const char *from = sp__operand_at(&call->a) + batch * n * n * sp__size_of(dtype);
    double largest = 0;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j <= i; j++) {
            const int64_t at = call->upper ? j * n + i : i * n + j;
            const double x = sp__load_f64(dtype, from + at * sp__size_of(dtype));
            if (!isfinite(x))
                return sp_raise(SP_ERROR_ARGUMENT, "sp_linalg_eigh: element (%lld, %lld) is not finite",
                                (long long)(call->upper ? j : i), (long long)(call->upper ? i : j));
            s->a[i * n + j] = s->a[j * n + i] = x;
            largest = fmax(largest, fabs(x));
        }
    frexp(largest, exponent);
    for (int64_t i = 0; i < n * n && *exponent; i++) s->a[i] = ldexp(s->a[i], -*exponent);
    return SP_OK;
}

static void begin(problem *s)
{
    const int64_t n = s->n;
    memset(s->v, 0, (size_t)n * sizeof *s->v);
    memset(s->w, 0, (size_t)n * sizeof *s->w);
    memset(s->p, 0, (size_t)n * sizeof *s->p);
    memset(s->beta, 0, (size_t)n * sizeof *s->beta);
    memset(s->z, 0, (size_t)(s->blocks * n * SP__EIGH_COLUMNS) * sizeof *s->z);
    s->n_rotations = 0;
}

static sp_status solve(problem *s, const sp__eigh *call, int64_t batch)
{
    int exponent = 0;
    sp_status status = read_matrix(s, call, batch, &exponent);
    if (status) return status;
    begin(s);
    make_tridiagonal(s);
    if ((status = make_diagonal(s))) return status;
    sort_values(s);
    for (int64_t i = 0; i < s->n; i++) s->out_values[i] = ldexp(s->d[s->order[i]], exponent);
    sp__tasks((s->n + VECTORS - 1) / VECTORS, finish_vectors, s);
    return SP_OK;
}

static void write_out(const problem *s, const sp__eigh *call, int64_t batch)
{
    const int64_t n = s->n, size = sp__size_of(call->values.dtype);
    char *values = sp__operand_at(&call->values) + batch * n * size;
    char *vectors = sp__operand_at(&call->vectors) + batch * n * n * size;
    for (int64_t i = 0; i < n; i++) sp__store_f64(call->values.dtype, values + i * size, s->out_values[i]);
    for (int64_t i = 0; i < n * n; i++) sp__store_f64(call->vectors.dtype, vectors + i * size, s->out_vectors[i]);
}

/* ---- the call ---- */

enum { SQUARES = 3, ROWS = 7 };

/* Cuts one block of memory into the arrays. */
static void lay_out(problem *s, double *memory)
{
    const int64_t n = s->n;
    double **const squares[SQUARES] = {&s->a, &s->y, &s->out_vectors};
    double **const rows[ROWS] = {&s->beta, &s->d, &s->e, &s->v, &s->w, &s->p, &s->out_values};
    for (int i = 0; i < SQUARES; i++, memory += n * n) *squares[i] = memory;
    for (int i = 0; i < ROWS; i++, memory += n) *rows[i] = memory;
    s->z = memory;
}

sp_status sp__cpu_eigh(const sp__eigh *call)
{
    problem s = {.loops = SP__ROW(SP_F64, eigh), .n = call->n};
    if (call->a.dtype != SP_F32 && call->a.dtype != SP_F64) return sp__no_kernel("linalg.eigh", call->a.dtype);
    if (call->n == 0 || call->batches == 0) return SP_OK;
    if (sp__traces_kernels())
        sp__trace_kernel("eigh", call->a.dtype, sp__loop_name(s.loops != SP__ROW_AT(&sp__reference, SP_F64, eigh)),
                         "%lld of %lld × %lld", (long long)call->batches, (long long)call->n, (long long)call->n);
    s.blocks = (s.n + SP__EIGH_COLUMNS - 1) / SP__EIGH_COLUMNS;
    s.max_rotations = SWEEPS * s.n;
    const size_t doubles = (size_t)(SQUARES * s.n + ROWS + s.blocks * SP__EIGH_COLUMNS) * (size_t)s.n * sizeof(double);
    const size_t turns = (size_t)s.max_rotations * sizeof *s.rotations, places = (size_t)s.n * sizeof *s.order;
    double *memory = sp__scratch(doubles);
    s.rotations = memory ? sp__scratch(turns) : NULL;
    s.order = s.rotations ? sp__scratch(places) : NULL;
    sp_status status = s.order ? SP_OK : sp_error_status();
    if (s.order) lay_out(&s, memory);
    for (int64_t batch = 0; batch < call->batches && !status; batch++) {
        status = solve(&s, call, batch);
        if (!status) write_out(&s, call, batch);
    }
    sp_free(memory, doubles);
    sp_free(s.rotations, turns);
    sp_free(s.order, places);
    return status;
}
