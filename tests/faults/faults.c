/* Faults of a system, for the commands under test: cc -shared -fPIC faults.c -o faults.so -ldl; LD_PRELOAD=faults.so
 *
 *   FAULT_READ=NUMBER:BYTES:TEXT    read fails with errno NUMBER beyond the first BYTES of files whose path holds TEXT
 *   FAULT_WRITE=NUMBER:BYTES:TEXT   write, likewise
 *   FAULT_RESIZE=SIZE:BYTES:TEXT    before more than so many bytes are read of it, a file gets SIZE bytes
 *   FAULT_CLOCK=SECONDS             each look at the time of day finds it so much further
 *   FAULT_THREADS=COUNT             no more than so many threads are there at once, beside the first
 *   FAULT_WHEN=PATH                 the first two only while there is such a file
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int meant(int file, const char *text) {
    char link[40], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return strstr(path, text) != NULL;
}

/* 0, or what errno is to be where a file's bytes from `at` on are read or written; -1 is where it stands. */
static int fails(const char *variable, int file, off_t at, size_t count) {
    const char *given = getenv(variable), *when = getenv("FAULT_WHEN");
    int number, text;
    long bytes;
    if (when && access(when, F_OK)) return 0;
    if (!given || sscanf(given, "%d:%ld:%n", &number, &bytes, &text) < 2 || !meant(file, given + text)) return 0;
    if (at < 0) at = lseek(file, 0, SEEK_CUR);
    return at + (off_t)count > bytes ? number : 0;
}

static void resize(int file, size_t count) {
    static long before, resized;
    const char *given = getenv("FAULT_RESIZE");
    long size, bytes;
    int at;
    if (resized || !given || sscanf(given, "%ld:%ld:%n", &size, &bytes, &at) < 2 || !meant(file, given + at)) return;
    if ((before += count) <= bytes) return;
    resized = 1;
    char link[40];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    if (truncate(link, size)) abort();
}

#define REAL(name) static __typeof__(&name) real; if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)
#define CHECK(variable, at) \
    do { int number = fails(variable, file, at, count); if (number) { errno = number; return -1; } } while (0)

ssize_t read(int file, void *to, size_t count) {
    REAL(read);
    resize(file, count);
    CHECK("FAULT_READ", -1);
    return real(file, to, count);
}

ssize_t pread(int file, void *to, size_t count, off_t at) {
    REAL(pread);
    resize(file, count);
    CHECK("FAULT_READ", at);
    return real(file, to, count, at);
}

ssize_t pread64(int file, void *to, size_t count, off64_t at) {
    REAL(pread64);
    resize(file, count);
    CHECK("FAULT_READ", at);
    return real(file, to, count, at);
}

ssize_t write(int file, const void *from, size_t count) {
    REAL(write);
    CHECK("FAULT_WRITE", -1);
    return real(file, from, count);
}

ssize_t pwrite(int file, const void *from, size_t count, off_t at) {
    REAL(pwrite);
    CHECK("FAULT_WRITE", at);
    return real(file, from, count, at);
}

ssize_t pwrite64(int file, const void *from, size_t count, off64_t at) {
    REAL(pwrite64);
    CHECK("FAULT_WRITE", at);
    return real(file, from, count, at);
}

int clock_gettime(clockid_t which, struct timespec *told) {
    static long jumped;
    REAL(clock_gettime);
    const char *step = getenv("FAULT_CLOCK");
    int status = real(which, told);
    if (step && which == CLOCK_REALTIME) told->tv_sec += __sync_add_and_fetch(&jumped, atol(step));
    return status;
}

static int threads;

struct Begun {
    void *(*what)(void *);
    void *with;
};

static void ended(void *unused) { __sync_sub_and_fetch(&threads, 1); }

static void *counted(void *given) {
    struct Begun begun = *(struct Begun *)given;
    void *result;
    free(given);
    pthread_cleanup_push(ended, NULL);
    result = begun.what(begun.with);
    pthread_cleanup_pop(1);
    return result;
}

int pthread_create(pthread_t *thread, const pthread_attr_t *how, void *(*what)(void *), void *with) {
    REAL(pthread_create);
    const char *most = getenv("FAULT_THREADS");
    if (!most) return real(thread, how, what, with);
    struct Begun *begun = malloc(sizeof *begun);
    *begun = (struct Begun){what, with};
    int status = __sync_add_and_fetch(&threads, 1) > atoi(most) ? EAGAIN : real(thread, how, counted, begun);
    if (status) {
        ended(NULL);
        free(begun);
    }
    return status;
}
