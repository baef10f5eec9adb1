/* Products of vectors and matrices; eigenvectors, principal components. */
#ifndef SPUSK_LINALG_H
#define SPUSK_LINALG_H

#include <spusk/tensor.h>

SP_BEGIN

/* ---- products ---- */

/* Σ a[…,i,t]·b[…,t,j] over t: (…, m, k)×(…, k, n) → (…, m, n), the dimensions in front broadcast. A vector (k) counts
 * as a row on the left and as a column on the right, and its dimension goes: (k)×(k) → (). Fails where dtypes differ,
 * as all products do, and for bool. torch.matmul. */
SP_API sp_tensor *sp_matmul(sp_tensor *a, sp_tensor *b);

/* The product of two matrices, (m, k)×(k, n) → (m, n). */
SP_API sp_tensor *sp_mm(sp_tensor *a, sp_tensor *b);

/* The products of matrices with the same number, (b, m, k)×(b, k, n) → (b, m, n). */
SP_API sp_tensor *sp_bmm(sp_tensor *a, sp_tensor *b);

/* The product of a matrix and a vector, (m, k)×(k) → (m). */
SP_API sp_tensor *sp_mv(sp_tensor *a, sp_tensor *b);

/* Σ a[i]·b[i] of two vectors, (k)·(k) → (). */
SP_API sp_tensor *sp_dot(sp_tensor *a, sp_tensor *b);

typedef struct sp_addmm_options {
    size_t size;
    double alpha, beta; /* default 1; SP_ZERO for 0 */
    SP_OPTIONS_END;
} sp_addmm_options;

/* β·x + α·a×b for matrices a (m, k) and b (k, n); x broadcasts to (m, n). A β of 0 leaves x out, NaN among it. */
SP_API sp_tensor *sp_addmm(sp_tensor *x, sp_tensor *a, sp_tensor *b, const sp_addmm_options *options SP_OR_NULL);
#define sp_addmm(...) SP__CALL3(sp_addmm, sp_addmm_options, __VA_ARGS__)

/* ---- linear algebra ---- */

/* A symmetric matrix's eigenvalues (…, n), ascending, and eigenvectors (…, n, n), the columns, of length 1 and
 * arbitrary sign. Both NULL after an error. */
typedef struct sp_eigen {
    sp_tensor *eigenvalues, *eigenvectors;
} sp_eigen;

typedef struct sp_eigh_options {
    size_t size;
    bool upper; /* read the upper triangle (PyTorch's UPLO="U"), not the lower */
    SP_OPTIONS_END;
} sp_eigh_options;

/* Eigenvalues λ (…, n) and eigenvectors V (…, n, n) with x = V·diag(λ)·Vᵀ for symmetric x (…, n, n), f32 or f64. One
 * triangle is read, and all is computed in f64. Fails on an element that is not finite. The gradient of V is not finite
 * where eigenvalues are equal. torch.linalg.eigh. */
SP_API sp_eigen sp_linalg_eigh(sp_tensor *x, const sp_eigh_options *options SP_OR_NULL);
#define sp_linalg_eigh(...) SP__CALL1(sp_linalg_eigh, sp_eigh_options, __VA_ARGS__)

/* U (m, q), S (q), V (n, q): x less its mean ≈ U·diag(S)·Vᵀ. All NULL after an error. */
typedef struct sp_pca {
    sp_tensor *U, *S, *V;
} sp_pca;

typedef struct sp_pca_options {
    size_t size;
    bool no_center; /* take x as it is: PyTorch's center=False */
    SP_OPTIONS_END;
} sp_pca_options;

/* The q principal components of the rows of x (m, n), f32 or f64, the largest first: x - mean ≈ U·diag(S)·Vᵀ. V's
 * columns are their directions, of arbitrary sign; the codes are (x - mean)·V = U·diag(S), the variances S²/(m - 1).
 * Fails unless 1 ≤ q ≤ min(m, n).
 *
 * It computes in f64 by eigenvectors, so S is exact to some roundings of its largest, where torch.pca_lowrank
 * approximates by random projections. The columns of U and of V are orthonormal whatever x's rank; where S is 0 they
 * are arbitrary. */
SP_API sp_pca sp_pca_lowrank(sp_tensor *x, int64_t q, const sp_pca_options *options SP_OR_NULL);
#define sp_pca_lowrank(...) SP__CALL2(sp_pca_lowrank, sp_pca_options, __VA_ARGS__)

SP_END_DECLS

#endif
