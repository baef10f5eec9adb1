/* How normalisation adds: eight numbers in their own type, as a tree, and such sums in f64. So few conversions and few
 * roundings meet a number. The trees' roundings cancel out over many of them. A group of few elements, whose trees are a
 * handful, and what is left behind the last eight, are added in f64 at once. */
enum { EIGHT = 8 };

SP__INLINE vector sum_of(const vector *v)
{
    return ((v[0] + v[1]) + (v[2] + v[3])) + ((v[4] + v[5]) + (v[6] + v[7]));
}

/* Σ a·b */
SP__INLINE vector sum_of_products(const vector *a, const vector *b)
{
    vector pair[4];
    SP__UNROLL
    for (int k = 0; k < 4; k++) pair[k] = fused(a[2 * k + 1], b[2 * k + 1], a[2 * k] * b[2 * k]);
    return (pair[0] + pair[1]) + (pair[2] + pair[3]);
}

/* The sums of a vector's lanes, in f64. */
typedef struct wide {
    vd half[HALVES];
} wide;

SP__INLINE void add_wide(wide *s, vector x)
{
    for (int i = 0; i < HALVES; i++) s->half[i] += widened(x, i);
}

/* Products of f32 are exact in f64. */
SP__INLINE void add_wide_products(wide *s, vector a, vector b)
{
    for (int i = 0; i < HALVES; i++) s->half[i] += widened(a, i) * widened(b, i);
}
