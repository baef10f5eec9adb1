/* The formulas by vectors that f32, f64 and bf16 share, for the kinds of backends/map_kinds.h. A file that includes this
 * says before what a `vector` is, its element `number`, its comparisons' `mask`, fused (a·b + c, rounded
 * once), choose, magnitude and root. */

SP__INLINE vector neg_of(vector x)
{
    return -x;
}

SP__INLINE vector abs_of(vector x)
{
    return magnitude(x);
}

SP__INLINE vector sqrt_of(vector x)
{
    return root(x);
}

SP__INLINE vector rsqrt_of(vector x)
{
    return (number)1 / root(x);
}

SP__INLINE vector reciprocal_of(vector x)
{
    return (number)1 / x;
}

SP__INLINE vector square_of(vector x)
{
    return x * x;
}

SP__INLINE vector relu_of(vector x)
{
    return choose(x < 0, (vector){0}, x);
}

SP__INLINE vector leaky_relu_of(vector x, vector p)
{
    return choose(x > 0, x, x * p);
}

SP__INLINE vector affine_of(vector x, vector p, vector q)
{
    return fused(p, x, q);
}

SP__INLINE vector add_of(vector x, vector y)
{
    return x + y;
}

SP__INLINE vector sub_of(vector x, vector y)
{
    return x - y;
}

SP__INLINE vector mul_of(vector x, vector y)
{
    return x * y;
}

SP__INLINE vector div_of(vector x, vector y)
{
    return x / y;
}

SP__INLINE vector maximum_of(vector x, vector y)
{
    return choose((x != x) | (x > y), x, y);
}

SP__INLINE vector minimum_of(vector x, vector y)
{
    return choose((x != x) | (x < y), x, y);
}

/* x is the gradient that came, y the output. */
SP__INLINE vector relu_backward_of(vector x, vector y)
{
    return choose(y <= 0, (vector){0}, x);
}

SP__INLINE vector sigmoid_backward_of(vector x, vector y)
{
    return x * y * ((number)1 - y);
}

SP__INLINE vector tanh_backward_of(vector x, vector y)
{
    return x * fused(-y, y, splat(1));
}
