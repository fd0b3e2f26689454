/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * store - what the programs ask the database and tell it, by name; every SQL statement of the daemons is here.
 *
 * Answers tell "no" from "could not ask". Deadlines are milliseconds. See db.h for threads.
 */
#ifndef COMMON_STORE_H
#define COMMON_STORE_H

#include "common/conf.h"
#include "common/db.h"
#include "common/original.h"
#include "common/record.h"
#include "common/sent_id.h"
#include "common/spool.h"

enum store_answer { STORE_YES, STORE_NO, STORE_AWAY };

enum { STORE_SCHEMA = 26 }; /* the migration that these programs were written for */

/* Does this program fit the schema, and is it the server that db_shard() says? NO fills WHY. */
enum store_answer store_fits(struct db *db, struct buf *why, int deadline_ms);
/*
 * db_connect() for whoever asks something of the schema: a new connection stands only if store_fits(), so that one that
 * runs notices an upgrade which is not for it, and another server; db_error() says so.
 */
bool store_connect(struct db *db, int deadline_ms);
/*
 * For the start of a program that has no loader, which looks itself: is one of the servers there, with a schema that the program
 * does not fit, or is it another one than spoor.conf has? WHY says so.
 */
bool store_forbids_start(const struct conf *conf, const char *program, struct buf *why);

/* The node number of this spool identity in the range of SHARD, leased now if it has none. NO: all of them are taken. */
enum store_answer store_lease_node(struct db *db, const uint8_t identity[SPOOL_IDENTITY_BYTES], const char *host,
                                   const char *program, unsigned shard, int *node, int deadline_ms);

/* Which of our mails these ids belong to, as sent or as the client gave them; all in one question. NO: none of them. */
enum store_answer store_find_messages(struct db *db, struct sent_id *ids, size_t count, int deadline_ms);

/* The same for several servers at once, with db_await() between the two. False: nothing was sent, and nothing is to be received. */
bool store_send_messages(struct db *db, const struct sent_id *ids, size_t count);
enum store_answer store_receive_messages(struct db *db, struct sent_id *ids, size_t count);

/* Adds the envelope sender of a tracked mail. NO: the mail is not known, or it had none. */
enum store_answer store_find_envelope_sender(struct db *db, uint64_t message, struct buf *sender, int deadline_ms);

/* What that mail is to ADDRESS (normal form; may be empty). NO: the mail is not known. */
enum store_answer store_find_original(struct db *db, uint64_t message, struct slice address, struct original *original,
                                      int deadline_ms);

/*
 * May this mail of a campaign go? BLOCKED is called for each recipient whom the campaign has ended for or pauses for. A
 * mail that somebody gets is recorded with all that is not stopped, in the same transaction; MESSAGE without an id is
 * not recorded. Of each recipient REACHED says more. BY_DOMAIN: a colleague's answer counts. Whoever is away
 * for more than PAUSE_MAX_S gets the mail all the same. The texts are valid in the call.
 */
struct store_block {
    const char *address;
    const char *reason; /* a word of spoor.stop_reason */
    int64_t since_us;
    int64_t until_us;   /* of a pause; 0: a stop */
};
struct store_reached {
    bool copied;  /* stands in Cc */
    bool unnamed; /* is not to be named in the mail that is recorded */
    bool off;     /* and not counted either */
};
enum store_answer store_admit(struct db *db, const struct record_message *message, const struct store_reached *reached, bool by_domain,
                              int64_t pause_max_s, void (*blocked)(void *arg, const struct store_block *block), void *arg,
                              int deadline_ms);

/* Do servers answer at all? As store_send_messages(). */
bool store_send_nothing(struct db *db);
bool store_receive_nothing(struct db *db);

/* An answer ends the campaign of its mail, or makes it pause. NO: it has none, or nobody is concerned. */
enum store_answer store_stop(struct db *db, const struct record_stop *stop, int deadline_ms);

/*
 * What answers to a mail, and who unsubscribed with it, end is found on the server that has the mail, and holds on the first:
 * adds what that server has found, to be told there; the servers do so themselves, too, only later. NO: nothing.
 */
enum store_answer store_found_of(struct db *db, uint64_t message, struct buf *found, int deadline_ms);
enum store_answer store_take_found(struct db *first, const char *found, int deadline_ms);

/*
 * Somebody wants no more mail of campaigns. NO: nobody of that mail is concerned. When the mail is not known yet it takes
 * effect as soon as it is.
 */
enum store_answer store_unsubscribe(struct db *db, const struct record_unsubscribe *unsubscribe, int deadline_ms);

/* Progress of a spool. NO: the database has never seen this identity (it is then entered, at position 0). */
struct store_progress {
    int32_t spool;       /* the short number of the identity */
    uint64_t position;   /* everything before it is loaded */
    uint64_t record;     /* where the last record loaded begins */
    uint32_t checksum;   /* of that record; 0 before the first */
    int64_t forgotten;   /* the caller's: number of the last person whom it knows to be forgotten */
    bool outdated;       /* after STORE_AWAY: there is one whom it does not know */
};
enum store_answer store_progress(struct db *db, const uint8_t identity[SPOOL_IDENTITY_BYTES], const char *host,
                                 const char *program, struct store_progress *progress, int deadline_ms);

/*
 * What a loader remembers of the database it is connected to: words that have a number, months that have a
 * partition. Make a new one for each connection.
 */
struct store_memory;
struct store_memory *store_memory_new(void);
void store_memory_free(struct store_memory *memory);
/* Called by store_load() at most once, while the database is busy with the records. */
void store_memory_meanwhile(struct store_memory *memory, void (*call)(void *arg), void *arg);

/*
 * One transaction: the records, the watermark from PROGRESS->position to the last record's end, the batch row and
 * NOTIFY. On STORE_YES *PROGRESS is the new one. STORE_NO: a record was refused (the loader halves), and WHY says
 * what; what fails without any record's doing is STORE_AWAY; a conflicting watermark is STORE_NO with *OVERTAKEN set. After STORE_AWAY ask store_progress() again: the
 * commit may have succeeded. The kinds of the records must be known ones (store_knows()).
 */
bool store_knows(uint8_t kind);
enum store_answer store_load(struct db *db, struct store_memory *memory, struct store_progress *progress,
                             const struct spool_record *records, size_t count, bool *overtaken, struct buf *why,
                             int deadline_ms);
/* Sets one record aside in spoor.rejected and moves the watermark past it. After STORE_AWAY WHY says why it could not. */
enum store_answer store_reject(struct db *db, struct store_progress *progress, const struct spool_record *record,
                               const char *reason, bool *overtaken, struct buf *why, int deadline_ms);

/* For the store's own files: adds the text of each row, a line each. False when the database did not answer. */
bool store_add_lines(struct db *db, const struct db_statement *statement, struct buf *text, int deadline_ms);

#endif
