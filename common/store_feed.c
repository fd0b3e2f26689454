/* SPDX-License-Identifier: BSD-2-Clause */
/* store_feed - see store_feed.h */

#include "common/store_feed.h"

#include <stdio.h>

enum { NUMBER_TEXT = 24 };

static const struct db_statement my_session = {"my_session", "select * from spoor.my_session($1)", 1};
static const struct db_statement sign_in = {"sign_in", "select * from spoor.sign_in($1, $2, $3)", 3};
static const struct db_statement ask_to_sign_in = {"ask_to_sign_in", "select spoor.ask_to_sign_in($1, $2, $3)", 3};
static const struct db_statement sign_out = {"sign_out", "select spoor.sign_out($1, $2)", 2};
static const struct db_statement revoke_my_device = {"revoke_my_device", "select spoor.revoke_my_device($1, $2, $3)", 3};
static const struct db_statement my_devices = {
    "my_devices",
    "select device, name, to_char(added_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),"
    " to_char(seen_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), current, signed_in from spoor.my_devices($1)", 1};
static const struct db_statement my_feed = {
    "my_feed", "select * from spoor.my_feed($1, $2, $3, $4, $5, $6, $7, $8)", 8};
static const struct db_statement my_mail_events = {"my_mail_events", "select * from spoor.my_mail_events($1, $2)", 2};
static const struct db_statement my_campaigns = {"my_campaigns", "select * from spoor.my_campaigns($1)", 1};
static const struct db_statement my_mail = {"my_mail", "select * from spoor.my_mail($1, $2)", 2};
static const struct db_statement my_mail_recipients = {
    "my_mail_recipients", "select * from spoor.my_mail_recipients($1, $2)", 2};
static const struct db_statement my_chart = {"my_chart", "select * from spoor.my_chart($1, $2)", 2};
static const struct db_statement my_document_pages = {"my_document_pages", "select * from spoor.my_document_pages($1, $2)", 2};
static const struct db_statement last_batch = {"last_batch", "select spoor.last_batch()", 0};
static const struct db_statement news_floor = {"news_floor", "select spoor.news_floor($1)", 1};
static const struct db_statement live_sessions = {"live_sessions", "select * from spoor.live_sessions($1)", 1};
static const struct db_statement my_news = {"my_news", "select * from spoor.my_news($1, $2, $3)", 3};

struct db_result *store_my_session(struct db *db, const char *secret, int deadline_ms)
{
    return db_ask(db, &my_session, (const char *const[]){secret}, deadline_ms);
}

struct db_result *store_sign_in(struct db *db, const char *link, const char *device, const char *name, int deadline_ms)
{
    return db_ask(db, &sign_in, (const char *const[]){link, device, name}, deadline_ms);
}

struct db_result *store_ask_to_sign_in(struct db *db, const char *address, const char *client, const char *device, int deadline_ms)
{
    return db_ask(db, &ask_to_sign_in, (const char *const[]){address, client, device}, deadline_ms);
}

struct db_result *store_sign_out(struct db *db, const char *secret, const char *form, int deadline_ms)
{
    return db_ask(db, &sign_out, (const char *const[]){secret, form}, deadline_ms);
}

struct db_result *store_revoke_my_device(struct db *db, const char *secret, const char *form, const char *device, int deadline_ms)
{
    return db_ask(db, &revoke_my_device, (const char *const[]){secret, form, device}, deadline_ms);
}

struct db_result *store_my_devices(struct db *db, const char *secret, int deadline_ms)
{
    return db_ask(db, &my_devices, (const char *const[]){secret}, deadline_ms);
}

bool store_send_my_feed(struct db *db, const char *secret, const struct store_feed_question *question)
{
    char count[NUMBER_TEXT];
    const char *const values[] = {
        secret, question->what, question->search, question->campaign, question->people_only ? "f" : "t",
        question->before_batch, question->before_record, count};

    snprintf(count, sizeof count, "%d", question->count);
    return db_send(db, &my_feed, values);
}

struct db_result *store_receive_my_feed(struct db *db)
{
    return db_receive(db, &my_feed);
}

struct db_result *store_my_mail_events(struct db *db, const char *secret, const char *message, int deadline_ms)
{
    return db_ask(db, &my_mail_events, (const char *const[]){secret, message}, deadline_ms);
}

struct db_result *store_my_campaigns(struct db *db, const char *secret, int deadline_ms)
{
    return db_ask(db, &my_campaigns, (const char *const[]){secret}, deadline_ms);
}

struct db_result *store_my_mail(struct db *db, const char *secret, const char *message, int deadline_ms)
{
    return db_ask(db, &my_mail, (const char *const[]){secret, message}, deadline_ms);
}

struct db_result *store_my_mail_recipients(struct db *db, const char *secret, const char *message, int deadline_ms)
{
    return db_ask(db, &my_mail_recipients, (const char *const[]){secret, message}, deadline_ms);
}

struct db_result *store_my_chart(struct db *db, const char *secret, const char *message, int deadline_ms)
{
    return db_ask(db, &my_chart, (const char *const[]){secret, message}, deadline_ms);
}

struct db_result *store_my_document_pages(struct db *db, const char *secret, const char *message, int deadline_ms)
{
    return db_ask(db, &my_document_pages, (const char *const[]){secret, message}, deadline_ms);
}

struct db_result *store_last_batch(struct db *db, int deadline_ms)
{
    return db_ask(db, &last_batch, NULL, deadline_ms);
}

bool store_send_last_batch(struct db *db)
{
    return db_send(db, &last_batch, NULL);
}

struct db_result *store_receive_last_batch(struct db *db)
{
    return db_receive(db, &last_batch);
}

struct db_result *store_news_floor(struct db *db, int most_records, int deadline_ms)
{
    char most[NUMBER_TEXT];

    snprintf(most, sizeof most, "%d", most_records);
    return db_ask(db, &news_floor, (const char *const[]){most}, deadline_ms);
}

struct db_result *store_live_sessions(struct db *db, const char *secrets, int deadline_ms)
{
    return db_ask(db, &live_sessions, (const char *const[]){secrets}, deadline_ms);
}

struct db_result *store_my_news(struct db *db, const char *secrets, int64_t after_batch, int64_t upto, int deadline_ms)
{
    char from[NUMBER_TEXT], to[NUMBER_TEXT];

    snprintf(from, sizeof from, "%lld", (long long)after_batch);
    snprintf(to, sizeof to, "%lld", (long long)upto);
    return db_ask(db, &my_news, (const char *const[]){secrets, from, to}, deadline_ms);
}

bool store_listen_feed(struct db *db, int deadline_ms)
{
    return db_execute(db, "listen spoor_feed", deadline_ms);
}
