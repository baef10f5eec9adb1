/* A run of training: what it is made of, and one epoch of it. */
#ifndef SPUSK_CLI_TRAIN_H
#define SPUSK_CLI_TRAIN_H

#include "cli.h"

#include <limits.h>

typedef struct train_options {
    common common;
    char *model, *dataset, *output;
    int epochs, batch_size, workers, no_progress;
    double lr;
    dataset_options data;
    const model_kind *kind;
    char weights[PATH_MAX], losses[PATH_MAX], predictions[PATH_MAX];
} train_options;

typedef struct session {
    train_options *options;
    sp_dataset *val_data;
    sp_loader *train_loader, *train_again, *val_loader; /* train_again: the same examples in order, to measure */
    sp_module *model, *criterion;
    sp_optimizer *optimizer;
    sp_series *train_losses, *val_losses;
    int64_t train_losses_per_epoch;
    figures train, val;
} session;

/* Opens the data and builds the network. False after an error, which has been reported. */
bool session_begin(session *s, train_options *options);
/* Trains for an epoch, measures and prints. An interrupt ends it early and prints nothing. */
bool session_epoch(session *s, int epoch);

#endif
