/* A run of training: what it is made of, and one epoch of it. */
#ifndef SPUSK_CLI_TRAIN_H
#define SPUSK_CLI_TRAIN_H

#include "cli.h"

#include <limits.h>

typedef struct train_options {
    common common;
    char *recipe_name, *model, *optimizer, *schedule, *augment, *dataset, *precision, *output, *loss;
    int epochs, batch_size, workers, no_progress, no_train_accuracy, resume;
    double lr;
    dataset_options data;
    sp_dtype autocast;                            /* of --precision */
    sp_recipe recipe;                             /* as it is carried out: with what the options say */
    char weights[PATH_MAX], checkpoint[PATH_MAX]; /* checkpoint "": none */
    char losses[PATH_MAX], predictions[PATH_MAX];
} train_options;

typedef struct session {
    train_options *options;
    sp_dataset *val_data;
    sp_loader *train_loader, *train_again, *val_loader; /* train_again: the same examples in order, to measure */
    sp_module *model;
    sp_optimizer *optimizer;
    sp_scheduler *scheduler;
    sp_series *train_losses, *val_losses;
    int64_t batches; /* of an epoch */
    int first_epoch; /* 1, or the one to go on with */
    sp_figures train, val;
} session;

/* Opens the data and builds the network; with --resume, puts back what the checkpoint has. False after an error, which
 * has been reported. */
bool session_begin(session *s, train_options *options);
/* Measures the network as it is. */
bool session_measure(session *s);
/* Trains for an epoch, measures and prints, and saves the checkpoint. An interrupt ends it early and prints nothing. */
bool session_epoch(session *s, int epoch);

#endif
