/* The allocator's door and the pool behind it. */
#include "base/memory_pool.h"
#include "support/support.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void test_blocks_are_zeroed_and_aligned(void **state)
{
    (void)state;
    for (int round = 0; round < 2; round++) {
        for (size_t size = 0; size < 3000; size += 7) {
            unsigned char *block = sp_alloc(size);
            assert_non_null(block);
            assert_int_equal((uintptr_t)block % 64, 0);
            for (size_t i = 0; i < size; i++) assert_int_equal(block[i], 0);
            memset(block, 0xFF, size);
            sp_free(block, size);
        }
    }
    sp_free(NULL, 10);
    void *a = sp_alloc(0), *b = sp_alloc(0);
    assert_true(a && b && a != b);
    sp_free(a, 0);
    sp_free(b, 0);
}

/* Blocks of all sizes around the classes' borders: neighbours must not share a byte. */
static void test_blocks_do_not_overlap(void **state)
{
    (void)state;
    enum { N = 400 };
    unsigned char *blocks[N];
    size_t sizes[N];
    for (int i = 0; i < N; i++) {
        size_t power = (size_t)64 << (i / 4 % 12);
        sizes[i] = power + (size_t)(i % 4) * power / 4 + (size_t)(i % 3) - 1;
        blocks[i] = sp__alloc_raw(sizes[i]);
        assert_non_null(blocks[i]);
        memset(blocks[i], i & 0xFF, sizes[i]);
    }
    for (int i = 0; i < N; i++) {
        for (size_t k = 0; k < sizes[i]; k++) assert_int_equal(blocks[i][k], i & 0xFF);
        sp_free(blocks[i], sizes[i]);
    }
}

static void test_strdup(void **state)
{
    (void)state;
    char *copy = sp_strdup("weights");
    assert_string_equal(copy, "weights");
    sp_free_text(copy);
    sp_free_text(NULL);
    assert_null(sp_strdup(NULL));
    assert_error(SP_ERROR_NULL, "sp_strdup");
}

static void test_arrays_grow(void **state)
{
    (void)state;
    int64_t *numbers = NULL;
    size_t room = 0;
    for (int64_t i = 0; i < 1000; i++) {
        assert_int_equal(sp_reserve(&numbers, &room, (size_t)i + 1, sizeof *numbers), SP_OK);
        assert_int_equal(numbers[i], 0);
        numbers[i] = i;
    }
    for (int64_t i = 0; i < 1000; i++) assert_int_equal(numbers[i], i);
    assert_int_equal(room, 1024);
    assert_int_equal(sp_reserve(&numbers, &room, SIZE_MAX / 8, sizeof *numbers), SP_ERROR_MEMORY);
    assert_error(SP_ERROR_MEMORY, "2305843009213693951 items of 8 bytes");
    assert_int_equal(room, 1024);
    assert_int_equal(numbers[999], 999);
    sp_free(numbers, room * sizeof *numbers);
}

static void test_too_much_is_an_error(void **state)
{
    (void)state;
    assert_null(sp_alloc(SIZE_MAX));
    assert_error(SP_ERROR_MEMORY, "out of memory: 18446744073709551615 bytes");
    assert_null(sp_alloc(SIZE_MAX / 4 + 1));
    assert_error(SP_ERROR_MEMORY, "out of memory");
    assert_null(sp__alloc_raw(SIZE_MAX));
    assert_no_error();
}

static void test_statistics(void **state)
{
    (void)state;
    sp_set_memory_pool(true);
    sp_memory_stats before = sp_memory();
    void *a = sp_alloc(1000), *b = sp_alloc(5000);
    sp_memory_stats now = sp_memory();
    assert_int_equal(now.live_count - before.live_count, 2);
    assert_int_equal(now.live_bytes - before.live_bytes, 6000);
    sp_free(b, 5000);
    sp_memory_stats after = sp_memory();
    assert_int_equal(after.live_bytes - before.live_bytes, 1000);
    assert_true(after.peak_bytes >= before.live_bytes + 6000);
    assert_true(after.pooled_bytes >= now.pooled_bytes + 5000);
    sp_reset_peak_memory();
    assert_int_equal(sp_memory().peak_bytes, after.live_bytes);
    sp_free(a, 1000);
    sp_empty_cache();
    assert_int_equal(sp_memory().pooled_bytes, 0);
}

/* What a training step does: the same sizes again and again. */
static void test_the_pool_asks_for_nothing_in_its_stride(void **state)
{
    (void)state;
    sp_set_memory_pool(true);
    static const size_t sizes[] = {100, 4096, 90000, 3000000, 64};
    int64_t calls = 0;
    for (int step = 0; step < 10; step++) {
        if (step == 1) calls = sp_memory().system_calls;
        void *blocks[5];
        for (int i = 0; i < 5; i++) blocks[i] = sp_alloc(sizes[i]);
        for (int i = 0; i < 5; i++) sp_free(blocks[i], sizes[i]);
    }
    assert_int_equal(sp_memory().system_calls, calls);
}

static void test_without_the_pool_each_block_goes_back_at_once(void **state)
{
    (void)state;
    support_watch_allocations(); /* turns the pool off */
    void *a = sp_alloc(100);
    assert_int_equal(support_outstanding(), 1);
    sp_free(a, 100);
    assert_int_equal(support_outstanding(), 0);
    assert_int_equal(sp_memory().pooled_bytes, 0);
    int64_t calls = sp_memory().system_calls;
    sp_free(sp_alloc(100), 100);
    assert_int_equal(sp_memory().system_calls, calls + 1);
}

