/* SPDX-License-Identifier: BSD-2-Clause */
/* ZIP archives for the tests of documents: stored entries, with sizes that may be lies. */
#ifndef TESTS_UNIT_ZIP_BYTES_H
#define TESTS_UNIT_ZIP_BYTES_H

#include "common/buf.h"
#include "common/little_endian.h"

struct zip_bytes {
    struct buf file;
    struct buf directory;
    unsigned entries;
};

static inline void zip_bytes_init(struct zip_bytes *zip)
{
    buf_init(&zip->file, 1 << 24);
    buf_init(&zip->directory, 1 << 24);
    zip->entries = 0;
}

/* METHOD 0: stored. BYTES: what the directory says of its size. */
static inline void zip_bytes_add(struct zip_bytes *zip, const char *name, const char *content, unsigned method, uint32_t bytes,
                                 unsigned flags)
{
    char local[30] = "PK\3\4", entry[46] = "PK\1\2";

    le16_put(local + 26, (uint16_t)strlen(name));
    le16_put(entry + 8, (uint16_t)flags);
    le16_put(entry + 10, (uint16_t)method);
    le32_put(entry + 20, (uint32_t)strlen(content));
    le32_put(entry + 24, bytes);
    le16_put(entry + 28, (uint16_t)strlen(name));
    le32_put(entry + 42, (uint32_t)zip->file.len);
    buf_add(&zip->file, local, sizeof local);
    buf_add_str(&zip->file, name);
    buf_add_str(&zip->file, content);
    buf_add(&zip->directory, entry, sizeof entry);
    buf_add_str(&zip->directory, name);
    zip->entries++;
}

/* The archive; valid until zip_bytes_free(). */
static inline struct slice zip_bytes_end(struct zip_bytes *zip)
{
    char end[22] = "PK\5\6";

    le16_put(end + 10, (uint16_t)zip->entries);
    le32_put(end + 12, (uint32_t)zip->directory.len);
    le32_put(end + 16, (uint32_t)zip->file.len);
    buf_add_slice(&zip->file, buf_slice(&zip->directory));
    buf_add(&zip->file, end, sizeof end);
    return buf_slice(&zip->file);
}

static inline void zip_bytes_free(struct zip_bytes *zip)
{
    buf_free(&zip->file);
    buf_free(&zip->directory);
}

#endif
