/* Logic by vectors, of f32 and of bool: what is not 0 is true. A file that includes this says before what a `vector` is,
 * and its comparisons' `mask`. */

SP__INLINE mask logical_not_of(vector x)
{
    return x == 0;
}

SP__INLINE mask logical_and_of(vector x, vector y)
{
    return (x != 0) & (y != 0);
}

SP__INLINE mask logical_or_of(vector x, vector y)
{
    return (x != 0) | (y != 0);
}

SP__INLINE mask logical_xor_of(vector x, vector y)
{
    return (x != 0) ^ (y != 0);
}
