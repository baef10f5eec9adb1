/* Digits from whatever the machine has: MNIST, or synthetic digits in its place. */
#include <spusk/data.h>
#include <spusk/extend.h>
#include <stdio.h>
#include <stdlib.h>

/* A folder that the user named must hold the data, and data that is there but broken is an error to report. Synthetic
 * digits come only where nobody has named a folder and nothing is found. */
static bool may_replace(const char *root, sp_status status)
{
    const char *variable = getenv("SPUSK_DATA");
    return status == SP_ERROR_NOT_FOUND && !(root && *root) && !(variable && *variable);
}

/* NULL without an error when there is no MNIST. Everything else that goes wrong is raised. */
static sp_dataset *find_mnist(const char *root, const sp_data_options *options)
{
    const bool pending = sp_error_status() != SP_OK, was = sp_error_quiet(true);
    sp_dataset *mnist = (sp_data_mnist)(root, options);
    sp_error_quiet(was);
    if (mnist || pending) return mnist;
    const sp_status status = sp_error_clear();
    char message[512];
    snprintf(message, sizeof message, "%s", sp_error_message());
    if (!may_replace(root, status)) sp_raise(status, "%s", message);
    return NULL;
}

sp_dataset *(sp_data_digits)(const char *root, const sp_data_options *options)
{
    sp_data_options given;
    sp_options_copy(&given, sizeof given, options);
    const int64_t length = given.length ? sp_option_int(given.length, 0) : INT64_MAX;
    if (length < 1) {
        sp_raise(SP_ERROR_ARGUMENT, "sp_data_digits: length must be at least 1, got %lld", (long long)length);
        return NULL;
    }
    const bool drawn = root && strcmp(root, "synthetic") == 0;
    sp_dataset *mnist = drawn ? NULL : find_mnist(root, options);
    if (!mnist) return sp_error_status() == SP_OK ? (sp_data_synthetic_digits)(options) : NULL;
    if (sp_data_length(mnist) <= length) return mnist;
    return sp_data_subset(mnist, sp_arange((int64_t)0, length, (int64_t)1));
}
