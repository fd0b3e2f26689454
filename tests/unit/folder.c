/* SPDX-License-Identifier: BSD-2-Clause */
/* folder - see folder.h */

#include "tests/unit/folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

void folder_make(char path[PATH_SIZE])
{
    const char *base = getenv("TMPDIR");

    snprintf(path, PATH_SIZE, "%s/spoor-test-XXXXXX", base ? base : "/tmp");
    if (!mkdtemp(path)) {
        perror("mkdtemp");
        exit(99); /* a hard error, to automake */
    }
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *place)
{
    (void)status;
    (void)type;
    (void)place;
    return remove(path);
}

void folder_remove(const char *path)
{
    nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static bool copy_one(int from, int to, const char *name)
{
    int source = openat(from, name, O_RDONLY), target = openat(to, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ssize_t copied = -1;

    if (source >= 0 && target >= 0)
        while ((copied = sendfile(target, source, NULL, 1 << 20)) > 0)
            ;
    close(source);
    close(target);
    return copied == 0;
}

bool folder_copy(const char *from, const char *to)
{
    DIR *source = opendir(from);
    int target = mkdir(to, 0700) == 0 || access(to, W_OK) == 0 ? open(to, O_RDONLY | O_DIRECTORY) : -1;
    const struct dirent *entry;
    bool good = source && target >= 0;

    while (good && (entry = readdir(source)))
        if (entry->d_type == DT_REG)
            good = copy_one(dirfd(source), target, entry->d_name);
    if (source)
        closedir(source);
    if (target >= 0)
        close(target);
    return good;
}
