/* Calls that `spusk bench ops` times, by families:
 *
 *     ROW(name, inputs, gradient, operations, in Python, in C)
 *
 * The name is the operator's, then what is particular. Inputs are a letter and sizes each: n normal numbers, u numbers
 * between 0.1 and 0.9, m the same as n for images with their channels innermost, b bool, i100:64 whole numbers below
 * 100. `gradient` says whether backward is timed too. `operations` counts what a product does; others are measured by
 * the bytes that they read and write. In Python the inputs are a, b, c, d; "" has no counterpart in PyTorch. */

/* ---- element by element ---- */
ROW(add, "n256,512 n256,512", true, 0, "a + b", sp_add(in[0], in[1]))
ROW(add_row, "n256,512 n512", true, 0, "a + b", sp_add(in[0], in[1]))
ROW(add_column, "n256,512 n256,1", true, 0, "a + b", sp_add(in[0], in[1]))
ROW(sub, "n256,512 n256,512", true, 0, "a - b", sp_sub(in[0], in[1]))
ROW(rsub, "n256,512", true, 0, "1 - a", sp_rsub_scalar(in[0], 1))
ROW(mul, "n256,512 n256,512", true, 0, "a * b", sp_mul(in[0], in[1]))
ROW(div, "n256,512 u256,512", true, 0, "a / b", sp_div(in[0], in[1]))
ROW(pow, "u256,512 n256,512", true, 0, "a ** b", sp_pow(in[0], in[1]))
ROW(pow_scalar, "u256,512", true, 0, "a ** 2.5", sp_pow_scalar(in[0], 2.5))
ROW(pow_scalar_cube, "n256,512", true, 0, "a ** 3", sp_pow_int(in[0], 3))
ROW(maximum, "n256,512 n256,512", true, 0, "torch.maximum(a, b)", sp_maximum(in[0], in[1]))
ROW(minimum, "n256,512 n256,512", true, 0, "torch.minimum(a, b)", sp_minimum(in[0], in[1]))
ROW(lerp, "n256,512 n256,512", true, 0, "torch.lerp(a, b, 0.3)", sp_lerp(in[0], in[1], 0.3))
ROW(lerp_tensor, "n256,512 n256,512 u256,512", true, 0, "torch.lerp(a, b, c)", sp_lerp_tensor(in[0], in[1], in[2]))
ROW(addcmul, "n256,512 n256,512 u256,512", false, 0, "a.addcmul_(b, c, value=1e-6)",
    sp_addcmul_(in[0], in[1], in[2], 1e-6))
ROW(addcdiv, "n256,512 n256,512 u256,512", false, 0, "a.addcdiv_(b, c, value=1e-6)",
    sp_addcdiv_(in[0], in[1], in[2], 1e-6))
