/* SPDX-License-Identifier: BSD-2-Clause */
/* log_head - see log_head.h */

#include "delivery/log_head.h"

#include "common/crc32c.h"

#include <zlib.h>

void log_head_begin(struct log_head *head, const struct stat *status)
{
    *head = (struct log_head){.device = status->st_dev, .inode = status->st_ino};
}

void log_head_add(struct log_head *head, uint64_t offset, const char *bytes, size_t len)
{
    if (offset != head->bytes || head->bytes == LOG_HEAD_MAX)
        return;
    if (len > (size_t)LOG_HEAD_MAX - head->bytes)
        len = LOG_HEAD_MAX - head->bytes;
    head->sum = crc32c(head->sum, bytes, len);
    head->bytes += (uint32_t)len;
}

static bool same_bytes(const struct log_head *head, gzFile file)
{
    char bytes[LOG_HEAD_MAX];

    return gzread(file, bytes, head->bytes) == (int)head->bytes && crc32c(0, bytes, head->bytes) == head->sum;
}

/* The byte before OFFSET is there. */
static bool reaches(gzFile file, uint64_t offset)
{
    return offset == 0 || (gzseek(file, (z_off_t)(offset - 1), SEEK_SET) >= 0 && gzgetc(file) >= 0);
}

bool log_head_fits(const struct log_head *head, const char *path, uint64_t offset)
{
    struct stat status;
    gzFile file;
    bool fits;

    if (head->bytes == 0)
        return stat(path, &status) == 0 && status.st_dev == head->device && status.st_ino == head->inode;
    file = gzopen(path, "rbe");
    if (!file)
        return false;
    fits = same_bytes(head, file) && reaches(file, offset);
    gzclose(file);
    return fits;
}
