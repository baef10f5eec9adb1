/* Undoes reference_loops.inc.h and the parameters of whoever included it, for the next dtype. */
#undef LOOP
#undef UNARY
#undef BINARY
#undef TERNARY
#undef TEST
#undef COMPARE
#undef COMMON_ROWS
#undef T
#undef C
#undef LOAD
#undef STORE
#undef PARAM
#undef FN
#undef M
#undef TABLE
