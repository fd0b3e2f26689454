/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * store_outbox - what goes to sinks: asked for by spoor-relay, filled by the loaders; see sql/015-outbox.sql.
 *
 * Deadlines are milliseconds. See db.h for threads.
 */
#ifndef COMMON_STORE_OUTBOX_H
#define COMMON_STORE_OUTBOX_H

#include "common/row_set.h"
#include "common/store.h"

/* For the loaders, within their transaction. Columns as fill_outbox() has them, without the mails and the spool. */
enum { STORE_OUTBOX_COLUMNS = 6 };
extern const struct db_statement store_fill_outbox;

struct store_outbox_row { /* texts are valid in the call that gives them */
    int64_t number;
    const char *key;
    int64_t attempts;  /* so far */
    const char *item;  /* JSON, as spoor.outbox_item() makes it */
};

struct store_claim {
    const char *sink;
    const char *lease; /* a UUID, of this session */
    int64_t lease_ms;
    size_t most;
    bool reply_text;
    bool by_choice;    /* as each sender chooses */
};

/* Calls EACH for rows that may go now, no two about one mail. NO: there are none. */
enum store_answer store_claim_outbox(struct db *db, const struct store_claim *claim,
                                     void (*each)(void *arg, const struct store_outbox_row *row), void *arg, int deadline_ms);

/* How long until something may be claimed; INT64_MAX: nothing waits. */
enum store_answer store_next_outbox(struct db *db, const char *sink, int64_t *ms, int deadline_ms);

/* OUTCOMES: columns number, outcome, result, wait in milliseconds; see spoor.end_outbox(). */
enum { STORE_OUTCOME_COLUMNS = 4 };
enum store_answer store_end_outbox(struct db *db, const char *lease, struct row_set *outcomes, int deadline_ms);

/* Notifications come when something may have become due. */
enum store_answer store_listen_outbox(struct db *db, int deadline_ms);

/* TROUBLE: NULL while all is well. */
enum store_answer store_enter_sink(struct db *db, const char *name, const char *type, bool reply_text, const char *trouble,
                                   int deadline_ms);

/* What is due by the clock or by what was loaded meanwhile comes into the outbox; DIGESTS: those of SINK too. */
enum store_answer store_tend_outbox(struct db *db, const char *sink, bool digests, int64_t keep_s, int deadline_ms);

struct store_lag { /* texts are valid in the call */
    const char *sink;
    const char *type;    /* NULL: no spoor-relay knows it */
    int64_t due, waiting, dead;
    int64_t lag_s;
    const char *trouble; /* or NULL */
};
enum store_answer store_outbox_lag(struct db *db, void (*each)(void *arg, const struct store_lag *lag), void *arg, int deadline_ms);

/* YES: a sink wants the text of replies. */
enum store_answer store_wants_reply_text(struct db *db, int deadline_ms);

#endif
