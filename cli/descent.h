/* The optimisers that spusk descent knows. */
#ifndef SPUSK_CLI_DESCENT_H
#define SPUSK_CLI_DESCENT_H

#include "cli.h"

typedef struct rule {
    const char *name, *label; /* "sgd", "SGD" */
    sp_optimizer *(*make)(const sp_list *parameters, double lr);
    double lr;
    bool by_width;
} rule;

/* Optimiser number i; NULL after the last. */
const rule *rule_number(int i);
/* The optimiser whose name is these n letters. NULL after saying which there are. */
const rule *rule_find(const common *c, const char *name, size_t n);
/* The learning rate that suits it on a surface. */
double rule_default_lr(const rule *how, const sp_surface_about *about);

#endif
