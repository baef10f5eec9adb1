#include "support/support.h"
#include <ftw.h>
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- errors ---- */

static atomic_int reports;
static atomic_int warnings;
static _Thread_local int reports_here;

static void catch_report(sp_status status, const char *message, void *user)
{
    (void)user;
    if (status == SP_WARNING && *message) {
        warnings++;
        return;
    }
    reports++;
    reports_here++;
    if (status == SP_OK || !*message) abort(); /* an error without a status or a message is the library's mistake */
}

int support_reports(void)
{
    return reports;
}

int support_warnings(void)
{
    return warnings;
}

void support_assert_error(sp_status status, const char *words, const char *file, int line)
{
    sp_status pending = sp_error_clear();
    const char *message = sp_error_message();
    if (pending != status || !strstr(message, words)) {
        print_error("%s:%d: expected the error '%s' with \"%s\", got '%s' with \"%s\"\n", file, line,
                    sp_status_name(status), words, sp_status_name(pending), pending ? message : "");
        _fail(file, line);
    }
    if (reports_here != 1) {
        print_error("%s:%d: \"%s\" was reported %d times\n", file, line, message, reports_here);
        _fail(file, line);
    }
    reports_here = 0;
}

void support_assert_no_error(const char *file, int line)
{
    if (sp_error_status() == SP_OK) return;
    print_error("%s:%d: pending error: %s\n", file, line, sp_error_message());
    sp_error_clear();
    _fail(file, line);
}

void support_assert_close(double a, double b, double tolerance, const char *file, int line)
{
    if (fabs(a - b) <= tolerance || a == b || (isnan(a) && isnan(b))) return;
    print_error("%s:%d: %.17g is not %.17g within %g\n", file, line, a, b, tolerance);
    _fail(file, line);
}

/* ---- allocations ---- */

/* Stands before each watched block. */
typedef struct watched {
    _Alignas(64) size_t size;
    uint64_t magic;
} watched;
static const uint64_t the_magic = 0x5EED5EED12345678u;

static bool watching;
static _Atomic(int64_t) allocations, outstanding, fail_at;

static void *watched_alloc(size_t size, void *user)
{
    (void)user;
    if (++allocations == fail_at) return NULL;
    void *block;
    if (posix_memalign(&block, 64, sizeof(watched) + size)) return NULL;
    *(watched *)block = (watched){.size = size, .magic = the_magic};
    outstanding++;
    memset((watched *)block + 1, 0xA5, size); /* nobody may count on zeros */
    return (watched *)block + 1;
}

static void watched_free(void *pointer, size_t size, void *user)
{
    (void)user;
    watched *block = (watched *)pointer - 1;
    if (block->magic != the_magic || block->size != size) {
        fprintf(stderr, "a block of %zu bytes was given back as one of %zu\n", block->size, size);
        abort();
    }
    block->magic = 0;
    outstanding--;
    free(block);
}

void support_watch_allocations(void)
{
    static const sp_allocator watcher = {watched_alloc, watched_free, NULL};
    sp_finish();
    sp_set_memory_pool(false);
    if (sp_set_allocator(&watcher)) fail_msg("%s", sp_error_message());
    allocations = fail_at = 0;
    watching = true;
}

static void unwatch(void)
{
    if (!watching) return;
    watching = false;
    fail_at = 0;
    sp_empty_cache();
    if (sp_set_allocator(NULL)) fail_msg("%s", sp_error_message());
    const char *wish = getenv("SPUSK_POOL");
    if (!wish || strcmp(wish, "0") != 0) sp_set_memory_pool(true);
}

void support_fail_allocation(int64_t n)
{
    fail_at = n ? allocations + n : 0;
}

int64_t support_allocations(void)
{
    return allocations;
}

int64_t support_outstanding(void)
{
    return outstanding;
}

/* One run with the n-th allocation failing; false when it had no n-th. */
static bool fail_one(int64_t n, bool (*body)(void *context), void *context)
{
    int64_t before = allocations;
    support_fail_allocation(n);
    bool good = body(context);
    bool failed = allocations - before >= n;
    support_fail_allocation(0);
    sp_status status = sp_error_clear();
    reports_here = 0;
    sp_finish();
    if (good ? status != SP_OK : status != SP_ERROR_MEMORY) {
        fail_msg("with allocation %d failing the body %s, and the error is '%s': %s", (int)n,
                 good ? "went well" : "failed", sp_status_name(status), sp_error_message());
    }
    if (!good && !failed) fail_msg("the body failed, though no allocation did");
    if (sp_memory().live_count || outstanding) {
        fail_msg("with allocation %d failing, %d blocks were left", (int)n, (int)sp_memory().live_count);
    }
    return failed;
}

int64_t support_fail_each_allocation(bool (*body)(void *context), void *context)
{
    if (!watching) support_watch_allocations();
    int64_t n = 1;
    while (fail_one(n, body, context)) n++;
    if (n == 1) fail_msg("the body allocates nothing");
    return n - 1;
}

/* ---- files ---- */

static char folder[512];

const char *support_folder(void)
{
    if (*folder) return folder;
    const char *parent = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/spusk-test-XXXXXX", parent && *parent ? parent : "/tmp");
    if (!mkdtemp(folder)) {
        *folder = 0;
        fail_msg("no temporary folder");
    }
    return folder;
}

const char *support_path(const char *name)
{
    static char paths[4][1024];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", support_folder(), name);
    return path;
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    (void)info, (void)type, (void)walk;
    return remove(path);
}

static void remove_folder(void)
{
    if (*folder) nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    *folder = 0;
}

/* ---- around each test ---- */

int support_setup(void **state)
{
    (void)state;
    sp_error_clear();
    sp_set_error_handler(catch_report, NULL);
    reports = 0;
    reports_here = 0;
    warnings = 0;
    return 0;
}

int support_teardown(void **state)
{
    (void)state;
    sp_status pending = sp_error_status();
    if (pending) print_error("an error was left pending: %s\n", sp_error_message());
    sp_finish();
    remove_folder();
    sp_memory_stats left = sp_memory();
    if (left.live_count) print_error("%d blocks of %d bytes were left\n", (int)left.live_count, (int)left.live_bytes);
    unwatch();
    return pending || left.live_count ? -1 : 0;
}
