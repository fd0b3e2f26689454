/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spool_folder - the folder of a spool: its lock and its identities. For the spool alone.
 *
 * `lock` holds the pid of the process that has the folder. `identity` is a text file, replaced at once:
 *
 *     spoor spool 1
 *     identity HEX             what the database knows this spool by, and what new segments are sealed with
 *     first N                  records before N are not of this identity
 *     past HEX FIRST END WHAT  an older one, whose segments begin before END; WHAT is `inherited` when its
 *                              records from FIRST on may still have to be loaded under it, else `carried`
 *     machine ID
 *     folder FILESYSTEM INODE
 *     file INODE               of this very file
 *
 * The last three tell a copied folder: the copy must not continue the identity of the original. All
 * positions in a folder are on one line that grows through all its identities.
 */
#ifndef COMMON_SPOOL_FOLDER_H
#define COMMON_SPOOL_FOLDER_H

#include "common/buf.h"
#include "common/spool_format.h"

#include <stdbool.h>
#include <stdint.h>

enum { SPOOL_PAST_MAX = 16 };

struct spool_past {
    uint8_t identity[SPOOL_IDENTITY_BYTES];
    uint64_t first;
    uint64_t end;
    bool inherited;
};

struct spool_folder {
    int directory; /* owned descriptors; -1: not open */
    int lock;
    uint8_t identity[SPOOL_IDENTITY_BYTES];
    uint64_t first;
    struct spool_past past[SPOOL_PAST_MAX]; /* oldest first */
    size_t pasts;
    bool copied; /* the folder is a copy of another: the spool is to renew the identity */
};

/* Makes the folder if need be, locks it, reads or makes the identity. On failure nothing is left open. */
bool spool_folder_open(struct spool_folder *folder, const char *path, struct buf *error);
void spool_folder_close(struct spool_folder *folder);

/* A new identity from FIRST on; segments that begin before END are the old one's. errno on failure, with
 * nothing changed. */
bool spool_folder_renew(struct spool_folder *folder, uint64_t first, uint64_t end, bool inherited);

/* The oldest inherited identity, or NULL. */
struct spool_past *spool_folder_inherited(struct spool_folder *folder);
/* Whether its records may have to be loaded; false once they are. errno on failure. */
bool spool_folder_inherit(struct spool_folder *folder, struct spool_past *past, bool inherited);

/* May a segment at START sealed with IDENTITY be here? */
bool spool_folder_knows(const struct spool_folder *folder, const uint8_t identity[SPOOL_IDENTITY_BYTES],
                        uint64_t start);

#endif
