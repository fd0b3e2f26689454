/* SPDX-License-Identifier: BSD-2-Clause */
/* file_replace - see file_replace.h */

#include "common/file_replace.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool beside(char path[NAME_MAX], const char *name)
{
    int len = snprintf(path, NAME_MAX, "%s.new", name);

    if (len < NAME_MAX)
        return true;
    errno = ENAMETOOLONG;
    return false;
}

int file_replace_begin(int directory, const char *name)
{
    char path[NAME_MAX];

    if (!beside(path, name))
        return -1;
    if (unlinkat(directory, path, 0) != 0 && errno != ENOENT)
        return -1;
    return openat(directory, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
}

bool file_replace_commit(int directory, const char *name, int file, struct slice content)
{
    char path[NAME_MAX];
    ssize_t written = write(file, content.p, content.len);
    bool good = written == (ssize_t)content.len && fsync(file) == 0;
    int why = written >= 0 && written < (ssize_t)content.len ? ENOSPC : errno;

    if (close(file) != 0 && good) {
        why = errno;
        good = false;
    }
    if (!good) {
        errno = why;
        return false;
    }
    return beside(path, name) && renameat(directory, path, directory, name) == 0 && fsync(directory) == 0;
}

void file_replace_abandon(int directory, const char *name)
{
    char path[NAME_MAX];

    if (beside(path, name))
        unlinkat(directory, path, 0);
}

bool file_replace(const char *path, mode_t mode, struct slice content)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    char *folder = slash ? strndup(path, slash > path ? (size_t)(slash - path) : 1) : strdup(".");
    int directory = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    int file = directory >= 0 ? file_replace_begin(directory, name) : -1;
    bool has_mode = file >= 0 && fchmod(file, mode) == 0;
    bool done = has_mode && file_replace_commit(directory, name, file, content);
    int error = errno;

    if (file >= 0 && !has_mode)
        close(file);
    if (directory >= 0)
        close(directory);
    free(folder);
    errno = error;
    return done;
}
