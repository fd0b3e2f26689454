/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * disk_log - see disk_log.h
 *
 * A file keeps its number through all its names. A write is on the disk for sure once a later sync of its file succeeded
 * and none failed in between; a name once the folder was synced. Names reach the disk in their order, as file systems
 * with a journal have it; writes in any.
 */

#include "tests/support/disk_log.h"

#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OPERATIONS_MAX = 20000, FILES_MAX = 1000, DESCRIPTORS_MAX = 256, NAME_SIZE = 40, CONTENT_MAX = 16384 };

enum operation_kind { MAKE, WRITE, RESIZE, SYNC, SYNC_FAILED, RENAME, UNLINK, SYNC_FOLDER };

struct operation {
    enum operation_kind kind;
    int file;
    uint64_t at; /* WRITE: where; RESIZE: how long */
    size_t len;
    uint8_t *bytes; /* owned */
    char name[NAME_SIZE];
    char to[NAME_SIZE];
    struct disk_promise promise; /* when it began */
};

static struct {
    pthread_mutex_t lock;
    bool on;
    int fail;
    dev_t device;
    ino_t folder;
    struct operation operation[OPERATIONS_MAX];
    size_t operations;
    char name[FILES_MAX][NAME_SIZE]; /* of each file now; "" when it has none */
    int files;
    int file[DESCRIPTORS_MAX]; /* 1 more than the file behind each descriptor */
    struct disk_promise promise;
} disk = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void give_up(const char *why)
{
    fprintf(stderr, "disk_log: %s\n", why);
    abort();
}

static bool is_folder(int descriptor)
{
    struct stat status;

    return fstat(descriptor, &status) == 0 && status.st_dev == disk.device && status.st_ino == disk.folder;
}

static struct operation *add(enum operation_kind kind, int file)
{
    struct operation *operation = &disk.operation[disk.operations];

    if (disk.operations == OPERATIONS_MAX)
        give_up("too many operations");
    disk.operations++;
    *operation = (struct operation){.kind = kind, .file = file, .promise = disk.promise};
    return operation;
}

static void put_name(char name[NAME_SIZE], const char *text)
{
    if (snprintf(name, NAME_SIZE, "%s", text) >= NAME_SIZE)
        give_up("a name is too long");
}

static int file_of(int descriptor)
{
    return disk.on && descriptor >= 0 && descriptor < DESCRIPTORS_MAX ? disk.file[descriptor] - 1 : -1;
}

static int file_named(const char *name)
{
    for (int file = 0; file < disk.files; file++)
        if (strcmp(disk.name[file], name) == 0)
            return file;
    return -1;
}

static void note_write(int descriptor, const void *bytes, size_t len, uint64_t at)
{
    int file = file_of(descriptor);
    struct operation *operation;

    if (file < 0)
        return;
    operation = add(WRITE, file);
    operation->at = at;
    operation->len = len;
    operation->bytes = malloc(len + 1);
    if (!operation->bytes)
        give_up("no memory");
    memcpy(operation->bytes, bytes, len);
}

static void note_open(int folder, const char *name, int flags, int descriptor)
{
    int file;

    if (!disk.on || descriptor < 0 || !is_folder(folder) || strcmp(name, "lock") == 0 || strcmp(name, ".") == 0)
        return;
    file = file_named(name);
    if (descriptor >= DESCRIPTORS_MAX || disk.files == FILES_MAX)
        give_up("too many files");
    if (file < 0) {
        file = disk.files++;
        put_name(disk.name[file], name);
        put_name(add(MAKE, file)->name, name);
    } else if (flags & O_TRUNC) {
        add(RESIZE, file);
    }
    disk.file[descriptor] = file + 1;
}

static void note_name(enum operation_kind kind, const char *from, const char *to)
{
    int file = file_named(from), old = to ? file_named(to) : -1;
    struct operation *operation;

    if (file < 0)
        return;
    operation = add(kind, file);
    put_name(operation->name, from);
    if (old >= 0)
        disk.name[old][0] = '\0';
    put_name(operation->to, to ? to : "");
    put_name(disk.name[file], to ? to : "");
}

/* --- the calls, wrapped */

int __real_openat(int folder, const char *name, int flags, ...);
int __wrap_openat(int folder, const char *name, int flags, ...);
int __real_close(int descriptor);
int __wrap_close(int descriptor);
ssize_t __real_write(int descriptor, const void *bytes, size_t len);
ssize_t __wrap_write(int descriptor, const void *bytes, size_t len);
ssize_t __real_pwrite(int descriptor, const void *bytes, size_t len, off_t at);
ssize_t __wrap_pwrite(int descriptor, const void *bytes, size_t len, off_t at);
int __real_ftruncate(int descriptor, off_t len);
int __wrap_ftruncate(int descriptor, off_t len);
int __wrap_fdatasync(int descriptor);
int __wrap_fsync(int descriptor);
int __real_renameat(int from_folder, const char *from, int to_folder, const char *to);
int __wrap_renameat(int from_folder, const char *from, int to_folder, const char *to);
int __real_unlinkat(int folder, const char *name, int flags);
int __wrap_unlinkat(int folder, const char *name, int flags);

