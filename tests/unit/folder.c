/* SPDX-License-Identifier: BSD-2-Clause */
/* folder - see folder.h */

#include "tests/unit/folder.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

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
