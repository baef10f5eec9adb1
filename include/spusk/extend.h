/* For writers of operators, layers, optimisers, data sets and file formats: all that the library's own parts are made
 * of. Programs that only use them need <spusk/spusk.h> alone. */
#ifndef SPUSK_EXTEND_H
#define SPUSK_EXTEND_H

#include <spusk/extend/operator.h>

#endif