ROW(neg, "n256,512", true, 0, "-a", sp_neg(in[0]))
ROW(abs, "n256,512", true, 0, "a.abs()", sp_abs(in[0]))
ROW(sign, "n256,512", false, 0, "a.sign()", sp_sign(in[0]))
ROW(exp, "n256,512", true, 0, "a.exp()", sp_exp(in[0]))
ROW(expm1, "n256,512", true, 0, "a.expm1()", sp_expm1(in[0]))
ROW(log, "u256,512", true, 0, "a.log()", sp_log(in[0]))
ROW(log1p, "u256,512", true, 0, "a.log1p()", sp_log1p(in[0]))
ROW(sqrt, "u256,512", true, 0, "a.sqrt()", sp_sqrt(in[0]))
ROW(rsqrt, "u256,512", true, 0, "a.rsqrt()", sp_rsqrt(in[0]))
ROW(reciprocal, "u256,512", true, 0, "a.reciprocal()", sp_reciprocal(in[0]))
ROW(square, "n256,512", true, 0, "a.square()", sp_square(in[0]))
ROW(sin, "n256,512", true, 0, "a.sin()", sp_sin(in[0]))
ROW(cos, "n256,512", true, 0, "a.cos()", sp_cos(in[0]))
ROW(floor, "n256,512", false, 0, "a.floor()", sp_floor(in[0]))
ROW(ceil, "n256,512", false, 0, "a.ceil()", sp_ceil(in[0]))
ROW(round, "n256,512", false, 0, "a.round()", sp_round(in[0]))
ROW(clamp, "n256,512", true, 0, "a.clamp(-1, 1)", sp_clamp(in[0], -1, 1))
ROW(clamp_min, "n256,512", true, 0, "a.clamp_min(0.1)", sp_clamp_min(in[0], 0.1))
ROW(clamp_max, "n256,512", true, 0, "a.clamp_max(0.1)", sp_clamp_max(in[0], 0.1))
ROW(logical_not, "b256,512", false, 0, "a.logical_not()", sp_logical_not(in[0]))
ROW(logical_and, "b256,512 b256,512", false, 0, "a.logical_and(b)", sp_logical_and(in[0], in[1]))
ROW(logical_or, "b256,512 b256,512", false, 0, "a.logical_or(b)", sp_logical_or(in[0], in[1]))
ROW(logical_xor, "b256,512 b256,512", false, 0, "a.logical_xor(b)", sp_logical_xor(in[0], in[1]))
ROW(isnan, "n256,512", false, 0, "a.isnan()", sp_isnan(in[0]))
ROW(isinf, "n256,512", false, 0, "a.isinf()", sp_isinf(in[0]))
ROW(isfinite, "n256,512", false, 0, "a.isfinite()", sp_isfinite(in[0]))
ROW(eq, "n256,512 n256,512", false, 0, "a == b", sp_eq(in[0], in[1]))
ROW(ne, "n256,512 n256,512", false, 0, "a != b", sp_ne(in[0], in[1]))
ROW(lt, "n256,512 n256,512", false, 0, "a < b", sp_lt(in[0], in[1]))
ROW(le, "n256,512 n256,512", false, 0, "a <= b", sp_le(in[0], in[1]))
ROW(gt, "n256,512 n256,512", false, 0, "a > b", sp_gt(in[0], in[1]))
ROW(ge, "n256,512 n256,512", false, 0, "a >= b", sp_ge(in[0], in[1]))
ROW(where, "b256,512 n256,512 n256,512", true, 0, "torch.where(a, b, c)", sp_where(in[0], in[1], in[2]))
ROW(masked_fill, "n256,512 b256,512", true, 0, "a.masked_fill(b, 0)", sp_masked_fill(in[0], in[1], 0))
ROW(xlogy_kl_div, "u256,512 u256,512", true, 0, "F.kl_div(a, b)", sp_kl_div(in[0], in[1]))

/* ---- activations ---- */
ROW(relu, "n256,512", true, 0, "a.relu()", sp_relu(in[0]))
ROW(sigmoid, "n256,512", true, 0, "a.sigmoid()", sp_sigmoid(in[0]))
ROW(tanh, "n256,512", true, 0, "a.tanh()", sp_tanh(in[0]))
ROW(silu, "n256,512", true, 0, "F.silu(a)", sp_silu(in[0]))
ROW(softplus, "n256,512", true, 0, "F.softplus(a)", sp_softplus(in[0]))
ROW(leaky_relu, "n256,512", true, 0, "F.leaky_relu(a)", sp_leaky_relu(in[0]))
ROW(elu, "n256,512", true, 0, "F.elu(a)", sp_elu(in[0]))
ROW(gelu, "n256,512", true, 0, "F.gelu(a)", sp_gelu(in[0]))
ROW(gelu_tanh, "n256,512", true, 0, "F.gelu(a, approximate='tanh')", sp_gelu(in[0], .tanh = true))
ROW(dropout, "n256,512", true, 0, "F.dropout(a, 0.5)", sp_dropout(in[0], 0.5, true))
ROW(dropout2d, "m64,32,14,14", true, 0, "F.dropout2d(a, 0.5)", sp_dropout2d(in[0], 0.5, true))

