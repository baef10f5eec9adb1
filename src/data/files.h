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
/* Reads up to n bytes; fewer only at the end of the file. -1 and an error when the file cannot be read or is damaged.
 */
int64_t sp__stream_read(sp__stream *stream, void *to, int64_t n);
void sp__stream_close(sp__stream *stream);

/* ---- checksums: SHA-256; none without libcrypto ---- */

enum { SP__SHA256_TEXT = 65 };
typedef struct sp__sha256 sp__sha256;
sp__sha256 *sp__sha256_new(void);
void sp__sha256_add(sp__sha256 *sum, const void *bytes, size_t n);
/* Writes the sum in hexadecimal and ends it. */
void sp__sha256_end(sp__sha256 *sum, char text[SP__SHA256_TEXT]);

/* Whether the bytes that were read are those that the file should hold, by the checksum. Unchecked where the checksum
 * is unknown, or without libcrypto. */
typedef enum sp__match { SP__UNCHECKED, SP__SAME, SP__OTHER } sp__match;

/* ---- IDX ---- */

/* The images (n, 28, 28) or the labels 0 … 9 (n) of an IDX file: u8, in the open scope. */
sp_tensor *sp__idx_images(const char *path);
sp_tensor *sp__idx_labels(const char *path);
/* Compares an IDX file's content, already read, with a SHA-256; NULL: none is known. */
sp__match sp__idx_compare(const sp_tensor *x, const char *content);

/* ---- downloads ---- */

/* A file as mirrors have it, and what tells it from a wrong one. */
typedef struct sp__remote {
    const char *name;    /* "train-images-idx3-ubyte.gz" */
    const char *packed;  /* SHA-256 of the file */
    const char *content; /* SHA-256 of what it unpacks to, for other packings of the same; NULL: unknown */
    int64_t bytes;       /* of what it unpacks to, at most; 0: unknown */
} sp__remote;

/* A note for an error's message: text that grows up to its size, and is cut there. */
typedef struct sp__note {
    size_t length;
    char text[900];
} sp__note;
void sp__note_add(sp__note *text, const char *format, ...) SP_PRINTF(2, 3);

/* Fetches a file into a folder, which it makes, from the first mirror that has it whole. The list of mirrors ends in
 * NULL. On failure nothing is left there, and `troubles` says what went wrong at each mirror. */
bool sp__download(const sp__remote *file, const char *const *mirrors, const char *folder, bool quiet,
                  sp__note *troubles);

/* ---- collections: the files of a data set, where they are looked for and fetched from ---- */

enum { SP__IMAGES, SP__LABELS, SP__FILES };
enum { SP__PATH_SIZE = 4096 };

/* One half, training or test. */
typedef struct sp__half {
    sp__remote files[SP__FILES];
    uint8_t first_labels[10]; /* tell the data sets apart, whose files have the same names */
} sp__half;

typedef struct sp__collection {
    const char *title;
    const char *cache;      /* its folder in the cache */
    const char *places[4];  /* below a root */
    const char *mirrors[4]; /* tried in turn */
    sp__half halves[2];     /* training, test */
} sp__collection;

/* A half that is being looked for. */
typedef struct sp__search {
    const sp__collection *family;
    bool test;
    char paths[SP__FILES][SP__PATH_SIZE]; /* where its files were found */
    sp__note places;                      /* that were looked at */
    sp__note trouble;                     /* the first that was met */
} sp__search;

/* Finds both files of a half: below `root` if it is named, else below SPUSK_DATA if that is set, else in the cache,
 * which `download` may fill. SP_ERROR_IO: something is there and cannot be read (a broken link, a folder, no
 * permission), or the cache holds a part of the data set. SP_ERROR_NOT_FOUND: nothing is there, or the named folder
 * holds a part only. */
sp_status sp__locate(sp__search *search, const char *root, bool download, bool quiet);

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
