/* How normalisation is cut into tasks: between norm.c, groups.c and rows.c. */
#ifndef SPUSK_CPU_NORM_H
#define SPUSK_CPU_NORM_H

#include "backends/cpu/cpu.h"

/* A row of n numbers of any floating dtype, in f64: read, or `absent` where there is none; written, where it is wanted. */
void sp__norm_load_row(double *to, const sp__operand *row, int64_t n, double absent);
void sp__norm_store_row(const sp__operand *row, int64_t n, const double *from);

/* How the groups of a call lie in memory. */
typedef enum sp__norm_layout {
    SP__NORM_STRIDED, /* anyhow */
    SP__NORM_COLUMNS, /* side by side, without gaps */
    SP__NORM_RUNS     /* each in runs of elements side by side, at equal distances */
} sp__norm_layout;
typedef struct sp__norm_places {
    sp__norm_layout layout;
    int64_t run, runs, distance; /* of SP__NORM_RUNS */
} sp__norm_places;
sp__norm_places sp__norm_places_of(const sp__norm *call);

/* Groups with numbers of their own, in columns or runs, by the level's loops. */
sp_status sp__norm_groups_call(const sp__norm *call, const sp__norm_loops *loops, const sp__norm_places *places);
/* Groups in rows, whose places have numbers. */
sp_status sp__norm_rows_call(const sp__norm *call, const sp__norm_loops *loops);

#endif
