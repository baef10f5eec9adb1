/* Files of data sets: bytes from plain and gzip files, checksums, IDX, downloads. */
#ifndef SPUSK_DATA_FILES_H
#define SPUSK_DATA_FILES_H

#include <spusk/extend.h>

/* ---- bytes ---- */

/* A file being read, unpacked on the way when it is gzip's. */
typedef struct sp__stream {
    const char *path;
    int fd;
    int64_t file_size; /* on the disk */
    bool gzip;
    void *unpacker;
} sp__stream;

sp_status sp__stream_open(sp__stream *stream, const char *path);
/* Up to n bytes, fewer at the end of the file alone; -1 and an error when the file cannot be read or is damaged. */
int64_t sp__stream_read(sp__stream *stream, void *to, int64_t n);
void sp__stream_close(sp__stream *stream);

/* ---- checksums: SHA-256; none without libcrypto ---- */

enum { SP__SHA256_TEXT = 65 };
typedef struct sp__sha256 sp__sha256;
sp__sha256 *sp__sha256_new(void);
void sp__sha256_add(sp__sha256 *sum, const void *bytes, size_t n);
/* Writes the sum in hexadecimal and ends it. */
void sp__sha256_end(sp__sha256 *sum, char text[SP__SHA256_TEXT]);

/* ---- IDX ---- */

/* The images (n, 28, 28) or the labels 0 … 9 (n) of an IDX file: u8, in the open scope. */
sp_tensor *sp__idx_images(const char *path);
sp_tensor *sp__idx_labels(const char *path);

/* ---- downloads ---- */

/* A file as mirrors have it, and what tells it from a wrong one. */
typedef struct sp__remote {
    const char *name;    /* "train-images-idx3-ubyte.gz" */
    const char *packed;  /* SHA-256 of the file */
    const char *content; /* SHA-256 of what it unpacks to, for other packings of the same; NULL: unknown */
} sp__remote;

/* Text that grows up to the size of an error's message, and is cut there. */
typedef struct sp__text {
    size_t length;
    char text[900];
} sp__text;
void sp__text_add(sp__text *text, const char *format, ...) SP_PRINTF(2, 3);

/* Fetches a file into a folder, which is made, from the first mirror that has it whole; mirrors ends in NULL. On
 * failure nothing is left there, and what went wrong at each mirror is added to `troubles`. */
bool sp__download(const sp__remote *file, const char *const *mirrors, const char *folder, bool quiet,
                  sp__text *troubles);

/* ---- progress ---- */

/* A bar on standard error, when that is a terminal. */
typedef struct sp__progress {
    const char *label;
    bool on;
    int64_t drawn_at; /* milliseconds */
} sp__progress;

void sp__progress_begin(sp__progress *progress, const char *label, bool quiet);
/* total 0: unknown. */
void sp__progress_show(sp__progress *progress, int64_t done, int64_t total);
void sp__progress_end(sp__progress *progress);

#endif
