/* What the commands of the program share. */
#ifndef SPUSK_CLI_H
#define SPUSK_CLI_H

#include <popt.h>
#include <spusk/spusk.h>
#include <stdio.h>

/* Exit statuses. */
enum { EXIT_FINE = 0, EXIT_FAILED = 1, EXIT_WRONG_USE = 2, EXIT_STOPPED = 130 };

typedef struct command {
    const char *name;
    int (*run)(const struct command *self, int argc, char **argv);
    const char *words; /* what stands after the options, for the help */
    int min_words, max_words;
    const char *summary;
} command;

int cmd_train(const command *self, int argc, char **argv);
int cmd_eval(const command *self, int argc, char **argv);
int cmd_predict(const command *self, int argc, char **argv);
int cmd_info(const command *self, int argc, char **argv);
int cmd_scatter(const command *self, int argc, char **argv);
int cmd_morph(const command *self, int argc, char **argv);
int cmd_autoencode(const command *self, int argc, char **argv);
int cmd_descent(const command *self, int argc, char **argv);
int cmd_bench(const command *self, int argc, char **argv);

/* ---- options.c ---- */

/* Options that every command has, and the words after the options. */
typedef struct common {
    const command *command;
    int help, json, threads;
    long long seed;
    char *device, *data, *out;
    char *words[3];
    int n_words;
    struct poptOption *own;
} common;

/* Reads the command line by the table of the command and the common one, checks the common values, and sets threads and
 * seed. Returns -1 to go on, or else the exit status to end with: help was asked for, or something was wrong and has
 * been said. */
int options_read(common *c, const command *self, struct poptOption *own, int argc, char **argv);
/* Frees the words and texts. */
void options_free(common *c);
/* The number of the row that an option names, in a table whose rows begin with their names; -1 after saying which names
 * there are. */
int choose_row(const common *c, const char *option, const void *rows, int n, size_t row_size, const char *name);
/* Whether a value is in its range; says so if not. */
bool in_range(const common *c, const char *option, double value, double low, double high);
/* One line on standard error: "spusk train: …". Returns EXIT_WRONG_USE. */
int complain(const common *c, const char *format, ...) SP_PRINTF(2, 3);

/* ---- models.c ---- */

/* Whether there is a classifier of that name; if not, says which there are. The second tells what a network is, in a
 * few words. */
bool model_known(const common *c, const char *name);
const char *model_summary(const char *name);
/* The network of a weights file, by its description, or the network of that name (which must exist) with the file's
 * weights. */
sp_module *load_network(const common *c, const char *path, const char *model);
/* Whether the network of the file in the first word is one; says what it is if not. */
bool is_classifier(const common *c, sp_module *network);
bool is_autoencoder(const common *c, const sp_module *network);

/* How images are changed before a network sees them: (x - mean)/std, and nothing where std is 0. The weights file holds
 * both. */
typedef struct normalization {
    double mean, std;
} normalization;
normalization load_normalization(const char *path);
sp_tensor *normalized(const normalization *n, sp_tensor *image);
sp_status save_network(const sp_module *model, const normalization *n, const char *path);

/* ---- datasets.c ---- */

typedef struct dataset_options {
    const char *name;    /* "mnist" */
    bool quiet;          /* no bar while downloading */
    long long limit;     /* use only that many training examples, and a sixth of it for validation; 0: all */
    const char *augment; /* distortions of the training half, as sp_transform_by_name takes them; NULL or "": none */
    normalization normal;
} dataset_options;
/* Whether there is a data set of that name; says which there are if not. */
bool dataset_known(const common *c, const char *name);
/* The training or validation half. Where MNIST is not found, nobody has named a folder, and it cannot be downloaded,
 * synthetic digits replace it from then on: options->name changes, and a line says so. NULL after an error that has
 * been reported. */
sp_dataset *dataset_open(const common *c, dataset_options *options, bool validation);

/* "data: MNIST, 60000 images, …; 10000 to validate" */
void print_data(const sp_dataset *train, const sp_dataset *validation);
/* `,"data":"MNIST, 10000 images, …"`, which stands beside figures, so that they say which data they are of, also where
 * it was replaced. */
void json_dataset(FILE *file, const sp_dataset *dataset);

/* The loader that evaluation wants: in order, in large batches. */
sp_loader *evaluation_loader(sp_dataset *dataset, int workers);

/* ---- files.c ---- */

/* The path of a file that a command writes: `name` in --out, or as it is when it names a folder itself. */
bool output_path(const common *c, const char *name, char *path, size_t size);
/* Makes --out if it is not there. False after saying why it cannot be. */
bool make_out(const common *c);
/* Whether a file can be written, tried by a small file beside it; says why not. */
bool writable(const common *c, const char *path);
/* Whether what is written there can be read again: it is or will be a file, not a pipe or a device. */
bool lasting(const char *path);
/* Whether two outputs are two files; says so if not. */
bool differ(const common *c, const char *path, const char *other);
/* The same for a chart, which has a script (.gp) and data (.dat) beside it. */
bool differ_from_chart(const common *c, const char *path, const char *chart);

/* "wrote PATH" and more, unless figures are JSON. */
void note_written(const common *c, const char *path, const char *more);

/* ---- text.c ---- */

/* Text as a JSON string; a number, null when JSON has none for it. */
void json_text(FILE *file, const char *text);
void json_number(FILE *file, double x);
/* Text of a file or a user as a terminal can show it. */
void put_text(FILE *file, const char *text);
/* Draws a (H, W) image of values in [0, 1] with characters, as the terminal can. */
void draw_image(FILE *file, sp_tensor *image);
/* Seconds on a clock that only goes forward. */
double seconds_now(void);

/* ---- progress.c ---- */

typedef struct progress {
    bool on;
    int epoch, epochs;
    int64_t batches, batch_size;
    double began, shown;
} progress;
/* A bar on standard error, when that is a terminal. */
void progress_begin(progress *p, bool wanted, int epoch, int epochs, int64_t batches, int64_t batch_size);
void progress_show(progress *p, int64_t batch, double loss);
void progress_end(progress *p);

/* ---- interrupt.c ---- */

/* From now on Ctrl-C (or SIGTERM) is noted; a second one ends the program as usual. A terminal that closes (SIGHUP) is
 * noted too, unless the signal was to be ignored (nohup). A reader of the output that ends is no reason to stop
 * training. */
void interrupt_watch(void);
bool interrupted(void);
/* From now on the first Ctrl-C ends the program, too. */
void interrupt_forget(void);

/* ---- pictures.c ---- */

/* Draws digits of a data set with the answers of the model: first wrong ones, with a frame, then right ones. */
sp_status draw_predictions(sp_module *model, const normalization *n, sp_dataset *dataset, const char *path);

#endif
