/* What products of matrices and Linear share. */
#ifndef SPUSK_OPS_PRODUCTS_H
#define SPUSK_OPS_PRODUCTS_H

#include "ops/ops.h"

/* The last two dimensions as rows and columns, before them a batch; a vector is a column. */
sp__matrix sp__matrix_of(const sp_tensor *x);
sp__matrix sp__matrix_transposed(sp__matrix m);

/* Operands of different dtypes, as in PyTorch, and bools are errors; SP_NONE among them is none. */
sp_status sp__product_check_dtypes(const char *function, sp_tensor *const *inputs, int n);
sp_status sp__product_bad_shapes(const char *function, const sp_tensor *a, const sp_tensor *b, const char *wanted);

/* The backend's product for sp_linear of these inputs into `out`. It refers to `bias_operand`, which must live as long. */
sp__gemm sp__linear_call(sp_tensor *const *inputs, const sp_tensor *out, sp__operand *bias_operand);

bool sp__is_column_major(const sp_tensor *x);
/* p·q, computed as (qᵀ·pᵀ)ᵀ where the operand that it is the gradient of lies column by column. */
sp_tensor *sp__product_like(bool column_major, sp_tensor *p, sp_tensor *q);

#endif