int __wrap_openat(int folder, const char *name, int flags, ...)
{
    va_list more;
    int descriptor;

    va_start(more, flags);
    pthread_mutex_lock(&disk.lock);
    descriptor = __real_openat(folder, name, flags, flags & O_CREAT ? va_arg(more, unsigned) : 0);
    note_open(folder, name, flags, descriptor);
    pthread_mutex_unlock(&disk.lock);
    va_end(more);
    return descriptor;
}

int __wrap_close(int descriptor)
{
    int result;

    pthread_mutex_lock(&disk.lock);
    if (descriptor >= 0 && descriptor < DESCRIPTORS_MAX)
        disk.file[descriptor] = 0;
    result = __real_close(descriptor);
    pthread_mutex_unlock(&disk.lock);
    return result;
}

ssize_t __wrap_write(int descriptor, const void *bytes, size_t len)
{
    ssize_t wrote;

    pthread_mutex_lock(&disk.lock);
    wrote = __real_write(descriptor, bytes, len);
    if (wrote > 0)
        note_write(descriptor, bytes, (size_t)wrote, 0); /* small files only, written at once */
    pthread_mutex_unlock(&disk.lock);
    return wrote;
}

ssize_t __wrap_pwrite(int descriptor, const void *bytes, size_t len, off_t at)
{
    ssize_t wrote;

    pthread_mutex_lock(&disk.lock);
    wrote = __real_pwrite(descriptor, bytes, len, at);
    if (wrote > 0)
        note_write(descriptor, bytes, (size_t)wrote, (uint64_t)at);
    pthread_mutex_unlock(&disk.lock);
    return wrote;
}

int __wrap_ftruncate(int descriptor, off_t len)
{
    int result;

    pthread_mutex_lock(&disk.lock);
    result = __real_ftruncate(descriptor, len);
    if (result == 0 && file_of(descriptor) >= 0)
        add(RESIZE, file_of(descriptor))->at = (uint64_t)len;
    pthread_mutex_unlock(&disk.lock);
    return result;
}

static int sync_it(int descriptor)
{
    int result = 0;

    pthread_mutex_lock(&disk.lock);
    if (disk.on && is_folder(descriptor)) {
        add(SYNC_FOLDER, -1);
    } else if (file_of(descriptor) >= 0) {
        result = disk.fail > 0 ? -1 : 0;
        disk.fail -= disk.fail > 0;
        add(result == 0 ? SYNC : SYNC_FAILED, file_of(descriptor));
    }
    pthread_mutex_unlock(&disk.lock);
    if (result != 0)
        errno = EIO;
    return result;
}

int __wrap_fdatasync(int descriptor)
{
    return sync_it(descriptor);
}

int __wrap_fsync(int descriptor)
{
    return sync_it(descriptor);
}

int __wrap_renameat(int from_folder, const char *from, int to_folder, const char *to)
{
    int result;

    pthread_mutex_lock(&disk.lock);
    result = __real_renameat(from_folder, from, to_folder, to);
    if (result == 0 && disk.on && is_folder(from_folder))
        note_name(RENAME, from, to);
    pthread_mutex_unlock(&disk.lock);
    return result;
}

int __wrap_unlinkat(int folder, const char *name, int flags)
{
    int result;

    pthread_mutex_lock(&disk.lock);
    result = __real_unlinkat(folder, name, flags);
    if (result == 0 && disk.on && is_folder(folder))
        note_name(UNLINK, name, NULL);
    pthread_mutex_unlock(&disk.lock);
    return result;
}

/* --- recording */

void disk_log_begin(const char *folder)
{
    struct stat status;

    if (stat(folder, &status) != 0)
        give_up("there is no folder");
    pthread_mutex_lock(&disk.lock);
    disk.device = status.st_dev;
    disk.folder = status.st_ino;
    disk.promise = (struct disk_promise){.position = 0};
    disk.on = true;
    pthread_mutex_unlock(&disk.lock);
}

void disk_log_end(void)
{
    pthread_mutex_lock(&disk.lock);
    disk.on = false;
    disk.fail = 0;
    pthread_mutex_unlock(&disk.lock);
}

void disk_log_free(void)
{
    while (disk.operations)
        free(disk.operation[--disk.operations].bytes);
    disk.files = 0;
}

void disk_log_fail_syncs(int count)
{
    pthread_mutex_lock(&disk.lock);
    disk.fail = count;
    pthread_mutex_unlock(&disk.lock);
}

void disk_log_promise(struct disk_promise promise)
{
    pthread_mutex_lock(&disk.lock);
    disk.promise = promise;
    pthread_mutex_unlock(&disk.lock);
}

size_t disk_log_operations(void)
{
    return disk.operations;
}

/* --- rebuilding */

static struct image { /* of a file */
    char name[NAME_SIZE];
    size_t len;
    uint8_t bytes[CONTENT_MAX];
} image[FILES_MAX];

static unsigned lot(unsigned *seed)
{
    *seed = *seed * 1103515245U + 12345U;
    return *seed >> 16;
}

