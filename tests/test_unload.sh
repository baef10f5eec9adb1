# A program may load the library, compute on threads, and close it without sp_finish: nothing crashes, whatever ends when.
library=$SPUSK_BUILD/libspusk.so
cat >load.c <<'CODE'
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

typedef void *unary(void *);
typedef struct dims { const long long *data; int n; } dims;
static void *(*ones)(dims, const void *);
static unary *sum;
static int (*threads)(int), (*finish)(void);
static pthread_barrier_t computed, closed;

static void *compute(void *user)
{
    static const long long sizes[] = {700, 700};
    for (int i = 0; i < 20; i++) sum(ones((dims){sizes, 2}, NULL));
    pthread_barrier_wait(&computed);
    pthread_barrier_wait(&closed); /* the thread ends, and its scope is closed, after dlclose */
    return user;
}

int main(int argc, char **argv)
{
    void *library = dlopen(argv[1], RTLD_NOW);
    if (!library || argc < 3) return fprintf(stderr, "%s\n", dlerror()), 2;
    *(void **)&ones = dlsym(library, "sp_ones");
    *(void **)&sum = dlsym(library, "sp_sum");
    *(void **)&threads = dlsym(library, "sp_set_num_threads");
    *(void **)&finish = dlsym(library, "sp_finish");
    if (!ones || !sum || !threads || !finish || threads(4)) return 2;
    pthread_t thread[2];
    pthread_barrier_init(&computed, NULL, 3);
    pthread_barrier_init(&closed, NULL, 3);
    for (int i = 0; i < 2; i++) pthread_create(&thread[i], NULL, compute, NULL);
    pthread_barrier_wait(&computed);
    if (*argv[2] == 'f') finish();
    dlclose(library);
    usleep(20000); /* the team's threads fall asleep, and wake in code that must still be there */
    if (*argv[2] == 's' && fork() == 0) _exit(0);
    pthread_barrier_wait(&closed);
    for (int i = 0; i < 2; i++) pthread_join(thread[i], NULL);
    return 0;
}
CODE
sanitized=no
nm -D "$library" | grep -Eq '__(asan|tsan)_init' && sanitized=yes
${CC:-cc} -o load load.c -ldl -lpthread || exit 1

# try N WORDS HOW: five times, since what is wrong goes well at times
try()
{
    if [ $sanitized = yes ]; then
        echo "ok $1 - $2 # SKIP a sanitizer must be loaded first"
        return
    fi
    good=yes
    for run in 1 2 3 4 5; do
        timeout 60 ./load "$library" "$3" || good="status $?"
    done
    [ "$good" = yes ] || printf '# %s\nnot ' "$good"
    echo "ok $1 - $2"
}

echo 1..4
try 1 'dlclose without sp_finish' plain
try 2 'sp_finish, then dlclose' finish
try 3 'a process of its own after dlclose' spawn
readelf -d "$library" | grep -q NODELETE || printf 'not '
echo 'ok 4 - the library stays when it is closed'
