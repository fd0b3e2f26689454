/* SPDX-License-Identifier: BSD-2-Clause */
/* rules_file - see rules_file.h */

#include "pixeld/rules_file.h"

#include "common/crc32c.h"
#include "common/file_replace.h"
#include "common/hex.h"
#include "common/store_rules.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { CHECKSUM_BYTES = 4, CHECKSUM_DIGITS = 2 * CHECKSUM_BYTES, BLOCK = 64 * 1024, HEAD_MAX = 64 };

static const char file_name[] = "rules";
static const struct slice mark = SLICE_TEXT("spoor rules 1 ");

static void add_head(struct buf *head, struct slice text)
{
    uint32_t sum = crc32c(0, text.p, text.len);

    buf_add_slice(head, mark);
    buf_add_f(head, "%08x\n", sum);
}

bool rules_file_text(struct slice content, struct slice *text)
{
    struct buf head;
    bool good;

    *text = slice_from(content, mark.len + CHECKSUM_DIGITS + 1);
    buf_init(&head, HEAD_MAX);
    add_head(&head, *text);
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

bool rules_file_read(const char *directory, struct buf *text)
{
    int folder = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int file = folder < 0 ? -1 : openat(folder, file_name, O_RDONLY | O_CLOEXEC);
    int why = errno;
    struct buf content;
    struct slice found;
    bool good;

    buf_init(&content, STORE_RULES_MAX);
    good = file >= 0 && read_all(file, &content);
    if (file >= 0)
        why = errno;
    if (good && !rules_file_text(buf_slice(&content), &found)) {
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

bool rules_file_write(const char *directory, struct slice text)
{
    int folder = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool written = false;
    struct buf content;
    int file;

    if (folder < 0)
        return false;
    buf_init(&content, STORE_RULES_MAX + HEAD_MAX);
    add_head(&content, text);
    buf_add_slice(&content, text);
    errno = ENOMEM;
    file = content.failed ? -1 : file_replace_begin(folder, file_name);
    if (file >= 0)
        written = file_replace_commit(folder, file_name, file, buf_slice(&content));
    buf_free(&content);
    close(folder);
    return written;
}