/* ---- copies and fills ---- */
ROW(clone, "n256,512", true, 0, "a.clone()", sp_clone(in[0]))
ROW(clone_transposed, "n256,512", true, 0, "a.t().contiguous()", sp_contiguous(sp_t(in[0])))
ROW(cast, "n256,512", true, 0, "a.bfloat16()", sp_cast(in[0], SP_BF16))
ROW(copy, "n256,512 n256,512", false, 0, "a.copy_(b)", sp_copy_(in[0], in[1]))
ROW(fill, "n256,512", false, 0, "a.fill_(2)", sp_fill_(in[0], 2))
ROW(zero, "n256,512", false, 0, "a.zero_()", sp_zero_(in[0]))
ROW(uniform, "n256,512", false, 0, "a.uniform_(0, 1)", sp_uniform_(in[0], 0, 1))
ROW(normal, "n256,512", false, 0, "a.normal_(0, 1)", sp_normal_(in[0], 0, 1))
ROW(cat, "n256,256 n256,256", true, 0, "torch.cat([a, b], 1)", sp_cat(SP_LIST(in[0], in[1]), 1))

/* ---- views: the cost of a call ---- */
ROW(view, "n256,512", true, 0, "a.view(512, 256)", sp_view(in[0], 512, 256))
ROW(permute, "n16,16,512", true, 0, "a.permute(2, 0, 1)", sp_permute(in[0], 2, 0, 1))
ROW(transpose, "n256,512", true, 0, "a.transpose(0, 1)", sp_transpose(in[0], 0, 1))
ROW(t, "n256,512", true, 0, "a.t()", sp_t(in[0]))
ROW(expand, "n1,512", true, 0, "a.expand(256, 512)", sp_expand(in[0], 256, 512))
ROW(squeeze, "n256,1,512", true, 0, "a.squeeze()", sp_squeeze(in[0]))
ROW(squeeze_dim, "n256,1,512", true, 0, "a.squeeze(1)", sp_squeeze_dim(in[0], 1))
ROW(unsqueeze, "n256,512", true, 0, "a.unsqueeze(1)", sp_unsqueeze(in[0], 1))
ROW(select, "n256,512", true, 0, "a.select(0, 3)", sp_select(in[0], 0, 3))
ROW(slice, "n256,512", true, 0, "a[:, 4:500]", sp_slice(in[0], 1, 4, 500, 1))

