#!/bin/sh
# The kernels' times at one thread and at all, beside the measured peak: sh bench/kernels.sh [BUILD-FOLDER]
set -eu
build=${1:-build}
for threads in 1 "$(getconf _NPROCESSORS_ONLN)"; do
    SPUSK_THREADS=$threads OMP_NUM_THREADS=$threads "$build/bench/bench_kernels"
done
