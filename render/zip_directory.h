/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * zip_directory - the files that a ZIP archive says it has, from the directory at its end (APPNOTE 4.3.12, 4.3.16).
 *
 * Pure: reads bytes that anybody may have made, unpacks nothing. What it says may be a lie; whoever unpacks needs limits of
 * his own.
 */
#ifndef RENDER_ZIP_DIRECTORY_H
#define RENDER_ZIP_DIRECTORY_H

#include "common/slice.h"

#include <stdint.h>

struct zip_directory {
    struct slice file;    /* the whole archive */
    struct slice entries; /* what is still to be read of the directory */
};

struct zip_entry {
    struct slice name;
    bool encrypted;
    bool stored;     /* as it is, not packed */
    uint64_t packed; /* bytes in the archive; UINT64_MAX when they are 4 GB or more */
    uint64_t bytes;  /* when unpacked; the same */
    uint32_t offset; /* of its local header */
};

enum zip_answer { ZIP_ENTRY, ZIP_END, ZIP_BAD };

/* False when there is no directory: no archive, or a part of one. */
bool zip_directory_open(struct slice file, struct zip_directory *directory);
enum zip_answer zip_directory_next(struct zip_directory *directory, struct zip_entry *entry);

/* The bytes of a stored entry, as many as are there; empty when it is packed. */
struct slice zip_directory_content(const struct zip_directory *directory, const struct zip_entry *entry);

#endif
