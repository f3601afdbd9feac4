/* Faults of a system, for the commands under test: cc -shared -fPIC faults.c -o faults.so -ldl; LD_PRELOAD=faults.so
 *
 *   FAULT_READ=NUMBER:BYTES:TEXT    read, of files whose path holds TEXT, fails with errno NUMBER after so many bytes
 *   FAULT_WRITE=NUMBER:BYTES:TEXT   write, likewise
 *   FAULT_SHRINK=SIZE:TEXT          a file is cut to SIZE bytes right after the first fstat that asks for its length
 *   FAULT_THREADS=COUNT             no more than so many threads are there at once, beside the first
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static long done[2];

static int meant(int file, const char *text) {
    char link[40], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return strstr(path, text) != NULL;
}

/* 0, or what errno is to be: once so many bytes have gone through. */
static int fails(const char *variable, int which, int file, size_t count) {
    const char *given = getenv(variable);
    int number, at;
    long bytes;
    if (!given || sscanf(given, "%d:%ld:%n", &number, &bytes, &at) < 2 || !meant(file, given + at)) return 0;
    if (__sync_add_and_fetch(&done[which], (long)count) <= bytes) return 0;
    return number;
}

#define REAL(name) static __typeof__(&name) real; if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)
#define CHECK(variable, which, count) \
    do { int number = fails(variable, which, file, count); if (number) { errno = number; return -1; } } while (0)

ssize_t read(int file, void *to, size_t count) {
    REAL(read);
    CHECK("FAULT_READ", 0, count);
    return real(file, to, count);
}

ssize_t pread(int file, void *to, size_t count, off_t at) {
    REAL(pread);
    CHECK("FAULT_READ", 0, count);
    return real(file, to, count, at);
}

ssize_t pread64(int file, void *to, size_t count, off64_t at) {
    REAL(pread64);
    CHECK("FAULT_READ", 0, count);
    return real(file, to, count, at);
}

ssize_t write(int file, const void *from, size_t count) {
    REAL(write);
    CHECK("FAULT_WRITE", 1, count);
    return real(file, from, count);
}

ssize_t pwrite(int file, const void *from, size_t count, off_t at) {
    REAL(pwrite);
    CHECK("FAULT_WRITE", 1, count);
    return real(file, from, count, at);
}

ssize_t pwrite64(int file, const void *from, size_t count, off64_t at) {
    REAL(pwrite64);
    CHECK("FAULT_WRITE", 1, count);
    return real(file, from, count, at);
}

static void shrink(int file) {
    static int shrunk;
    const char *given = getenv("FAULT_SHRINK");
    long size;
    int at;
    if (shrunk || !given || sscanf(given, "%ld:%n", &size, &at) < 1 || !meant(file, given + at)) return;
    shrunk = 1;
    char link[40];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    if (truncate(link, size)) abort();
}

int fstat(int file, struct stat *told) {
    REAL(fstat);
    int status = real(file, told);
    if (!status) shrink(file);
    return status;
}

int fstat64(int file, struct stat64 *told) {
    REAL(fstat64);
    int status = real(file, told);
    if (!status) shrink(file);
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