/* ---- reductions ---- */
ROW(sum, "n64,784", true, 0, "a.sum()", sp_sum(in[0]))
ROW(sum_large, "n1024,1024", true, 0, "a.sum()", sp_sum(in[0]))
ROW(sum_dim_rows, "n64,784", true, 0, "a.sum(1)", sp_sum_dim(in[0], 1))
ROW(sum_dim_columns, "n64,784", true, 0, "a.sum(0)", sp_sum_dim(in[0], 0))
ROW(sum_dim_short_rows, "n4096,10", true, 0, "a.sum(1)", sp_sum_dim(in[0], 1))
ROW(sum_dim_channels, "m64,32,14,14", true, 0, "a.sum((0, 2, 3))", sp_sum_dims(in[0], SP_DIMS(0, 2, 3)))
ROW(mean, "n64,784", true, 0, "a.mean()", sp_mean(in[0]))
ROW(mean_dim_rows, "n64,784", true, 0, "a.mean(1)", sp_mean_dim(in[0], 1))
ROW(mean_dim_columns, "n64,784", true, 0, "a.mean(0)", sp_mean_dim(in[0], 0))
ROW(mean_dim_places, "m64,32,14,14", true, 0, "a.mean((2, 3))", sp_mean_dims(in[0], SP_DIMS(2, 3)))
ROW(prod, "u64,784", true, 0, "a.prod()", sp_prod(in[0]))
ROW(prod_dim, "u64,784", true, 0, "a.prod(1)", sp_prod_dim(in[0], 1))
ROW(any, "b256,512", false, 0, "a.any()", sp_any(in[0]))
ROW(all, "b256,512", false, 0, "a.all()", sp_all(in[0]))
ROW(amax, "n64,784", true, 0, "a.amax(1)", sp_amax_dim(in[0], 1))
ROW(amax_columns, "n64,784", true, 0, "a.amax(0)", sp_amax_dim(in[0], 0))
ROW(amin, "n64,784", true, 0, "a.amin(1)", sp_amin_dim(in[0], 1))
ROW(max, "n64,784", true, 0, "a.max()", sp_max(in[0]))
ROW(max_large, "n1024,1024", true, 0, "a.max()", sp_max(in[0]))
ROW(min, "n64,784", true, 0, "a.min()", sp_min(in[0]))
ROW(max_dim, "n64,784", true, 0, "a.max(1).values", sp_max_dim(in[0], 1).values)
ROW(max_dim_long, "n16,16384", true, 0, "a.max(1).values", sp_max_dim(in[0], 1).values)
ROW(max_dim_columns, "n64,784", true, 0, "a.max(0).values", sp_max_dim(in[0], 0).values)
ROW(min_dim, "n64,784", true, 0, "a.min(1).values", sp_min_dim(in[0], 1).values)
ROW(argmax, "n64,784", false, 0, "a.argmax(1)", sp_argmax_dim(in[0], 1))
ROW(argmax_short_rows, "n4096,10", false, 0, "a.argmax(1)", sp_argmax_dim(in[0], 1))
ROW(argmin, "n64,784", false, 0, "a.argmin(1)", sp_argmin_dim(in[0], 1))
ROW(var, "n64,784", true, 0, "a.var()", sp_var(in[0]))
ROW(var_rows, "n64,784", true, 0, "a.var(1)", sp_var_dim(in[0], 1))
ROW(var_columns, "n64,784", true, 0, "a.var(0)", sp_var_dim(in[0], 0))
ROW(std, "n64,784", true, 0, "a.std(1)", sp_std_dim(in[0], 1))
ROW(norm, "n64,784", true, 0, "a.norm()", sp_norm(in[0]))
ROW(norm_rows, "n64,784", true, 0, "a.norm(dim=1)", sp_norm_dim(in[0], 1))
ROW(norm_columns, "n64,784", true, 0, "a.norm(dim=0)", sp_norm_dim(in[0], 0))
ROW(logsumexp, "n64,784", true, 0, "a.logsumexp(1)", sp_logsumexp_dim(in[0], 1))
ROW(logsumexp_columns, "n64,784", true, 0, "a.logsumexp(0)", sp_logsumexp_dim(in[0], 0))
ROW(cumsum, "n256,512", true, 0, "a.cumsum(1)", sp_cumsum(in[0], 1))
ROW(cumsum_columns, "n256,512", true, 0, "a.cumsum(0)", sp_cumsum(in[0], 0))
ROW(softmax, "n256,512", true, 0, "a.softmax(1)", sp_softmax(in[0], 1))
ROW(softmax_short_rows, "n4096,10", true, 0, "a.softmax(1)", sp_softmax(in[0], 1))
ROW(softmax_columns, "n256,512", true, 0, "a.softmax(0)", sp_softmax(in[0], 0))
ROW(log_softmax, "n256,512", true, 0, "a.log_softmax(1)", sp_log_softmax(in[0], 1))
ROW(log_softmax_short_rows, "n64,10", true, 0, "a.log_softmax(1)", sp_log_softmax(in[0], 1))