static bool is_name(const struct operation *operation)
{
    return operation->kind == MAKE || operation->kind == RENAME || operation->kind == UNLINK;
}

/* Is what OPERATION did surely on the disk after so many? */
static bool is_synced(const struct operation *operation, size_t operations)
{
    for (const struct operation *later = operation + 1; later < disk.operation + operations; later++) {
        if (is_name(operation) ? later->kind == SYNC_FOLDER : later->kind == SYNC && later->file == operation->file)
            return true;
        if (!is_name(operation) && later->kind == SYNC_FAILED && later->file == operation->file)
            return false;
    }
    return false;
}

static void apply_name(const struct operation *operation)
{
    for (int file = 0; file < disk.files && operation->kind == RENAME; file++)
        if (strcmp(image[file].name, operation->to) == 0)
            image[file].name[0] = '\0';
    put_name(image[operation->file].name, operation->kind == MAKE ? operation->name : operation->to);
}

static void resize(struct image *file, size_t len)
{
    if (len > CONTENT_MAX)
        give_up("a file is too long");
    if (len > file->len)
        memset(file->bytes + file->len, 0, len - file->len);
    file->len = len;
}

/* The bytes from FROM to TO of a write. */
static void apply_write(const struct operation *operation, size_t from, size_t to)
{
    struct image *file = &image[operation->file];

    if (operation->at + operation->len > file->len)
        resize(file, operation->at + operation->len);
    memcpy(file->bytes + operation->at + from, operation->bytes + from, to - from);
}

static void apply(const struct operation *operation)
{
    if (is_name(operation))
        apply_name(operation);
    else if (operation->kind == RESIZE)
        resize(&image[operation->file], operation->at);
    else if (operation->kind == WRITE)
        apply_write(operation, 0, operation->len);
}

/* An operation that was not synced, when some are lost. */
static void apply_perhaps(const struct operation *operation, unsigned *seed, bool *names_end)
{
    unsigned fate = lot(seed) % 4;

    if (is_name(operation)) {
        *names_end = *names_end || fate == 0;
        if (!*names_end)
            apply(operation);
    } else if (operation->kind == WRITE && operation->len && fate == 1) {
        apply_write(operation, 0, lot(seed) % operation->len);
    } else if (operation->kind == WRITE && operation->len && fate == 2) {
        apply_write(operation, lot(seed) % operation->len, operation->len);
    } else if (fate == 3) {
        apply(operation);
    }
}

static void apply_all(enum disk_crash crash, size_t operations, unsigned seed)
{
    bool names_end = false;

    for (size_t n = 0; n < operations; n++) {
        const struct operation *operation = &disk.operation[n];
        bool killed = crash == CRASH_KILLED || crash == CRASH_TORN;

        if (crash == CRASH_TORN && n + 1 == operations && operation->kind == WRITE)
            apply_write(operation, 0, operation->len / 2);
        else if (killed || is_synced(operation, operations))
            apply(operation);
        else if (crash == CRASH_SOME_LOST)
            apply_perhaps(operation, &seed, &names_end);
        else if (is_name(operation) ? crash == CRASH_DATA_LOST : crash == CRASH_NAMES_LOST)
            apply(operation);
    }
}

/* The folder's and the file's own numbers, instead of those of the folder that was recorded. */
static size_t adopt(uint8_t text[CONTENT_MAX], size_t len, int folder, int file)
{
    struct stat of_folder, of_file;
    char *line, *filesystem_end;

    text[len] = '\0';
    line = strstr((char *)text, "\nfolder ");
    filesystem_end = line ? strchr(line + 8, ' ') : NULL;
    if (!filesystem_end)
        return len; /* torn: the start must find that out */
    if (fstat(folder, &of_folder) != 0 || fstat(file, &of_file) != 0)
        give_up("a folder cannot be asked");
    len = (size_t)(filesystem_end - (char *)text);
    return len + (size_t)snprintf(filesystem_end, CONTENT_MAX - len, " %" PRIu64 "\nfile %" PRIu64 "\n",
                                  (uint64_t)of_folder.st_ino, (uint64_t)of_file.st_ino);
}

static void write_image(struct image *content, int folder)
{
    int file = openat(folder, content->name, O_RDWR | O_CREAT | O_EXCL, 0600);

    if (file < 0)
        give_up("a file cannot be rebuilt");
    if (strcmp(content->name, "identity") == 0 && content->len)
        content->len = adopt(content->bytes, content->len, folder, file);
    if (write(file, content->bytes, content->len) != (ssize_t)content->len)
        give_up("a file cannot be written");
    close(file);
}

struct disk_promise disk_log_rebuild(enum disk_crash crash, size_t operations, unsigned seed, const char *folder)
{
    int place = open(folder, O_RDONLY | O_DIRECTORY);

    if (place < 0)
        give_up("there is no folder to rebuild in");
    for (int file = 0; file < disk.files; file++)
        image[file] = (struct image){.len = 0};
    apply_all(crash, operations, seed);
    for (int file = 0; file < disk.files; file++)
        if (image[file].name[0])
            write_image(&image[file], place);
    close(place);
    return operations < disk.operations ? disk.operation[operations].promise : disk.promise;
}
