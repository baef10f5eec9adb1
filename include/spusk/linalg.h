/* Products of vectors and matrices; eigenvectors, principal components. */
#ifndef SPUSK_LINALG_H
#define SPUSK_LINALG_H

#include <spusk/tensor.h>

SP_BEGIN

/* ---- products ---- */

/* torch.matmul: vectors, matrices and batches of them; batch dimensions broadcast. (…,m,k)×(…,k,n) → (…,m,n). */
SP_API sp_tensor *sp_matmul(sp_tensor *a, sp_tensor *b);
SP_API sp_tensor *sp_mm(sp_tensor *a, sp_tensor *b);  /* (m,k)×(k,n) → (m,n) */
SP_API sp_tensor *sp_bmm(sp_tensor *a, sp_tensor *b); /* (b,m,k)×(b,k,n) → (b,m,n) */
SP_API sp_tensor *sp_mv(sp_tensor *a, sp_tensor *b);  /* (m,k)×(k) → (m) */
SP_API sp_tensor *sp_dot(sp_tensor *a, sp_tensor *b); /* (k)·(k) → () */

typedef struct sp_addmm_options {
    size_t size;
    double alpha, beta; /* default 1; SP_ZERO for 0 */
    SP_OPTIONS_END;
} sp_addmm_options;
/* β·x + α·a×b; x broadcasts to (m,n). */
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
/* x = V·diag(λ)·Vᵀ for symmetric x (…, n, n), f32 or f64; one triangle is read, and the work done in f64. Fails on an
 * element that is not finite. The gradient of the vectors is not finite where eigenvalues are equal. torch.linalg.eigh.
 */
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
/* The q principal components of the rows of x (m, n), f32 or f64, largest first; 1 ≤ q ≤ min(m, n). V's columns are
 * their directions, of arbitrary sign; the codes are (x - mean)·V = U·diag(S), the variances S²/(m - 1). Worked out in
 * f64 by eigenvectors: S is right to some roundings of its largest, where torch.pca_lowrank approximates by random
 * projections. The columns of U and of V are orthonormal, whatever x's rank; where S is 0 they are arbitrary. */
SP_API sp_pca sp_pca_lowrank(sp_tensor *x, int64_t q, const sp_pca_options *options SP_OR_NULL);
#define sp_pca_lowrank(...) SP__CALL2(sp_pca_lowrank, sp_pca_options, __VA_ARGS__)

SP_END_DECLS

#endif
