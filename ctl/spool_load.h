/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spool_load - brings the records of one spool folder into the database, as the daemon's own loader would.
 *
 * For a folder whose daemon is gone, and, with a copy, to play again into another database what a daemon wrote. The folder
 * is locked meanwhile, and afterwards knows itself loaded.
 */
#ifndef CTL_SPOOL_LOAD_H
#define CTL_SPOOL_LOAD_H

#include "common/conf.h"

/* False, with lines on stderr, when something is left. As root it becomes the folder's owner first, for good. */
bool spool_load(const struct conf *conf, const char *folder);

#endif
