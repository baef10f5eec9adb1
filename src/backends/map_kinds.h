/* The list of map kernels: SP__MAP(KIND, name, text, inputs, result, arguments, dtypes), one line each.
 *
 *   KIND       SP__KIND is its number in sp__map_kind
 *   name       name_of is its formula in a device's folder
 *   text       what errors and traces call it
 *   inputs     1, 2 or 3, x, y and z in a formula; CHOICE: a condition, which is bool, and two
 *   result     SAME: of the inputs' dtype; BOOL
 *   arguments  what the formula takes: inputs, and the params p and q
 *   dtypes     FLOATS; NUMBERS, integers as well; ALL, bool as well
 *
 * Who includes this file says before what SP__MAP is. */

/* clang-format off */
SP__MAP(COPY, copy, "copy", 1, SAME, (x), ALL) /* any dtype to any dtype: the cast */
SP__MAP(NEG, neg, "neg", 1, SAME, (x), NUMBERS)
SP__MAP(ABS, abs, "abs", 1, SAME, (x), ALL)
SP__MAP(SIGN, sign, "sign", 1, SAME, (x), ALL)
SP__MAP(EXP, exp, "exp", 1, SAME, (x), FLOATS)
SP__MAP(EXPM1, expm1, "expm1", 1, SAME, (x), FLOATS)
SP__MAP(LOG, log, "log", 1, SAME, (x), FLOATS)
SP__MAP(LOG1P, log1p, "log1p", 1, SAME, (x), FLOATS)
SP__MAP(SQRT, sqrt, "sqrt", 1, SAME, (x), FLOATS)
SP__MAP(RSQRT, rsqrt, "rsqrt", 1, SAME, (x), FLOATS)
SP__MAP(RECIPROCAL, reciprocal, "reciprocal", 1, SAME, (x), FLOATS)
SP__MAP(SQUARE, square, "square", 1, SAME, (x), NUMBERS)
SP__MAP(SIN, sin, "sin", 1, SAME, (x), FLOATS)
SP__MAP(COS, cos, "cos", 1, SAME, (x), FLOATS)
SP__MAP(TANH, tanh, "tanh", 1, SAME, (x), FLOATS)
SP__MAP(SIGMOID, sigmoid, "sigmoid", 1, SAME, (x), FLOATS)
SP__MAP(RELU, relu, "relu", 1, SAME, (x), NUMBERS)
SP__MAP(SILU, silu, "silu", 1, SAME, (x), FLOATS)
SP__MAP(FLOOR, floor, "floor", 1, SAME, (x), NUMBERS)
SP__MAP(CEIL, ceil, "ceil", 1, SAME, (x), NUMBERS)
SP__MAP(ROUND, round, "round", 1, SAME, (x), NUMBERS)
SP__MAP(ERF, erf, "erf", 1, SAME, (x), FLOATS)
SP__MAP(SOFTPLUS, softplus, "softplus", 1, SAME, (x, p, q), FLOATS)      /* beta, threshold */
SP__MAP(LEAKY_RELU, leaky_relu, "leaky_relu", 1, SAME, (x, p), FLOATS)   /* negative_slope */
SP__MAP(ELU, elu, "elu", 1, SAME, (x, p), FLOATS)                        /* alpha */
SP__MAP(GELU, gelu, "gelu", 1, SAME, (x), FLOATS)
SP__MAP(GELU_TANH, gelu_tanh, "gelu (tanh)", 1, SAME, (x), FLOATS)
SP__MAP(CLAMP, clamp, "clamp", 1, SAME, (x, p, q), NUMBERS)              /* low, high; NaN stays */
SP__MAP(SMOOTH_L1, smooth_l1, "smooth_l1", 1, SAME, (x, p, q), FLOATS)   /* of a difference; beta, 0.5/beta */
SP__MAP(POW_SCALAR, pow_scalar, "pow", 1, SAME, (x, p), NUMBERS)         /* exponent */
SP__MAP(AFFINE, affine, "affine", 1, SAME, (x, p, q), NUMBERS)           /* scale, shift: scale·x + shift */

SP__MAP(LOGICAL_NOT, logical_not, "logical_not", 1, BOOL, (x), ALL)
SP__MAP(ISNAN, isnan, "isnan", 1, BOOL, (x), ALL)
SP__MAP(ISINF, isinf, "isinf", 1, BOOL, (x), ALL)
SP__MAP(ISFINITE, isfinite, "isfinite", 1, BOOL, (x), ALL)

