/* The peak of one type: independent chains of multiply-adds, in registers. Continues tile.inc.h.
 * SPIN(sum, x, y) is one of them, written so that no compiler computes a part of it once. */

/* Returns how many floating point operations it did. */
double SP__HERE(ENTRY(sp__spin))(int64_t rounds)
{
    enum { CHAINS = 12 };
    FN(vector) sums[CHAINS], x, y;
    T numbers[FN(LANES)];
    for (int i = 0; i < CHAINS + 2; i++) { /* all different, or the compiler would compute equal chains once */
        for (int lane = 0; lane < FN(LANES); lane++) numbers[lane] = (T)(1 / (i + 2.0));
        *(i < CHAINS ? &sums[i] : i == CHAINS ? &x : &y) = *(const FN(vector) *)numbers;
    }
    for (int64_t r = 0; r < rounds; r++) {
        SP__UNROLL
        for (int i = 0; i < CHAINS; i++) SPIN(sums[i], x, y);
    }
    volatile T sink = 0;
    for (int i = 0; i < CHAINS; i++) sink = sums[i][0];
    (void)sink;
    return (double)rounds * CHAINS * FN(LANES) * STEP * 2;
}
