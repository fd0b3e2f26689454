/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * forgotten_list - who is forgotten, as far as this process knows: one list for all of it, kept beside its spool.
 *
 * The loader's thread brings it; any thread may ask. While there is a list, no line of the log shows an address that is in it.
 */
#ifndef COMMON_FORGOTTEN_LIST_H
#define COMMON_FORGOTTEN_LIST_H

#include "common/forgotten.h"
#include "common/shard.h"

/* Begins with the one kept in DIRECTORY, the spool's, and keeps later ones there. Says what fails. */
void forgotten_list_open(const char *directory);
/* BEGIN is called with the epoch that begins, see forgotten.h: here, if one is known, and from a loader's thread. */
void forgotten_list_tell(void (*begin)(void *arg, int64_t epoch), void *arg);

/* Let it go with forgotten_let_go(); NULL: nobody is known to be forgotten. */
struct forgotten *forgotten_list_take(void);

/* False while the list that was kept is damaged and the first server has not given another: anybody may be forgotten. */
bool forgotten_list_is_known(void);

/*
 * TEXT is the list from now on, and kept; gives its number. False: it is none, or no memory. Another server than the first, see
 * shard.h, has a copy, which is used only when it tells more than is known, for it may be behind; and an epoch of its own, and
 * what changes in any of them begins one here.
 */
bool forgotten_list_use(unsigned shard, struct slice text, int64_t *number);

/* What becomes of a record, see forgotten_record(). Costs nothing while nobody is forgotten. */
enum forgotten_effect forgotten_list_record(uint8_t kind, struct slice record, struct buf *payload);

#endif