SP__MAP(ADD, add, "add", 2, SAME, (x, y), ALL) /* bool: or */
SP__MAP(SUB, sub, "sub", 2, SAME, (x, y), NUMBERS)
SP__MAP(MUL, mul, "mul", 2, SAME, (x, y), ALL) /* bool: and */
SP__MAP(DIV, div, "div", 2, SAME, (x, y), FLOATS)
SP__MAP(POW, pow, "pow", 2, SAME, (x, y), NUMBERS)
SP__MAP(MAXIMUM, maximum, "maximum", 2, SAME, (x, y), ALL) /* NaN wins */
SP__MAP(MINIMUM, minimum, "minimum", 2, SAME, (x, y), ALL)
/* weight; exact at both ends, as PyTorch: weight<0.5 ? a+w(b-a) : b-(b-a)(1-w) */
SP__MAP(LERP, lerp, "lerp", 2, SAME, (x, y, p), FLOATS)

/* x is the gradient that came; y the output of relu, sigmoid and tanh, the input of the rest. ops/activation.c has the
 * formulas. */
SP__MAP(RELU_BACKWARD, relu_backward, "relu's backward", 2, SAME, (x, y), NUMBERS) /* output > 0 ? grad : 0 */
SP__MAP(SIGMOID_BACKWARD, sigmoid_backward, "sigmoid's backward", 2, SAME, (x, y), FLOATS) /* grad·y·(1-y) */
SP__MAP(TANH_BACKWARD, tanh_backward, "tanh's backward", 2, SAME, (x, y), FLOATS)          /* grad·(1-y²) */
SP__MAP(GELU_BACKWARD, gelu_backward, "gelu's backward", 2, SAME, (x, y), FLOATS)
SP__MAP(GELU_TANH_BACKWARD, gelu_tanh_backward, "gelu's backward (tanh)", 2, SAME, (x, y), FLOATS)
SP__MAP(SILU_BACKWARD, silu_backward, "silu's backward", 2, SAME, (x, y), FLOATS)
SP__MAP(SOFTPLUS_BACKWARD, softplus_backward, "softplus's backward", 2, SAME, (x, y, p, q), FLOATS)
SP__MAP(LEAKY_RELU_BACKWARD, leaky_relu_backward, "leaky_relu's backward", 2, SAME, (x, y, p), FLOATS)
SP__MAP(ELU_BACKWARD, elu_backward, "elu's backward", 2, SAME, (x, y, p), FLOATS)
/* logit, target: max(x, 0) - x·t + ln(1 + e^-|x|); and its slope, sigmoid x - t */
SP__MAP(BCE_LOGITS, bce_logits, "binary_cross_entropy_with_logits", 2, SAME, (x, y), FLOATS)
SP__MAP(BCE_LOGITS_BACKWARD, bce_logits_backward, "binary_cross_entropy_with_logits' backward", 2, SAME, (x, y), FLOATS)

SP__MAP(EQ, eq, "eq", 2, BOOL, (x, y), ALL)
SP__MAP(NE, ne, "ne", 2, BOOL, (x, y), ALL)
SP__MAP(LT, lt, "lt", 2, BOOL, (x, y), ALL)
SP__MAP(LE, le, "le", 2, BOOL, (x, y), ALL)
SP__MAP(GT, gt, "gt", 2, BOOL, (x, y), ALL)
SP__MAP(GE, ge, "ge", 2, BOOL, (x, y), ALL)
SP__MAP(LOGICAL_AND, logical_and, "logical_and", 2, BOOL, (x, y), ALL)
SP__MAP(LOGICAL_OR, logical_or, "logical_or", 2, BOOL, (x, y), ALL)
SP__MAP(LOGICAL_XOR, logical_xor, "logical_xor", 2, BOOL, (x, y), ALL)

SP__MAP(WHERE, where, "where", CHOICE, SAME, (), ALL)                  /* the condition, a, b */
SP__MAP(ADDCMUL, addcmul, "addcmul", 3, SAME, (x, y, z, p), NUMBERS)   /* value: a + value·b·c */
SP__MAP(ADDCDIV, addcdiv, "addcdiv", 3, SAME, (x, y, z, p), FLOATS)    /* value: a + value·b/c */
SP__MAP(LERP_TENSOR, lerp_tensor, "lerp", 3, SAME, (x, y, z), FLOATS)  /* a, b, weight */
/* clang-format on */
