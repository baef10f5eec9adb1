/* The loops of the eigenproblem of a symmetric matrix, in f64. LANES partial sums let a compiler that
 * keeps the order of additions make vectors of them. A file that includes this says before what fused(a, b, c) is,
 * a·b + c. */

enum { LANES = 8 };

static inline double add_lanes(const double *sum)
{
    return ((sum[0] + sum[4]) + (sum[2] + sum[6])) + ((sum[1] + sum[5]) + (sum[3] + sum[7]));
}

/* row -= vi·w + wi·v; returns row·next. */
static double update(double *restrict row, const double *restrict v, const double *restrict w, double vi, double wi,
                     const double *restrict next, int64_t n)
{
    double sum[LANES] = {0};
    int64_t j = 0;
    for (; j + LANES <= n; j += LANES)
        for (int64_t k = 0; k < LANES; k++) {
            const double x = fused(-vi, w[j + k], fused(-wi, v[j + k], row[j + k]));
            row[j + k] = x;
            sum[k] = fused(x, next[j + k], sum[k]);
        }
    for (; j < n; j++) {
        row[j] = fused(-vi, w[j], fused(-wi, v[j], row[j]));
        sum[0] = fused(row[j], next[j], sum[0]);
    }
    return add_lanes(sum);
}

/* (low, high) = (c·low - s·high, s·low + c·high) for the rows that each rotation names. */
static void rotate(double *block, const sp__rotation *rotations, int64_t n)
{
    for (int64_t r = 0; r < n; r++) {
        const double c = rotations[r].c, s = rotations[r].s;
        double *restrict low = block + rotations[r].row * SP__EIGH_COLUMNS, *restrict high = low + SP__EIGH_COLUMNS;
        for (int64_t j = 0; j < SP__EIGH_COLUMNS; j++) {
            const double x = low[j], y = high[j];
            low[j] = fused(-s, y, c * x);
            high[j] = fused(s, x, c * y);
        }
    }
}

/* y -= beta·(v·y)·v */
static void reflect(double *restrict y, const double *restrict v, double beta, int64_t n)
{
    double sum[LANES] = {0};
    int64_t j = 0;
    for (; j + LANES <= n; j += LANES)
        for (int64_t k = 0; k < LANES; k++) sum[k] = fused(v[j + k], y[j + k], sum[k]);
    for (; j < n; j++) sum[0] = fused(v[j], y[j], sum[0]);
    const double scale = beta * add_lanes(sum);
    for (j = 0; j < n; j++) y[j] = fused(-scale, v[j], y[j]);
}
