/* Simple unary operators, a row each: SP__UNARY(name, kernel, rule, backward, saves, gradient, low, high) makes
 * sp_name(x), its record, its place in the list and its samples; SP__PREDICATE(name, kernel) one that gives bool and
 * has no gradient. A new one needs its row here and its declaration in spusk/pointwise.h.
 *
 * rule      the dtype of the result: any (x's own), number (x's own, not bool), floating (integers become f32)
 * saves     what the gradient reads: NONE, X or Y
 * gradient  of x, from g (the result's gradient), x and y (the result); PyTorch's derivatives.yaml has the same
 * low, high where the samples lie */

/* clang-format off */
/*        name        kernel          rule      backward                 saves  gradient                                                      low   high */
SP__UNARY(neg,        SP__NEG,        number,   "NegBackward0",          NONE,  sp_neg(g),                                                    -2,   2)
SP__UNARY(abs,        SP__ABS,        number,   "AbsBackward0",          X,     sp_mul(g, sp_sign(x)),                                        -2,   2)
SP__UNARY(sign,       SP__SIGN,       any,      "SignBackward0",         NONE,  sp_zeros_like(g),                                             -2,   2)
SP__UNARY(exp,        SP__EXP,        floating, "ExpBackward0",          Y,     sp_mul(g, y),                                                 -2,   2)
SP__UNARY(expm1,      SP__EXPM1,      floating, "Expm1Backward0",        Y,     sp_mul(g, sp_add_scalar(y, 1)),                               -2,   2)
SP__UNARY(log,        SP__LOG,        floating, "LogBackward0",          X,     sp_div(g, x),                                                 0.3,  3)
SP__UNARY(log1p,      SP__LOG1P,      floating, "Log1PBackward0",        X,     sp_div(g, sp_add_scalar(x, 1)),                               -0.7, 3)
SP__UNARY(sqrt,       SP__SQRT,       floating, "SqrtBackward0",         Y,     sp_div(g, sp_mul_scalar(y, 2)),                               0.3,  3)
SP__UNARY(rsqrt,      SP__RSQRT,      floating, "RsqrtBackward0",        Y,     sp_mul_scalar(sp_mul(g, sp_mul(sp_square(y), y)), -0.5),      0.3,  3)
SP__UNARY(reciprocal, SP__RECIPROCAL, floating, "ReciprocalBackward0",   Y,     sp_neg(sp_mul(g, sp_square(y))),                              0.3,  3)
SP__UNARY(square,     SP__SQUARE,     square,   "PowBackward0",          X,     sp_mul(g, sp_mul_scalar(x, 2)),                               -2,   2)
SP__UNARY(sin,        SP__SIN,        floating, "SinBackward0",          X,     sp_mul(g, sp_cos(x)),                                         -4,   4)
SP__UNARY(cos,        SP__COS,        floating, "CosBackward0",          X,     sp_neg(sp_mul(g, sp_sin(x))),                                 -4,   4)
SP__UNARY(erf,        SP__ERF,        floating, "ErfBackward0",          X,     sp_mul(g, sp_mul_scalar(sp_exp(sp_neg(sp_square(x))), 1.1283791670955126)), -2, 2)
SP__UNARY(relu,       SP__RELU,       number,   "ReluBackward0",         Y,     sp__relu_backward(g, y),                                      -2,   2)
SP__UNARY(tanh,       SP__TANH,       floating, "TanhBackward0",         Y,     sp__tanh_backward(g, y),                                      -2,   2)
SP__UNARY(sigmoid,    SP__SIGMOID,    floating, "SigmoidBackward0",      Y,     sp__sigmoid_backward(g, y),                                   -4,   4)
SP__UNARY(floor,      SP__FLOOR,      number,   "FloorBackward0",        NONE,  sp_zeros_like(g),                                             -3,   3)
SP__UNARY(ceil,       SP__CEIL,       number,   "CeilBackward0",         NONE,  sp_zeros_like(g),                                             -3,   3)
SP__UNARY(round,      SP__ROUND,      number,   "RoundBackward0",        NONE,  sp_zeros_like(g),                                             -3,   3)

SP__PREDICATE(logical_not, SP__LOGICAL_NOT)
SP__PREDICATE(isnan,       SP__ISNAN)
SP__PREDICATE(isinf,       SP__ISINF)
SP__PREDICATE(isfinite,    SP__ISFINITE)
/* clang-format on */