/* ---- losses ---- */
ROW(nll_loss, "n256,512 i512:256", true, 0, "F.nll_loss(a, b)", sp_nll_loss(in[0], in[1]))
ROW(nll_loss2d, "n16,21,32,32 i21:16,32,32", true, 0, "F.nll_loss(a, b)", sp_nll_loss(in[0], in[1]))
ROW(nll_loss_cross_entropy, "n256,512 i512:256", true, 0, "F.cross_entropy(a, b)", sp_cross_entropy(in[0], in[1]))
ROW(mse_loss, "n64,784 n64,784", true, 0, "F.mse_loss(a, b)", sp_mse_loss(in[0], in[1]))
ROW(l1_loss, "n64,784 n64,784", true, 0, "F.l1_loss(a, b)", sp_l1_loss(in[0], in[1]))
ROW(smooth_l1_loss, "n64,784 n64,784", true, 0, "F.smooth_l1_loss(a, b)", sp_smooth_l1_loss(in[0], in[1]))
ROW(binary_cross_entropy, "u64,784 u64,784", true, 0, "F.binary_cross_entropy(a, b)",
    sp_binary_cross_entropy(in[0], in[1]))
ROW(binary_cross_entropy_with_logits, "n64,784 u64,784", true, 0, "F.binary_cross_entropy_with_logits(a, b)",
    sp_binary_cross_entropy_with_logits(in[0], in[1]))

/* ---- products ---- */
ROW(mm, "n512,512 n512,512", true, 2.0 * 512 * 512 * 512, "a @ b", sp_mm(in[0], in[1]))
ROW(bmm, "n96,64,32 n96,32,64", true, 2.0 * 96 * 64 * 32 * 64, "torch.bmm(a, b)", sp_bmm(in[0], in[1]))
ROW(mv, "n512,512 n512", true, 2.0 * 512 * 512, "a @ b", sp_mv(in[0], in[1]))
ROW(dot, "n65536 n65536", true, 2.0 * 65536, "a @ b", sp_dot(in[0], in[1]))
ROW(addmm, "n256,256 n256,512 n512,256", true, 2.0 * 256 * 512 * 256, "torch.addmm(a, b, c)",
    sp_addmm(in[0], in[1], in[2]))
ROW(linear, "n64,784 n256,784 n256", true, 2.0 * 64 * 784 * 256, "F.linear(a, b, c)", sp_linear(in[0], in[1], in[2]))
ROW(linear_3136, "n64,3136 n128,3136 n128", true, 2.0 * 64 * 3136 * 128, "F.linear(a, b, c)",
    sp_linear(in[0], in[1], in[2]))
ROW(linear_9216, "n64,9216 n128,9216 n128", true, 2.0 * 64 * 9216 * 128, "F.linear(a, b, c)",
    sp_linear(in[0], in[1], in[2]))
ROW(scaled_dot_product_attention, "n16,6,64,32 n16,6,64,32 n16,6,64,32", true, 4.0 * 96 * 64 * 64 * 32,
    "F.scaled_dot_product_attention(a, b, c)", sp_scaled_dot_product_attention(in[0], in[1], in[2]))
ROW(scaled_dot_product_attention_causal, "n16,6,64,32 n16,6,64,32 n16,6,64,32", true, 4.0 * 96 * 64 * 64 * 32,
    "F.scaled_dot_product_attention(a, b, c, is_causal=True)",
    sp_scaled_dot_product_attention(in[0], in[1], in[2], .is_causal = true))
ROW(linalg_eigh, "n64,64", false, 0, "torch.linalg.eigh(a).eigenvalues", sp_linalg_eigh(in[0]).eigenvalues)

/* ---- images ---- */
ROW(conv2d, "m64,1,28,28 n32,1,3,3 n32", true, 2.0 * 64 * 784 * 9 * 32, "F.conv2d(a, b, c, padding=1)",
    sp_conv2d(in[0], in[1], in[2], .padding = 1))
ROW(conv2d_32_64, "m64,32,14,14 n64,32,3,3 n64", true, 2.0 * 64 * 196 * 9 * 32 * 64, "F.conv2d(a, b, c, padding=1)",
    sp_conv2d(in[0], in[1], in[2], .padding = 1))
ROW(conv2d_depthwise, "m64,64,14,14 n64,1,3,3 n64", true, 2.0 * 64 * 196 * 9 * 64,
    "F.conv2d(a, b, c, padding=1, groups=64)", sp_conv2d(in[0], in[1], in[2], .padding = 1, .groups = 64))
