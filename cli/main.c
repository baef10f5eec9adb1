/* spusk: trains, evaluates and shows networks. This file finds the command. */
#include "cli.h"

#include <errno.h>
#include <signal.h>
#include <spusk/extend/text.h>
#include <string.h>

static const command commands[] = {
    {"train", cmd_train, "", 0, 0, "train a network; write its weights, loss curve and predictions"},
    {"eval", cmd_eval, "FILE", 1, 1, "loss and accuracy of saved weights"},
    {"predict", cmd_predict, "FILE [digit.png | INDEX]", 1, 2,
     "class and probabilities of a picture, or of example INDEX"},
    {"autoencode", cmd_autoencode, "", 0, 0, "train an autoencoder; write its weights, loss curve and reconstructions"},
    {"scatter", cmd_scatter, "FILE", 1, 1, "an autoencoder's codes in the plane, and what is drawn from each place"},
    {"morph", cmd_morph, "FILE", 1, 1, "a closed walk through an autoencoder's codes, as a movie"},
    {"info", cmd_info, "[FILE]", 0, 1, "layers, shapes, parameters and metadata of a weights file"},
    {"descent", cmd_descent, "", 0, 0, "optimizers walking down a surface: a picture, a movie, figures"},
    {"bench", cmd_bench, "matmul | step | lesson | ops", 1, 1, "speed beside the machine's peak"},
};
#define N_COMMANDS (sizeof commands / sizeof *commands)

static void print_help(FILE *file)
{
    fputs("usage: spusk COMMAND [OPTIONS] [FILES]\n\n", file);
    for (size_t i = 0; i < N_COMMANDS; i++) fprintf(file, "  %-11s %s\n", commands[i].name, commands[i].summary);
    fputs("\n  --help     this text; `spusk COMMAND --help` tells a command's options\n"
          "  --version  the version\n",
          file);
}

static const command *find(const char *name)
{
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (strcmp(commands[i].name, name) == 0) return &commands[i];
    return NULL;
}

static int dispatch(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    if (strcmp(name, "--version") == 0) return printf("spusk %s\n", sp_version()), EXIT_FINE;
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0)
        return print_help(stdout), EXIT_FINE;
    if (argc < 2) return print_help(stderr), EXIT_WRONG_USE;
    const command *found = find(name);
    if (found) return found->run(found, argc - 1, argv + 1);
    char shown[256];
    sp_printable(name, shown, sizeof shown);
    fprintf(stderr, "spusk: there is no command '%s'; `spusk --help` names them\n", shown);
    return EXIT_WRONG_USE;
}

int main(int argc, char **argv)
{
    /* A limit on the size of files is an error like a full disk, not the end. */
    signal(SIGXFSZ, SIG_IGN);
    int status = dispatch(argc, argv);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "spusk: cannot write to standard output: %s\n", strerror(errno));
        status = EXIT_FAILED;
    }
    int unread = sp_finish();
    return status != EXIT_FINE ? status : unread;
}
