/* SPDX-License-Identifier: BSD-2-Clause */
/* ole_directory - see ole_directory.h */

#include "render/ole_directory.h"

#include "common/little_endian.h"

enum {
    HEADER_BYTES = 512,
    HEADER_SHIFT = 30,
    HEADER_DIRECTORY = 48, /* first sector of the directory */
    HEADER_TABLES = 76,    /* sectors of the allocation table: the first 109 stand here */
    TABLES_HERE = 109,
    ENTRY_BYTES = 128,
    ENTRY_NAME_BYTES = 64,
    ENTRY_TYPE = 66,
    ENTRY_START = 116,
    ENTRY_SIZE = 120,
    TYPE_STREAM = 2,
    SHORT_STREAM = 4096    /* a shorter one lies elsewhere */
};

bool ole_is_compound(struct slice file)
{
    return file.len >= 8 && memcmp(file.p, "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", 8) == 0;
}

/* A whole sector, or an empty slice. The header takes the place of one. */
static struct slice sector_at(const struct ole_directory *directory, uint32_t sector)
{
    uint64_t start = ((uint64_t)sector + 1) << directory->shift;
    size_t size = (size_t)1 << directory->shift;

    if (start + size > directory->file.len)
        return slice_of("", 0);
    return slice_of(directory->file.p + start, size);
}

/* What follows SECTOR in its chain; a sector that is not there where the table does not tell. */
static uint32_t next_sector(const struct ole_directory *directory, uint32_t sector)
{
    uint32_t per_table = (uint32_t)1 << (directory->shift - 2);
    uint32_t which = sector / per_table;
    struct slice table;

    if (which >= TABLES_HERE)
        return UINT32_MAX;
    table = sector_at(directory, le32_get(directory->file.p + HEADER_TABLES + 4 * which));
    return table.len ? le32_get(table.p + 4 * (sector % per_table)) : UINT32_MAX;
}

bool ole_directory_open(struct slice file, struct ole_directory *directory)
{
    if (!ole_is_compound(file) || file.len < HEADER_BYTES)
        return false;
    directory->file = file;
    directory->shift = le16_get(file.p + HEADER_SHIFT);
    if (directory->shift != 9 && directory->shift != 12)
        return false;
    directory->sector = le32_get(file.p + HEADER_DIRECTORY);
    directory->entry = 0;
    directory->left = (uint32_t)(file.len >> directory->shift);
    return sector_at(directory, directory->sector).len > 0;
}

static void read_name(struct slice bytes, char name[OLE_NAME])
{
    size_t len = le16_get(bytes.p + ENTRY_NAME_BYTES) / 2;

    if (len > OLE_NAME)
        len = OLE_NAME;
    for (size_t at = 0; at < len; at++) {
        uint16_t character = le16_get(bytes.p + 2 * at);

        name[at] = character < 0x80 ? (char)character : '?';
    }
    name[len ? len - 1 : 0] = '\0';
}

static bool read_entry(const struct ole_directory *directory, struct slice bytes, struct ole_entry *entry)
{
    uint64_t start = ((uint64_t)le32_get(bytes.p + ENTRY_START) + 1) << directory->shift;

    if (bytes.p[ENTRY_TYPE] != TYPE_STREAM)
        return false;
    read_name(bytes, entry->name);
    entry->start = slice_of("", 0);
    if (le32_get(bytes.p + ENTRY_SIZE) >= SHORT_STREAM && start < directory->file.len)
        entry->start = slice_from(directory->file, (size_t)start);
    return true;
}

bool ole_directory_next(struct ole_directory *directory, struct ole_entry *entry)
{
    uint32_t per_sector = ((uint32_t)1 << directory->shift) / ENTRY_BYTES;

    for (;;) {
        struct slice sector = sector_at(directory, directory->sector);

        while (sector.len && directory->entry < per_sector) {
            struct slice bytes = slice_of(sector.p + (size_t)ENTRY_BYTES * directory->entry++, ENTRY_BYTES);

            if (read_entry(directory, bytes, entry))
                return true;
        }
        if (sector.len == 0 || directory->left-- == 0)
            return false;
        directory->sector = next_sector(directory, directory->sector);
        directory->entry = 0;
    }
}
