/* The table of this ISA level. */
#include "backends/cpu/simd/simd.h"

#define TEXT(name) #name
#define NAME_OF(name) TEXT(name)

const sp__level SP__HERE(sp__level) = {
    .name = NAME_OF(SP_ISA),
    .of = {[SP_F32] = {.gemm = SP__HERE(sp__gemm_f32), .spin = SP__HERE(sp__spin_f32)},
           [SP_F64] = {.gemm = SP__HERE(sp__gemm_f64), .spin = SP__HERE(sp__spin_f64)}},
};
