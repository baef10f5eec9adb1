/* The parts of a run of `spusk autoencode`. */
#ifndef SPUSK_CLI_AUTOENCODE_H
#define SPUSK_CLI_AUTOENCODE_H

#include "cli.h"

#include <limits.h>

/* The networks and losses that can be chosen. */
typedef struct autoencoder_kind {
    const char *name;
    sp_autoencoder_kind kind;
    const char *summary;
} autoencoder_kind;
typedef struct loss_kind {
    const char *name;
    sp_module *(*build)(void);
    const char *summary;
} loss_kind;

typedef struct autoencode_options {
    common common;
    char *model, *dataset, *output, *loss;
    int code, epochs, batch_size, workers, no_progress, pca;
    double lr;
    dataset_options data;
    const autoencoder_kind *kind;
    const loss_kind *criterion;
    char weights[PATH_MAX], losses[PATH_MAX], reconstructions[PATH_MAX];
} autoencode_options;

typedef struct autoencode_session {
    const autoencode_options *options;
    sp_dataset *train_data, *val_data;
    sp_loader *loader;
    sp_module *model;
    sp_series *train_losses, *val_losses;
} autoencode_session;

/* What one network is trained with. */
typedef struct autoencode_run {
    const autoencode_session *session;
    sp_module *model, *criterion;
    sp_optimizer *optimizer;
    sp_series *train_losses, *val_losses;
    int done;         /* the last epoch that was trained; 0: none */
    double val_error; /* mean squared error of the validation half */
} autoencode_run;

/* Trains for all epochs, printing each. False after an error; an interrupt ends it early. */
bool autoencode_train(autoencode_run *run);

/* --pca: finds the plane of the principal components by eigenvectors and by descent, and prints the errors of both and
 * of the network. */
bool autoencode_pca(autoencode_session *s, double network_error);

#endif
