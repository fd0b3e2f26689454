/* SPDX-License-Identifier: BSD-2-Clause */
/* memory_file - see memory_file.h */

#include "render/memory_file.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

bool memory_file_add(int fd, struct slice bytes)
{
    while (bytes.len) {
        ssize_t done = write(fd, bytes.p, bytes.len);

        if (done < 0 && errno != EINTR)
            return false;
        if (done > 0)
            bytes = slice_from(bytes, (size_t)done);
    }
    return true;
}

bool memory_file_rewind(int fd)
{
    return lseek(fd, 0, SEEK_SET) == 0;
}

int memory_file_of(struct slice bytes)
{
    int fd = memfd_create("spoor-render", MFD_CLOEXEC);

    if (fd < 0 || (memory_file_add(fd, bytes) && memory_file_rewind(fd)))
        return fd;
    close(fd);
    return -1;
}
