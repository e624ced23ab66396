/*
 * Faults on demand, for LD_PRELOAD: counts the calls that concern files below one
 * folder, the arena, and does something bad at the n-th of them.
 *
 * Nothing happens before faults_arm() is called, and nothing outside the arena counts,
 * so the interpreter itself never meets a fault. Calls count from any thread.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum action {
    PASS,        /* do it */
    KILL_BEFORE, /* die instead */
    KILL_MIDWAY, /* a write: write half, then die */
    KILL_AFTER,  /* do it, then die */
    FAIL,        /* do not do it, and report an error; a close is done all the same */
    FAIL_AFTER,  /* do it, and report an error, as when a reply of NFS is lost */
    SHORT,       /* a write: write one byte */
    ZERO,        /* a write: write nothing, and say so */
    LIE,         /* do not do it, and report success */
    REFUSE       /* fail as on a file system that has no such call */
};

#define LARGEST_FD 4096
#define LOG_SIZE (1 << 20)

static struct {
    char arena[PATH_MAX];
    size_t length;   /* of `arena`; 0 is disarmed */
    int from, until; /* the ordinals of the calls that the action is for */
    enum action action;
    int code;        /* the errno of FAIL */
    char names[256]; /* " write fsync ": only these calls; empty: any */
    char refused[256]; /* as `names`: these calls fail always */
    int count;
    size_t logged;
    char log[LOG_SIZE]; /* a line for each call: name, path and second path */
} state;
static char *path_of_fd[LARGEST_FD];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static int in_arena(const char *path) {
    return state.length && path && !strncmp(path, state.arena, state.length) &&
           (path[state.length] == '/' || !path[state.length]);
}

static int is_watched(int fd) {
    return state.length && fd >= 0 && fd < LARGEST_FD && path_of_fd[fd];
}

static void watch(int fd, const char *path) {
    if (fd >= 0 && fd < LARGEST_FD && in_arena(path))
        path_of_fd[fd] = strdup(path);
}

/* Turn a path that is relative to a watched folder into an absolute one. */
static const char *absolute(int folder, const char *path, char *buffer) {
    if (path && path[0] != '/' && is_watched(folder)) {
        snprintf(buffer, PATH_MAX, "%s/%s", path_of_fd[folder], path);
        return buffer;
    }
    return path;
}

/* Count a call, and tell what is to be done about it. */
static enum action met(const char *name, const char *path, const char *other) {
    enum action action = PASS;
    char wanted[64];
    if (!in_arena(path) && !in_arena(other))
        return PASS;
    pthread_mutex_lock(&lock);
    int ordinal = ++state.count;
    snprintf(wanted, sizeof wanted, " %s ", name);
    if (ordinal >= state.from && ordinal <= state.until &&
        (!state.names[0] || strstr(state.names, wanted)))
        action = state.action;
    if (action == PASS && strstr(state.refused, wanted))
        action = REFUSE;
    if (state.logged < LOG_SIZE - 2 * PATH_MAX)
        state.logged += snprintf(state.log + state.logged, 2 * PATH_MAX,
                                 "%s\t%s\t%s\n", name, path, other ? other : "");
    pthread_mutex_unlock(&lock);
    return action;
}

static void die(void) {
    kill(getpid(), SIGKILL);
    pause();
}

void faults_arm(const char *arena, int from, int until, int action, int code,
                const char *names, const char *refused) {
    pthread_mutex_lock(&lock);
    snprintf(state.arena, sizeof state.arena, "%s", arena);
    snprintf(state.names, sizeof state.names, "%s", names);
    snprintf(state.refused, sizeof state.refused, "%s", refused);
    state.from = from, state.until = until, state.action = action, state.code = code;
    state.count = 0, state.logged = 0, state.log[0] = 0;
    state.length = strlen(arena);
    pthread_mutex_unlock(&lock);
}

void faults_disarm(void) { state.length = 0; }

int faults_count(void) { return state.count; }

