/* SPDX-License-Identifier: BSD-2-Clause */
/* bookmark - see bookmark.h; one line of text */

#include "delivery/bookmark.h"

#include "common/file_replace.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 160 };

static bool parse(const char *line, struct bookmark *bookmark)
{
    struct log_head *head = &bookmark->head;
    int end = 0;

    return sscanf(line, "1 %" SCNu32 " %" SCNx32 " %" SCNu64 " %" SCNu64 " %" SCNu64 "\n%n", &head->bytes, &head->sum,
                  &head->device, &head->inode, &bookmark->offset, &end) == 5 &&
           line[end] == '\0' && head->bytes <= LOG_HEAD_MAX && head->bytes <= bookmark->offset + LOG_HEAD_MAX;
}

bool bookmark_read(int directory, const char *name, struct bookmark *bookmark, bool *found, struct buf *error)
{
    char line[LINE_MAX_BYTES + 1];
    int file = openat(directory, name, O_RDONLY | O_CLOEXEC);
    ssize_t got;

    *found = file >= 0;
    if (file < 0 && errno == ENOENT)
        return true;
    got = file < 0 ? -1 : read(file, line, sizeof line - 1);
    if (got < 0)
        buf_add_f(error, "cannot read the bookmark %s: %s", name, strerrordesc_np(errno));
    if (file >= 0)
        close(file);
    if (got < 0)
        return false;
    line[got] = '\0';
    if (parse(line, bookmark))
        return true;
    buf_add_f(error, "the %s is damaged; remove it to have the log read from its beginning", name);
    return false;
}

bool bookmark_write(int directory, const char *name, const struct bookmark *bookmark)
{
    const struct log_head *head = &bookmark->head;
    char line[LINE_MAX_BYTES + 1];
    int file = file_replace_begin(directory, name);

    if (file < 0)
        return false;
    snprintf(line, sizeof line, "1 %" PRIu32 " %08" PRIx32 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", head->bytes, head->sum,
             head->device, head->inode, bookmark->offset);
    return file_replace_commit(directory, name, file, slice_str(line));
}