ROW(conv2d_1x1, "m64,64,14,14 n64,64,1,1 n64", true, 2.0 * 64 * 196 * 64 * 64, "F.conv2d(a, b, c)",
    sp_conv2d(in[0], in[1], in[2]))
ROW(conv2d_5x5_stride_2, "m64,16,28,28 n32,16,5,5 n32", true, 2.0 * 64 * 196 * 25 * 16 * 32,
    "F.conv2d(a, b, c, padding=2, stride=2)", sp_conv2d(in[0], in[1], in[2], .padding = 2, .stride = 2))
ROW(conv_transpose2d, "m64,32,7,7 n32,16,2,2 n16", true, 2.0 * 64 * 49 * 4 * 32 * 16,
    "F.conv_transpose2d(a, b, c, stride=2)", sp_conv_transpose2d(in[0], in[1], in[2], .stride = 2))
ROW(max_pool2d, "m64,32,28,28", true, 0, "F.max_pool2d(a, 2)", sp_max_pool2d(in[0], 2))
ROW(max_pool2d_3, "m64,32,28,28", true, 0, "F.max_pool2d(a, 3, 2, 1)",
    sp_max_pool2d(in[0], 3, .stride = 2, .padding = 1))
ROW(avg_pool2d, "m64,32,28,28", true, 0, "F.avg_pool2d(a, 2)", sp_avg_pool2d(in[0], 2))
ROW(adaptive_avg_pool2d, "m64,64,7,7", true, 0, "F.adaptive_avg_pool2d(a, 1)", sp_adaptive_avg_pool2d(in[0], 1))
ROW(reflection_pad2d, "n64,16,28,28", true, 0, "F.pad(a, (2, 2, 2, 2), 'reflect')",
    sp_pad(in[0], SP_DIMS(2, 2, 2, 2), .mode = SP_PAD_REFLECT))
ROW(replication_pad2d, "n64,16,28,28", true, 0, "F.pad(a, (2, 2, 2, 2), 'replicate')",
    sp_pad(in[0], SP_DIMS(2, 2, 2, 2), .mode = SP_PAD_REPLICATE))
ROW(constant_pad_nd, "n64,16,28,28", true, 0, "F.pad(a, (2, 2, 2, 2))", sp_pad(in[0], SP_DIMS(2, 2, 2, 2)))
ROW(upsample_nearest2d, "m64,16,14,14", true, 0, "F.interpolate(a, scale_factor=2)",
    sp_interpolate(in[0], .scale_factor = 2))
ROW(upsample_bilinear2d, "m64,16,14,14", true, 0, "F.interpolate(a, scale_factor=2, mode='bilinear')",
    sp_interpolate(in[0], .scale_factor = 2, .mode = SP_BILINEAR))
ROW(batch_norm, "m64,32,14,14 n32 n32", true, 0, "F.batch_norm(a, None, None, b, c, training=True)",
    sp_batch_norm(in[0], SP_NONE, SP_NONE, in[1], in[2], .training = true))
ROW(layer_norm, "n1024,192 n192 n192", true, 0, "F.layer_norm(a, (192,), b, c)",
    sp_layer_norm(in[0], SP_DIMS(192), in[1], in[2]))

/* ---- by index ---- */
ROW(gather, "n256,512 i512:256,64", true, 0, "a.gather(1, b)", sp_gather(in[0], 1, in[1]))
ROW(scatter_add, "n256,512 i512:256,64 n256,64", true, 0, "a.scatter_add(1, b, c)",
    sp_scatter_add(in[0], 1, in[1], in[2]))
ROW(index_select, "n512,256 i512:256", true, 0, "a.index_select(0, b)", sp_index_select(in[0], 0, in[1]))
ROW(embedding, "i65:1024 n65,192", true, 0, "F.embedding(a, b)", sp_embedding(in[0], in[1]))