const char *faults_log(void) { return state.log; }

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* What every call does that either happens as a whole or not at all. */
#define WHOLE(type, name, path, other, call, failed)                                   \
    enum action action = met(name, path, other);                                       \
    if (action == KILL_BEFORE)                                                         \
        die();                                                                         \
    if (action == REFUSE)                                                              \
        return (errno = strcmp(name, "rename2") ? EPERM : EINVAL, -1);                 \
    if (action == FAIL)                                                                \
        failed;                                                                        \
    if (action == LIE)                                                                 \
        return 0;                                                                      \
    type result = call;                                                                \
    if (action == KILL_AFTER)                                                          \
        die();                                                                         \
    if (action == FAIL_AFTER)                                                          \
        ERROR;
#define ERROR return (errno = state.code, -1)

/* What every write does, which can happen in part. */
#define PARTIAL(name, fd, size, call, half, one)                                       \
    enum action action = is_watched(fd) ? met(name, path_of_fd[fd], NULL) : PASS;      \
    if (action == KILL_BEFORE)                                                         \
        die();                                                                         \
    if (action == KILL_MIDWAY) {                                                       \
        half;                                                                          \
        die();                                                                         \
    }                                                                                  \
    if (action == FAIL)                                                                \
        ERROR;                                                                         \
    if (action == ZERO)                                                                \
        return 0;                                                                      \
    if (action == LIE)                                                                 \
        return size;                                                                   \
    if (action == SHORT)                                                               \
        return one;                                                                    \
    ssize_t result = call;                                                             \
    if (action == KILL_AFTER)                                                          \
        die();                                                                         \
    return result;

ssize_t write(int fd, const void *data, size_t size) {
    PARTIAL("write", fd, (ssize_t)size, REAL(write)(fd, data, size),
            REAL(write)(fd, data, size / 2), REAL(write)(fd, data, size ? 1 : 0))
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at) {
    PARTIAL("write", fd, (ssize_t)size, REAL(pwrite)(fd, data, size, at),
            REAL(pwrite)(fd, data, size / 2, at),
            REAL(pwrite)(fd, data, size ? 1 : 0, at))
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) {
    return pwrite(fd, data, size, at);
}

static ssize_t total(const struct iovec *parts, int count) {
    ssize_t size = 0;
    for (int i = 0; i < count; i++)
        size += parts[i].iov_len;
    return size;
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    PARTIAL("write", fd, total(parts, count), REAL(writev)(fd, parts, count),
            REAL(write)(fd, parts->iov_base, parts->iov_len / 2),
            REAL(write)(fd, parts->iov_base, parts->iov_len ? 1 : 0))
}

ssize_t pwritev64v2(int fd, const struct iovec *parts, int count, off64_t at, int how) {
    PARTIAL("write", fd, total(parts, count),
            REAL(pwritev64v2)(fd, parts, count, at, how),
            REAL(pwrite)(fd, parts->iov_base, parts->iov_len / 2, at),
            REAL(pwrite)(fd, parts->iov_base, parts->iov_len ? 1 : 0, at))
}

ssize_t preadv64v2(int fd, const struct iovec *parts, int count, off64_t at, int how) {
    WHOLE(ssize_t, "read", is_watched(fd) ? path_of_fd[fd] : NULL, NULL,
          REAL(preadv64v2)(fd, parts, count, at, how), ERROR)
    return result;
}

/* A file is created, or one that is there is opened: only the first changes anything. */
static int opened(int folder, const char *path, int flags, mode_t mode) {
    char buffer[PATH_MAX];
    const char *whole = absolute(folder, path, buffer);
    WHOLE(int, flags & O_CREAT ? "create" : "open", whole, NULL,
          REAL(openat)(folder, path, flags, mode), ERROR)
    watch(result, whole);
    return result;
}

#define MODE                                                                           \
    va_list more;                                                                      \
    va_start(more, flags);                                                             \
    mode_t mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(more, mode_t) : 0;          \
    va_end(more);

