#!/bin/sh
# The kernels' times at one thread and at all, beside the measured peak: sh bench/kernels.sh [BUILD-FOLDER]
# Products (beside a BLAS where one is built in), convolutions, element-wise passes. GOMP_SPINCOUNT: the threads of a
# BLAS by OpenMP shall not wait in a loop while the others are timed.
set -eu
build=${1:-build}
export GOMP_SPINCOUNT=0
for threads in $(printf '%s\n' 1 "$(getconf _NPROCESSORS_ONLN)" | sort -nu); do
    for bench in kernels convolutions elementwise; do
        SPUSK_THREADS=$threads OMP_NUM_THREADS=$threads "$build/bench/bench_$bench"
    done
done
