/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * store_forget - the part of the store by which loaders learn who is forgotten, and say that their spool forgot.
 *
 * As store.h for answers, deadlines and threads.
 */
#ifndef COMMON_STORE_FORGET_H
#define COMMON_STORE_FORGET_H

#include "common/store.h"

/* From now on db_wait_notification() tells when somebody is forgotten. */
enum store_answer store_listen_forget(struct db *db, int deadline_ms);
/* The list as the text that forgotten.h describes. NO: it is more than TEXT takes. */
enum store_answer store_read_forgotten(struct db *db, struct buf *text, int deadline_ms);
/*
 * Digests, as an array of bytea, that a restored database may lack, of a list up to number KNOWN. YES: it did. NO: of all of them it
 * knows more.
 */
enum store_answer store_remember_forgotten(struct db *db, const char *digests, int64_t known, int deadline_ms);
/* Has this spool still to say that it forgot? */
enum store_answer store_erasure_due(struct db *db, int32_t spool, int deadline_ms);
enum store_answer store_acknowledge_erasure(struct db *db, int32_t spool, int64_t number, int deadline_ms);

#endif
