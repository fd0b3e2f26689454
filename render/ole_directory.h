/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ole_directory - which streams a compound file has ([MS-CFB]): .doc, .ppt, .xls, and any OOXML file with a password.
 *
 * Pure: reads bytes that anybody may have made. Chains of sectors are followed no longer than the file can be.
 */
#ifndef RENDER_OLE_DIRECTORY_H
#define RENDER_OLE_DIRECTORY_H

#include "common/slice.h"

#include <stdint.h>

struct ole_directory {
    struct slice file;
    unsigned shift;  /* a sector has 1 << shift bytes */
    uint32_t sector; /* of the directory, now being read */
    uint32_t entry;  /* the next one in it */
    uint32_t left;   /* sectors that the chain may still have */
};

enum { OLE_NAME = 32 };

struct ole_entry {
    char name[OLE_NAME]; /* ASCII; other characters are "?" */
    struct slice start;  /* what the file has from the stream's first sector on; empty for a short stream */
};

bool ole_is_compound(struct slice file);
/* False when the header makes no sense, or the directory is not there. */
bool ole_directory_open(struct slice file, struct ole_directory *directory);
/* False behind the last entry that can be read. */
bool ole_directory_next(struct ole_directory *directory, struct ole_entry *entry);

#endif