int open(const char *path, int flags, ...) {
    MODE return opened(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    MODE return opened(AT_FDCWD, path, flags, mode);
}

int openat(int folder, const char *path, int flags, ...) {
    MODE return opened(folder, path, flags, mode);
}

int openat64(int folder, const char *path, int flags, ...) {
    MODE return opened(folder, path, flags, mode);
}

int close(int fd) {
    char *path = is_watched(fd) ? path_of_fd[fd] : NULL;
    if (path)
        path_of_fd[fd] = NULL; /* before the number can be another thread's */
    WHOLE(int, "close", path, NULL, REAL(close)(fd), {
        REAL(close)(fd);
        ERROR;
    })
    return result;
}

int fsync(int fd) {
    WHOLE(int, "fsync", is_watched(fd) ? path_of_fd[fd] : NULL, NULL, REAL(fsync)(fd),
          ERROR)
    return result;
}

int fdatasync(int fd) {
    WHOLE(int, "fsync", is_watched(fd) ? path_of_fd[fd] : NULL, NULL,
          REAL(fdatasync)(fd), ERROR)
    return result;
}

int posix_fallocate(int fd, off_t at, off_t size) {
    WHOLE(int, "allocate", is_watched(fd) ? path_of_fd[fd] : NULL, NULL,
          REAL(posix_fallocate)(fd, at, size), return state.code)
    return result;
}

int posix_fallocate64(int fd, off64_t at, off64_t size) {
    return posix_fallocate(fd, at, size);
}

int ftruncate64(int fd, off64_t size) {
    WHOLE(int, "truncate", is_watched(fd) ? path_of_fd[fd] : NULL, NULL,
          REAL(ftruncate64)(fd, size), ERROR)
    return result;
}

int linkat(int from, const char *path, int to, const char *other, int flags) {
    char one[PATH_MAX], two[PATH_MAX];
    WHOLE(int, "link", absolute(from, path, one), absolute(to, other, two),
          REAL(linkat)(from, path, to, other, flags), ERROR)
    return result;
}

int link(const char *path, const char *other) {
    return linkat(AT_FDCWD, path, AT_FDCWD, other, 0);
}

int renameat2(int from, const char *path, int to, const char *other, unsigned flags) {
    char one[PATH_MAX], two[PATH_MAX];
    WHOLE(int, flags ? "rename2" : "rename", absolute(from, path, one), absolute(to, other, two),
          REAL(renameat2)(from, path, to, other, flags), ERROR)
    return result;
}

int renameat(int from, const char *path, int to, const char *other) {
    return renameat2(from, path, to, other, 0);
}

int rename(const char *path, const char *other) {
    return renameat2(AT_FDCWD, path, AT_FDCWD, other, 0);
}

int unlinkat(int folder, const char *path, int flags) {
    char buffer[PATH_MAX];
    WHOLE(int, flags & AT_REMOVEDIR ? "rmdir" : "unlink",
          absolute(folder, path, buffer), NULL, REAL(unlinkat)(folder, path, flags),
          ERROR)
    return result;
}

int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }

int mkdirat(int folder, const char *path, mode_t mode) {
    char buffer[PATH_MAX];
    WHOLE(int, "mkdir", absolute(folder, path, buffer), NULL,
          REAL(mkdirat)(folder, path, mode), ERROR)
    return result;
}

int mkdir(const char *path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }

int fstatat64(int folder, const char *path, struct stat64 *found, int flags) {
    char buffer[PATH_MAX];
    WHOLE(int, "stat", absolute(folder, path, buffer), NULL,
          REAL(fstatat64)(folder, path, found, flags), ERROR)
    return result;
}

int stat64(const char *path, struct stat64 *found) {
    return fstatat64(AT_FDCWD, path, found, 0);
}

int lstat64(const char *path, struct stat64 *found) {
    return fstatat64(AT_FDCWD, path, found, AT_SYMLINK_NOFOLLOW);
}

int fstat64(int fd, struct stat64 *found) {
    WHOLE(int, "stat", is_watched(fd) ? path_of_fd[fd] : NULL, NULL,
          REAL(fstat64)(fd, found), ERROR)
    return result;
}

int faccessat(int folder, const char *path, int mode, int flags) {
    char buffer[PATH_MAX];
    WHOLE(int, "access", absolute(folder, path, buffer), NULL,
          REAL(faccessat)(folder, path, mode, flags), ERROR)
    return result;
}

int access(const char *path, int mode) { return faccessat(AT_FDCWD, path, mode, 0); }
