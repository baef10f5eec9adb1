/* Operands of single elements: a STEP of 1. */

SP__INLINE vector multiply_add(vector sum, number a, vector b)
{
    return fused(a - (vector){0}, b, sum);
}

SP__INLINE number ones(void)
{
    return 1;
}

SP__INLINE number unit(const element *p, int64_t next)
{
    (void)next;
    return *p;
}

SP__INLINE vector across(const element *p, int64_t next, int64_t n, int64_t left)
{
    (void)next, (void)left;
    return load_some(p, n);
}
