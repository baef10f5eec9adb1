/* Powers and cosines that are the same bits with every C library. */
#ifndef SPUSK_POWERS_H
#define SPUSK_POWERS_H

/* base^n for a whole n of 0 or more, by squaring. */
double sp__whole_power(double base, double n);
/* base^x for a base near 1 and any x of 0 or more: |ln base| below 1/16. */
double sp__slow_power(double base, double x);
/* cos πx; exact where that is 0, 1 or -1. */
double sp__cos_pi(double x);

#endif
