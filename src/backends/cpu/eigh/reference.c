/* The loops of the eigenproblem. */
#include "backends/cpu/reference.h"

#define NAME sp__eigh_f64
#include "loops.inc.h"
