/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spool_loaded - how far the database has had a spool, noted in its folder. For the spool alone.
 *
 * The file `loaded` holds the identity in hex and a position: every record of this folder before it is in the
 * database. It lies with the records, so a folder that was set back is set back with it; the note may be
 * behind what is true, never ahead. It is written in place and not synced: a note that is lost is one of 0.
 */
#ifndef COMMON_SPOOL_LOADED_H
#define COMMON_SPOOL_LOADED_H

#include "common/spool.h"

/* Its descriptor, the caller's to close; -1 with errno. It is made if it is not there. */
int spool_loaded_open(int directory);
/* 0 when nothing is noted for this identity. */
uint64_t spool_loaded_read(int file, const uint8_t identity[SPOOL_IDENTITY_BYTES]);
/* False with errno. */
bool spool_loaded_write(int file, const uint8_t identity[SPOOL_IDENTITY_BYTES], uint64_t position);

#endif
