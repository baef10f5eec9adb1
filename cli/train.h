/* A run of training: its parts, and one epoch of it. */
#ifndef SPUSK_CLI_TRAIN_H
#define SPUSK_CLI_TRAIN_H

#include "cli.h"

#include <limits.h>

enum { MOST_EPOCHS = 100000 };

typedef struct train_options {
    common common;
    char *recipe_name, *model, *optimizer, *schedule, *augment, *dataset, *precision, *output, *loss;
    int epochs, batch_size, workers, no_progress, no_train_accuracy, resume, overwrite;
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
    int done, saved; /* the last epoch that was trained; that the checkpoint has; 0: none */
    bool warned;     /* that there is no checkpoint */
    sp_figures train, val;
} session;

/* Opens the data and builds the network; with --resume, puts back what the checkpoint has. False after an error, which
 * has been reported. */
bool session_begin(session *s, train_options *options);
/* Measures the network as it is. */
bool session_measure(session *s);
/* Trains for an epoch, measures, prints, and saves the checkpoint. A checkpoint that cannot be saved is reported, and
 * training goes on. An interrupt ends the epoch early and prints nothing. */
bool session_epoch(session *s, int epoch);

/* ---- resume.c ---- */

/* Writes the checkpoint, with the options of the run. */
sp_status save_checkpoint(const train_options *o, const session *s, int epoch);
/* Whether the checkpoint belongs to a run with these options; if not, says which option differs. */
bool can_resume(const train_options *o);
/* Whether a new run may write over the files that are there. The checkpoint of a run that stopped early is kept, and a
 * line says so. */
bool may_begin(const train_options *o);

#endif
