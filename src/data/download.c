/* Downloads. A file comes from the first mirror that has it whole, and is written to a file without a name first. So
 * nobody ever sees a part of it, however many processes fetch it at once, and a process that is killed leaves nothing
 * behind. */
#include "files.h"

#include <spusk/io.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

void sp__note_add(sp__note *text, const char *format, ...)
{
    size_t room = sizeof text->text - text->length;
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(text->text + text->length, room, format, arguments);
    va_end(arguments);
    if (n > 0) text->length += (size_t)n < room ? (size_t)n : room - 1;
}

#if defined(SP_HAVE_CURL) && defined(SP_HAVE_CRYPTO)

#include <curl/curl.h>
#include <pthread.h>

enum { LARGEST_FILE = 1 << 26, SLOWEST = 8000 /* bytes a second */, PATIENCE = 15 /* seconds */ };
/* So many times the patience for a file as a whole. */
enum { WHOLE = 40 };

/* A download in progress. */
typedef struct transfer {
    const sp__remote *file;
    FILE *store;   /* what has arrived */
    char path[32]; /* where it can be read */
    int64_t written;
    sp__sha256 *sum;
    sp__progress progress;
    char trouble[300];
} transfer;

/* ---- from a file without a name to one in the cache ---- */

static bool make_folders(const char *folder)
{
    char path[4096];
    if ((size_t)snprintf(path, sizeof path, "%s", folder) >= sizeof path) return false;
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        if (mkdir(path, 0777) && errno != EEXIST) return false;
        *slash = '/';
    }
    return !mkdir(path, 0777) || errno == EEXIST;
}

static bool open_store(transfer *t)
{
    t->store = tmpfile();
    if (t->store) {
        snprintf(t->path, sizeof t->path, "/dev/fd/%d", fileno(t->store));
        return true;
    }
    snprintf(t->trouble, sizeof t->trouble, "a temporary file cannot be written: %s", strerror(errno));
    return false;
}

static sp_status save(const transfer *t, const char *target)
{
    const size_t bytes = (size_t)t->written;
    unsigned char *all = sp_alloc(bytes + 1);
    if (!all) return sp_error_status();
    sp_status status = pread(fileno(t->store), all, bytes, 0) == (ssize_t)bytes
                           ? sp_save_bytes(all, bytes, target)
                           : sp_raise(SP_ERROR_IO, "what arrived cannot be read: %s", strerror(errno));
    sp_free(all, bytes + 1);
    return status;
}

/* Its error becomes one of the troubles with the mirrors. */
static bool into_place(transfer *t, const char *folder)
{
    char target[4096];
    const bool quiet = sp_error_quiet(true), pending = sp_error_status() != SP_OK;
    snprintf(target, sizeof target, "%s/%s", folder, t->file->name);
    const bool good = save(t, target) == SP_OK;
    if (!good) snprintf(t->trouble, sizeof t->trouble, "%.290s", sp_error_message());
    if (!pending) sp_error_clear();
    sp_error_quiet(quiet);
    return good;
}

/* ---- curl ---- */

/* The most that a file may unpack to. A packed file is hardly larger, whatever is in it. */
static int64_t largest(const sp__remote *file)
{
    return file->bytes > 0 ? file->bytes + (1 << 16) : LARGEST_FILE;
}

static size_t receive(char *bytes, size_t size, size_t n, void *user)
{
    transfer *t = user;
    size_t all = size * n, done = 0;
    if (t->written + (int64_t)all > largest(t->file)) {
        snprintf(t->trouble, sizeof t->trouble, "the file is far too big");
        return 0;
    }
    while (done < all) {
        ssize_t got = write(fileno(t->store), bytes + done, all - done);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) {
            snprintf(t->trouble, sizeof t->trouble, "a temporary file cannot be written: %s", strerror(errno));
            return 0;
        }
        done += (size_t)got;
    }
    t->written += (int64_t)all;
    sp__sha256_add(t->sum, bytes, all);
    return all;
}

static int show(void *user, curl_off_t total, curl_off_t done, curl_off_t total_up, curl_off_t up)
{
    (void)total_up, (void)up;
    transfer *t = user;
    sp__progress_show(&t->progress, done, total);
    return 0;
}

/* A mirror is given up after so many seconds without an answer, or with a trickle. A whole file may take WHOLE times as
 * long. */
static long patience(void)
{
    const char *wish = getenv("SPUSK_DOWNLOAD_TIMEOUT");
    long seconds = wish ? strtol(wish, NULL, 10) : 0;
    return seconds >= 1 && seconds <= 3600 ? seconds : PATIENCE;
}

/* Where a transfer goes, and where it may not. */
static CURLcode set_source(CURL *curl, const char *url)
{
    CURLcode code = curl_easy_setopt(curl, CURLOPT_URL, url);
    if (!code) code = curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
    if (!code) code = curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
    if (!code) code = curl_easy_setopt(curl, CURLOPT_MAXREDIRS, 5L);
    if (!code) code = curl_easy_setopt(curl, CURLOPT_USERAGENT, "spusk");
#if LIBCURL_VERSION_NUM >= 0x075500
    if (!code) code = curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https,file");
    if (!code) code = curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
#else
    const long mirrors = CURLPROTO_HTTP | CURLPROTO_HTTPS | CURLPROTO_FILE, others = CURLPROTO_HTTP | CURLPROTO_HTTPS;
    if (!code) code = curl_easy_setopt(curl, CURLOPT_PROTOCOLS, mirrors);
    if (!code) code = curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS, others);