static void test_the_pool_may_be_switched_while_blocks_live(void **state)
{
    (void)state;
    support_watch_allocations();
    void *off = sp_alloc(1000);
    sp_set_memory_pool(true);
    void *on = sp_alloc(1000);
    sp_free(off, 1000);
    assert_int_equal(support_outstanding(), 2);
    assert_ptr_equal(sp__alloc_raw(1020), off); /* a class has 1024 bytes whoever asked for it */
    sp_set_memory_pool(false);
    sp_free(on, 1000);
    sp_free(off, 1020);
    assert_int_equal(support_outstanding(), 0);
}

static void test_the_cache_is_given_up_before_a_request_fails(void **state)
{
    (void)state;
    support_watch_allocations();
    sp_set_memory_pool(true);
    sp_free(sp_alloc(100), 100);
    support_fail_allocation(1);
    void *block = sp_alloc(10000);
    assert_non_null(block);
    assert_int_equal(sp_memory().pooled_bytes, 0);
    sp_free(block, 10000);
    sp_empty_cache();
    support_fail_allocation(1);
    assert_null(sp_alloc(10000));
    assert_error(SP_ERROR_MEMORY, "10000 bytes");
}

static void *no_alloc(size_t size, void *user)
{
    (void)size, (void)user;
    return NULL;
}

static void test_the_allocator_changes_only_when_nothing_is_out(void **state)
{
    (void)state;
    sp_finish();
    sp_allocator half = {.alloc = no_alloc};
    assert_int_equal(sp_set_allocator(&half), SP_ERROR_ARGUMENT);
    assert_error(SP_ERROR_ARGUMENT, "both alloc and free");
    void *block = sp_alloc(10);
    assert_int_equal(sp_set_allocator(NULL), SP_ERROR_STATE);
    assert_error(SP_ERROR_STATE, "1 blocks are live");
    sp_set_memory_pool(true);
    sp_free(block, 10);
    assert_int_equal(sp_set_allocator(NULL), SP_ERROR_STATE);
    assert_error(SP_ERROR_STATE, "64 bytes pooled");
    sp_finish();
    assert_int_equal(sp_set_allocator(NULL), SP_OK);
}

/* The process's start decides whether there is a pool. */
static int64_t pooled_in_a_child(const char *wish)
{
    int pipe_ends[2];
    assert_int_equal(pipe(pipe_ends), 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(pipe_ends[1], 1);
        setenv("SPUSK_POOL", wish, 1);
        execl("/proc/self/exe", "test_base_memory", "child", (char *)NULL);
        _exit(1);
    }
    close(pipe_ends[1]);
    FILE *from = fdopen(pipe_ends[0], "r");
    long long pooled = -1;
    assert_int_equal(fscanf(from, "%lld", &pooled), 1);
    fclose(from);
    waitpid(child, NULL, 0);
    return pooled;
}

static void test_the_environment_turns_the_pool_off(void **state)
{
    (void)state;
    assert_int_equal(pooled_in_a_child("0"), 0);
    assert_int_equal(pooled_in_a_child("1"), 320);
}

static void *hammer(void *seed)
{
    uint32_t x = (uint32_t)(uintptr_t)seed;
    uint32_t *blocks[16] = {0};
    size_t sizes[16];
    for (int i = 0; i < 20000; i++) {
        x = x * 1664525u + 1013904223u;
        int k = (int)(x >> 28);
        if (blocks[k] && *blocks[k] != (uint32_t)k + (uint32_t)(uintptr_t)seed) return seed;
        if (blocks[k]) sp_free(blocks[k], sizes[k]);
        sizes[k] = 4 + (x >> 8) % 2000;
        blocks[k] = sp__alloc_raw(sizes[k]);
        *blocks[k] = (uint32_t)k + (uint32_t)(uintptr_t)seed;
    }
    for (int k = 0; k < 16; k++) {
        if (blocks[k]) sp_free(blocks[k], sizes[k]);
    }
    return NULL;
}

static void test_threads_share_the_pool(void **state)
{
    (void)state;
    sp_set_memory_pool(true);
    pthread_t threads[4];
    for (uintptr_t i = 0; i < 4; i++) pthread_create(&threads[i], NULL, hammer, (void *)(1000 * i + 7));
    for (int i = 0; i < 4; i++) {
        void *bad;
        pthread_join(threads[i], &bad);
        assert_null(bad);
    }
    assert_int_equal(sp_memory().live_count, 0);
}

int main(int argc, char **argv)
{
    if (argc > 1 && !strcmp(argv[1], "child")) {
        sp_free(sp_alloc(300), 300);
        return printf("%lld\n", (long long)sp_memory().pooled_bytes) < 0;
    }
    const struct CMUnitTest tests[] = {
        sp_test(test_blocks_are_zeroed_and_aligned),
        sp_test(test_blocks_do_not_overlap),
        sp_test(test_strdup),
        sp_test(test_arrays_grow),
        sp_test(test_too_much_is_an_error),
        sp_test(test_statistics),
        sp_test(test_the_pool_asks_for_nothing_in_its_stride),
        sp_test(test_without_the_pool_each_block_goes_back_at_once),
        sp_test(test_the_pool_may_be_switched_while_blocks_live),
        sp_test(test_the_cache_is_given_up_before_a_request_fails),
        sp_test(test_the_allocator_changes_only_when_nothing_is_out),
        sp_test(test_the_environment_turns_the_pool_off),
        sp_test(test_threads_share_the_pool),
    };
    return sp_test_main(tests);
}
