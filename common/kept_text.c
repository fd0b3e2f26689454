/* SPDX-License-Identifier: BSD-2-Clause */
/* kept_text - see kept_text.h */

#include "common/kept_text.h"

#include "common/crc32c.h"
#include "common/file_replace.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { BLOCK = 64 * 1024, HEAD_MAX = 64 };

static void add_head(struct buf *head, const char *name, struct slice text)
{
    uint32_t sum = crc32c(0, text.p, text.len);

    buf_add_f(head, "spoor %s 1 %08x\n", name, sum);
}

bool kept_text_of(const char *name, struct slice content, struct slice *text)
{
    struct buf head;
    bool good;

    buf_init(&head, HEAD_MAX);
    add_head(&head, name, slice_of("", 0));
    *text = slice_from(content, head.len);
    buf_reset(&head);
    add_head(&head, name, *text);
    good = content.len >= head.len && slice_eq(slice_of(content.p, head.len), buf_slice(&head));
    buf_free(&head);
    return good;
}

static bool read_all(int file, struct buf *content)
{
    ssize_t got = 1;

    while (got > 0 && buf_reserve(content, BLOCK)) {
        got = read(file, content->data + content->len, BLOCK);
        if (got > 0)
            content->len += (size_t)got;
    }
    if (content->failed)
        errno = EFBIG;
    return got == 0 && !content->failed;
}

bool kept_text_read(const char *directory, const char *name, struct buf *text)
{
    int folder = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int file = folder < 0 ? -1 : openat(folder, name, O_RDONLY | O_CLOEXEC);
    int why = errno;
    struct buf content;
    struct slice found;
    bool good;

    buf_init(&content, KEPT_TEXT_MAX + HEAD_MAX + BLOCK);
    good = file >= 0 && read_all(file, &content);
    if (file >= 0)
        why = errno;
    if (good && !kept_text_of(name, buf_slice(&content), &found)) {
        good = false;
        why = EBADMSG;
    }
    good = good && buf_add_slice(text, found);
    buf_free(&content);
    if (file >= 0)
        close(file);
    if (folder >= 0)
        close(folder);
    errno = why;
    return good;
}

bool kept_text_write(const char *directory, const char *name, struct slice text)
{
    int folder = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool written = false;
    struct buf content;
    int file;

    if (folder < 0)
        return false;
    buf_init(&content, KEPT_TEXT_MAX + HEAD_MAX);
    add_head(&content, name, text);
    buf_add_slice(&content, text);
    errno = ENOMEM;
    file = content.failed ? -1 : file_replace_begin(folder, name);
    if (file >= 0)
        written = file_replace_commit(folder, name, file, buf_slice(&content));
    buf_free(&content);
    close(folder);
    return written;
}
