/* The peak of multiply-adds: independent chains of them, in registers. */

/* Returns how many floating point operations it did. */
static double spin(int64_t rounds)
{
    enum { CHAINS = 12 };
    vector sums[CHAINS], x, y;
    number numbers[LANES];
    for (int i = 0; i < CHAINS + 2; i++) { /* all different, or the compiler would compute equal chains once */
        for (int lane = 0; lane < LANES; lane++) numbers[lane] = (number)(1 / (i + 2.0));
        *(i < CHAINS ? &sums[i] : i == CHAINS ? &x : &y) = *(const vector *)numbers;
    }
    for (int64_t r = 0; r < rounds; r++) {
        SP__UNROLL
        for (int i = 0; i < CHAINS; i++) sums[i] = spin_step(sums[i], x, y);
    }
    volatile number sink = 0;
    for (int i = 0; i < CHAINS; i++) sink = sums[i][0];
    (void)sink;
    return (double)rounds * CHAINS * LANES * STEP * 2;
}
