/* The loops of the eigenproblem. */
#include "reference.h"

#define NAME sp__eigh_f64
#include "eigh.inc.h"
