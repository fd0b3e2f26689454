/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * store_feed - what the Live Feed asks: who is signed in, and what that sender may see.
 *
 * Each question takes the secret of a session, and gets no row when it is none. NULL: could not ask. Free the result;
 * its columns are those of the enum beside the question.
 */
#ifndef COMMON_STORE_FEED_H
#define COMMON_STORE_FEED_H

#include "common/db.h"

enum { SESSION_ADDRESS, SESSION_NAME, SESSION_SEES_ALL, SESSION_FORM, SESSION_DEVICE };
struct db_result *store_my_session(struct db *db, const char *secret, int deadline_ms);

/* DEVICE may be NULL. No row, or nulls: the link is spent, too old, or never was. */
enum { SIGNED_IN_SESSION, SIGNED_IN_DEVICE };
struct db_result *store_sign_in(struct db *db, const char *link, const char *device, const char *name, int deadline_ms);

/* The secret for a link by mail, or null. CLIENT, the network address, and DEVICE, of the browser that asks, may be NULL. */
struct db_result *store_ask_to_sign_in(struct db *db, const char *address, const char *client, const char *device, int deadline_ms);

struct db_result *store_sign_out(struct db *db, const char *secret, const char *form, int deadline_ms); /* "t" or "f" */
struct db_result *store_revoke_my_device(struct db *db, const char *secret, const char *form, const char *device, int deadline_ms);

enum { DEVICE_ID, DEVICE_NAME, DEVICE_ADDED_AT, DEVICE_SEEN_AT, DEVICE_CURRENT, DEVICE_SIGNED_IN };
struct db_result *store_my_devices(struct db *db, const char *secret, int deadline_ms);

/* Events, newest first; of a live feed oldest first, and those without a time are later verdicts. */
enum {
    ENTRY_BATCH, ENTRY_RECORD, ENTRY_SPOOL, ENTRY_AT, ENTRY_WHAT, ENTRY_OWNER, ENTRY_PERSON, ENTRY_SUBJECT, ENTRY_DETAIL,
    ENTRY_VERDICT, ENTRY_REASON, ENTRY_MESSAGE, ENTRY_CAMPAIGN, ENTRY_STATUS, ENTRY_HARDNESS, ENTRY_ADDRESS, ENTRY_AGENT,
    ENTRY_RECIPIENT, ENTRY_FORWARDED, ENTRY_SETTLES_IN
};
struct store_feed_question { /* texts may be NULL: not asked for */
    const char *what;
    const char *search;
    const char *campaign;
    bool people_only;
    const char *before_batch; /* both or none */
    const char *before_record;
    int count;
};
/* For several servers at once, with db_await() between the two. */
bool store_send_my_feed(struct db *db, const char *secret, const struct store_feed_question *question);
struct db_result *store_receive_my_feed(struct db *db);
struct db_result *store_my_mail_events(struct db *db, const char *secret, const char *message, int deadline_ms);

struct db_result *store_my_campaigns(struct db *db, const char *secret, int deadline_ms);

enum {
    MAIL_SUBJECT, MAIL_SENT_AT, MAIL_SENDER, MAIL_OWNER, MAIL_CAMPAIGN, MAIL_RECIPIENTS, MAIL_LEVEL, MAIL_TRACKED, MAIL_VIEWED,
    MAIL_CLICKED, MAIL_REPLIED, MAIL_VIEWS, MAIL_CLICKS, MAIL_MACHINE_EVENTS, MAIL_DELIVERED, MAIL_DEFERRED, MAIL_REFUSED,
    MAIL_OPENED, MAIL_DOWNLOADED
};
struct db_result *store_my_mail(struct db *db, const char *secret, const char *message, int deadline_ms);

enum {
    PERSON_ADDRESS, PERSON_VIEWS, PERSON_CLICKS, PERSON_REPLIES, PERSON_FIRST_VIEWED_AT, PERSON_LAST_EVENT_AT, PERSON_DELIVERY,
    PERSON_DELIVERED_AT, PERSON_RELAY, PERSON_STATUS, PERSON_TEXT, PERSON_OPENS
};
struct db_result *store_my_mail_recipients(struct db *db, const char *secret, const char *message, int deadline_ms);

/* A row a day, the oldest first. MESSAGE NULL: the newest mails together. */
enum { DAY_DATE, DAY_VIEWS, DAY_CLICKS };
struct db_result *store_my_chart(struct db *db, const char *secret, const char *message, int deadline_ms);

/* A row a page, document by document. */
enum { PAGE_ATTACHMENT, PAGE_FILE_NAME, PAGE_NUMBER, PAGE_MS, PAGE_READ_FOR };
struct db_result *store_my_document_pages(struct db *db, const char *secret, const char *message, int deadline_ms);

/* The live feed. SECRETS is an array in PostgreSQL's words. */
struct db_result *store_last_batch(struct db *db, int deadline_ms);
bool store_send_last_batch(struct db *db); /* as store_send_my_feed() */
struct db_result *store_receive_last_batch(struct db *db);
/* The newest batch behind which there are no more than so many records. */
struct db_result *store_news_floor(struct db *db, int most_records, int deadline_ms);
enum { LIVE_NUMBER, LIVE_OWNERS }; /* from 1; an array of texts, or null: everybody's */
struct db_result *store_live_sessions(struct db *db, const char *secrets, int deadline_ms);
struct db_result *store_my_news(struct db *db, const char *secrets, int64_t after_batch, int64_t upto, int deadline_ms);
bool store_listen_feed(struct db *db, int deadline_ms);

#endif
