/* Undoes reference.inc.h for the next dtype. */
#undef FOLD
#undef NEW_BEST
#undef LOAD
#undef FN