#endif
    return code;
}

static CURLcode set_limits(CURL *curl)
{
    CURLcode code = curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    if (!code) code = curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, patience());
    if (!code) code = curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, (long)SLOWEST);
    if (!code) code = curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, patience());
    return code ? code : curl_easy_setopt(curl, CURLOPT_TIMEOUT, WHOLE * patience());
}

static CURLcode set_callbacks(CURL *curl, transfer *t, char *words)
{
    CURLcode code = curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, words);
    if (!code) code = curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive);
    if (!code) code = curl_easy_setopt(curl, CURLOPT_WRITEDATA, t);
    if (!code) code = curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    if (!code) code = curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, show);
    return code ? code : curl_easy_setopt(curl, CURLOPT_XFERINFODATA, t);
}

static CURLcode perform(CURL *curl, const char *url, transfer *t, char *words)
{
    CURLcode code = set_source(curl, url);
    if (!code) code = set_limits(curl);
    if (!code) code = set_callbacks(curl, t, words);
    return code ? code : curl_easy_perform(curl);
}

static CURLcode started;

static void start_curl(void)
{
    started = curl_global_init(CURL_GLOBAL_DEFAULT);
}

static bool fetch(const char *url, transfer *t)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, start_curl);
    char words[CURL_ERROR_SIZE] = "";
    CURL *curl = started == CURLE_OK ? curl_easy_init() : NULL;
    const CURLcode code = curl ? perform(curl, url, t, words) : started ? started : CURLE_OUT_OF_MEMORY;
    curl_easy_cleanup(curl);
    if (code == CURLE_OK) return true;
    if (!*t->trouble) snprintf(t->trouble, sizeof t->trouble, "%s", *words ? words : curl_easy_strerror(code));
    return false;
}

/* ---- what arrived ---- */

/* Other packings of the right content are good, too, since mirrors have packed it anew. What goes on beyond the length
 * of the content is not unpacked to its end. */
static bool content_is_right(const transfer *t)
{
    if (!t->file->content) return false;
    char text[SP__SHA256_TEXT], block[1 << 14];
    sp__stream stream;
    bool quiet = sp_error_quiet(true), pending = sp_error_status() != SP_OK;
    int64_t got = -1, left = largest(t->file);
    sp__sha256 *sum = sp__sha256_new();
    if (!sp__stream_open(&stream, t->path)) {
        for (; left > 0 && (got = sp__stream_read(&stream, block, sizeof block)) > 0; left -= got)
            sp__sha256_add(sum, block, (size_t)got);
        sp__stream_close(&stream);
    }
    sp__sha256_end(sum, text);
    if (!pending) sp_error_clear();
    sp_error_quiet(quiet);
    return got == 0 && !strcmp(text, t->file->content);
}

/* Ends the sum in any case. */
static bool is_right(transfer *t, bool arrived)
{
    char text[SP__SHA256_TEXT];
    sp__sha256_end(t->sum, text);
    if (!arrived) return false;
    if (!strcmp(text, t->file->packed) || content_is_right(t)) return true;
    snprintf(t->trouble, sizeof t->trouble, "wrong checksum of the %lld bytes that came (SHA-256 %.12s…, not %.12s…)",
             (long long)t->written, text, t->file->packed);
    return false;
}

/* One try at one mirror; on failure t->trouble says why. */
static bool fetch_from(const char *mirror, const char *folder, bool quiet, transfer *t)
{
    char url[2048];
    size_t end = strlen(mirror);
    while (end && mirror[end - 1] == '/') end--;
    snprintf(url, sizeof url, "%.*s/%s", (int)end, mirror, t->file->name);
    if (!open_store(t)) return false;
    t->sum = sp__sha256_new();
    sp__progress_begin(&t->progress, t->file->name, quiet);
    bool good = fetch(url, t);
    sp__progress_end(&t->progress);
    good = is_right(t, good) && into_place(t, folder);
    fclose(t->store);
    return good;
}

bool sp__download(const sp__remote *file, const char *const *mirrors, const char *folder, bool quiet,
                  sp__note *troubles)
{
    if (!make_folders(folder)) {
        sp__note_add(troubles, "; %s cannot be made: %s", folder, strerror(errno));
        return false;
    }
    for (; *mirrors; mirrors++) {
        transfer t = {.file = file};
        if (fetch_from(*mirrors, folder, quiet, &t)) return true;
        sp__note_add(troubles, "; %s: %s", *mirrors, t.trouble);
    }
    return false;
}

#else

bool sp__download(const sp__remote *file, const char *const *mirrors, const char *folder, bool quiet,
                  sp__note *troubles)
{
    (void)file, (void)mirrors, (void)folder, (void)quiet;
    sp__note_add(troubles, "; this build has no libcurl or no libcrypto, so it downloads nothing");
    return false;
}

#endif
