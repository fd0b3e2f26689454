/* SPDX-License-Identifier: BSD-2-Clause */
/* zip_directory - see zip_directory.h */

#include "render/zip_directory.h"

#include "common/little_endian.h"

enum {
    END_BYTES = 22,     /* "end of central directory", without its comment */
    COMMENT_MOST = 65535,
    ENTRY_BYTES = 46,   /* before name, extra field and comment */
    LOCAL_BYTES = 30,   /* before name and extra field */
    FLAG_ENCRYPTED = 1
};

static const char end_mark[] = "PK\5\6", entry_mark[] = "PK\1\2", local_mark[] = "PK\3\4";

static bool marked(struct slice bytes, const char *mark)
{
    return bytes.len >= 4 && memcmp(bytes.p, mark, 4) == 0;
}

/* The last mark counts whose comment ends within the file. */
static bool find_end(struct slice file, size_t *at)
{
    size_t lowest = file.len > END_BYTES + COMMENT_MOST ? file.len - END_BYTES - COMMENT_MOST : 0;

    if (file.len < END_BYTES)
        return false;
    for (size_t here = file.len - END_BYTES + 1; here-- > lowest;)
        if (marked(slice_from(file, here), end_mark) && here + END_BYTES + le16_get(file.p + here + 20) <= file.len) {
            *at = here;
            return true;
        }
    return false;
}

bool zip_directory_open(struct slice file, struct zip_directory *directory)
{
    size_t end, size, start;

    if (!find_end(file, &end))
        return false;
    size = le32_get(file.p + end + 12);
    start = le32_get(file.p + end + 16);
    if (start > end || size > end - start)
        return false;
    directory->file = file;
    directory->entries = slice_of(file.p + start, size);
    return true;
}

/* Sizes that do not fit stand elsewhere; how much more than 4 GB it is does not matter here. */
static uint64_t size_of(uint32_t field)
{
    return field == UINT32_MAX ? UINT64_MAX : field;
}

enum zip_answer zip_directory_next(struct zip_directory *directory, struct zip_entry *entry)
{
    struct slice rest = directory->entries;
    size_t name, whole;

    if (rest.len == 0)
        return ZIP_END;
    if (rest.len < ENTRY_BYTES || !marked(rest, entry_mark))
        return ZIP_BAD;
    name = le16_get(rest.p + 28);
    whole = ENTRY_BYTES + name + le16_get(rest.p + 30) + le16_get(rest.p + 32);
    if (whole > rest.len)
        return ZIP_BAD;
    entry->name = slice_of(rest.p + ENTRY_BYTES, name);
    entry->encrypted = le16_get(rest.p + 8) & FLAG_ENCRYPTED;
    entry->stored = le16_get(rest.p + 10) == 0;
    entry->packed = size_of(le32_get(rest.p + 20));
    entry->bytes = size_of(le32_get(rest.p + 24));
    entry->offset = le32_get(rest.p + 42);
    directory->entries = slice_from(rest, whole);
    return ZIP_ENTRY;
}

struct slice zip_directory_content(const struct zip_directory *directory, const struct zip_entry *entry)
{
    struct slice local = slice_from(directory->file, entry->offset);
    struct slice content;

    if (!entry->stored || local.len < LOCAL_BYTES || !marked(local, local_mark))
        return slice_of("", 0);
    content = slice_from(local, LOCAL_BYTES + (size_t)le16_get(local.p + 26) + le16_get(local.p + 28));
    if (content.len > entry->packed)
        content.len = (size_t)entry->packed;
    return content;
}
