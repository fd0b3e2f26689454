/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * forgotten_list - who is forgotten, as far as this process knows: one list for all of it, kept beside its spool.
 *
 * The loader's thread brings it; any thread may ask. While there is a list, no line of the log shows an address that is in it.
 */
#ifndef COMMON_FORGOTTEN_LIST_H
#define COMMON_FORGOTTEN_LIST_H

#include "common/forgotten.h"

/* Begins with the one kept in DIRECTORY, the spool's, and keeps later ones there. Says what fails. */
void forgotten_list_open(const char *directory);
/* FLUSH is called, from the loader's thread, when somebody new is forgotten. Before the loader starts. */
void forgotten_list_tell(void (*flush)(void *arg), void *arg);

/* Let it go with forgotten_let_go(); NULL: nobody is known to be forgotten. */
struct forgotten *forgotten_list_take(void);

/* TEXT is the list from now on, and kept; gives its number. False: it is none, or no memory. */
bool forgotten_list_use(struct slice text, int64_t *number);

/* What becomes of a record, see forgotten_record(). Costs nothing while nobody is forgotten. */
enum forgotten_effect forgotten_list_record(uint8_t kind, struct slice record, struct buf *payload);

#endif
