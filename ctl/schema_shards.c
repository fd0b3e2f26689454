/* SPDX-License-Identifier: BSD-2-Clause */
/* schema_shards - see schema_shards.h */

#include "ctl/schema_shards.h"

#include "common/clock.h"
#include "common/db_options.h"
#include "common/shard.h"
#include "ctl/progress.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { QUESTION_MS = 60000, COPY_MS = 10 * 60 * 1000, LOOK_MS = 100, TEXT_MAX = 64 * 1024, NUMBER_TEXT = 16, NAME_TEXT = 64 };

/* A subscription on TO that takes a publication of FROM. */
struct joint {
    struct db *from, *to;
    const char *conninfo; /* of FROM */
    const char *publication;
    char subscription[NAME_TEXT];
    unsigned publisher, subscriber; /* the shards of FROM and TO */
};

static bool say_error(struct db *db, const char *doing)
{
    progress_clear();
    fprintf(stderr, "spoorctl: cannot %s: %s\n", doing, db_error(db));
    return false;
}

static bool tell(struct db *db, const struct db_statement *statement, unsigned number, const char *doing)
{
    char text[NUMBER_TEXT];
    const char *const values[] = {text};
    struct db_result *result;

    snprintf(text, sizeof text, "%u", number);
    result = db_ask(db, statement, values, QUESTION_MS);
    db_result_free(result);
    return result || say_error(db, doing);
}

/* Adds the one text that STATEMENT gives. */
static bool ask_text(struct db *db, const struct db_statement *statement, const char *const *values, struct buf *out, const char *doing)
{
    struct db_result *result = db_ask(db, statement, values, QUESTION_MS);
    const char *text = result && db_rows(result) ? db_value(result, 0, 0) : NULL;

    if (!result)
        return say_error(db, doing);
    if (text)
        buf_add_str(out, text);
    db_result_free(result);
    return !out->failed;
}

/* Statements about subscriptions take no parameters, and some of them no transaction: the server quotes, we send. */
static bool subscribe(const struct joint *joint, const char *slot)
{
    static const struct db_statement statement = {
        "subscribe",
        "select case when exists (select from pg_subscription s join pg_database d on d.oid = s.subdbid"
        "    where d.datname = current_database() and s.subname = $1::text)"
        "  then format('alter subscription %I connection %L', $1, $2::text)"
        "  else format('create subscription %I connection %L publication %I with (create_slot = false, slot_name = %L)', $1, $2::text, $3::text, $4::text)"
        "  end", 4};
    static const struct db_statement refreshing = {
        "refresh", "select format('alter subscription %I refresh publication', $1::text)", 1};
    const char *const values[] = {joint->subscription, joint->conninfo, joint->publication, slot};
    struct buf sql, refresh;
    bool done;

    buf_init(&sql, TEXT_MAX);
    buf_init(&refresh, TEXT_MAX);
    done = ask_text(joint->to, &statement, values, &sql, "set up replication") &&
           ask_text(joint->to, &refreshing, values, &refresh, "set up replication") &&
           ((db_execute(joint->to, buf_text(&sql), QUESTION_MS) && db_execute(joint->to, buf_text(&refresh), QUESTION_MS)) ||
            say_error(joint->to, "set up replication"));
    buf_free(&refresh);
    buf_free(&sql);
    return done;
}

/* -1 when the server does not answer. */
static int64_t count_waiting(const struct joint *joint)
{
    static const struct db_statement waiting = {
        "tables_to_copy",
        "select count(*) from pg_subscription_rel r join pg_subscription s on s.oid = r.srsubid join pg_database d on d.oid = s.subdbid"
        " where d.datname = current_database() and s.subname = $1 and r.srsubstate not in ('r', 's')", 1};
    const char *const values[] = {joint->subscription};
    struct db_result *result = db_ask(joint->to, &waiting, values, QUESTION_MS);
    int64_t count = result ? db_integer(result, 0, 0) : -1;

    db_result_free(result);
    return count;
}

/* Until all tables are copied. */
static bool await_copies(const struct joint *joint)
{
    int64_t until_ms = clock_monotonic_ms() + COPY_MS, waiting;
    struct timespec nap = {.tv_nsec = LOOK_MS * 1000000L};
    char name[SHARD_NAME_BYTES];

    while ((waiting = count_waiting(joint)) > 0 && clock_left_ms(until_ms)) {
        progress_tell("%s: %lld tables are still to be copied", shard_name(joint->subscriber, name), (long long)waiting);
        nanosleep(&nap, NULL);
    }
    progress_clear();
    if (waiting < 0)
        return say_error(joint->to, "see how far the copies are");
    if (waiting > 0)
        fprintf(stderr, "spoorctl: %lld tables are not copied yet; does the log of the PostgreSQL that copies say why?"
                        " And does it reach the other one by this spoor.conf's conninfo?\n", (long long)waiting);
    return waiting == 0;
}

/* What was told while there was no slot for it is nowhere: the subscription goes, to be made anew with copies of all there is. */
static bool mend(const struct joint *joint)
{
    static const struct db_statement has_slot = {"has_slot", "select spoor.has_slot($1)", 1};
    static const struct db_statement stop_following = {"stop_following", "select spoor.stop_following($1)", 1};
    static const char doing[] = "see whether replication has all that was told";
    char publisher[NUMBER_TEXT], subscriber[NUMBER_TEXT], name[SHARD_NAME_BYTES], other[SHARD_NAME_BYTES];
    struct buf there, stopped;
    bool done;

    snprintf(publisher, sizeof publisher, "%u", joint->publisher);
    snprintf(subscriber, sizeof subscriber, "%u", joint->subscriber);
    buf_init(&there, TEXT_MAX);
    buf_init(&stopped, TEXT_MAX);
    done = ask_text(joint->from, &has_slot, (const char *const[]){subscriber}, &there, doing);
    if (done && strcmp(buf_text(&there), "t") != 0)
        done = ask_text(joint->to, &stop_following, (const char *const[]){publisher}, &stopped, doing);
    if (strcmp(buf_text(&stopped), "t") == 0)
        printf("%s: some of what %s told it is lost, so all of it is copied anew\n", shard_name(joint->subscriber, name),
               shard_name(joint->publisher, other));
    buf_free(&stopped);
    buf_free(&there);
    return done;
}

static bool join(const struct joint *joint)
{
    static const struct db_statement make_slot = {"make_slot", "select spoor.make_slot($1)", 1};
    char subscriber[NUMBER_TEXT];
    const char *const values[] = {subscriber};
    struct buf slot;
    bool done;

    snprintf(subscriber, sizeof subscriber, "%u", joint->subscriber);
    buf_init(&slot, TEXT_MAX);
    done = ask_text(joint->from, &make_slot, values, &slot, "make a replication slot") && subscribe(joint, buf_text(&slot));
    buf_free(&slot);
    return done && await_copies(joint);
}

bool schema_shards_reach(const struct conf *conf, struct db *first, unsigned shard)
{
    static const struct db_statement reach = {"reach_server", "select spoor.reach_server($1, $2, $3)", 3};
    struct buf options, password, why;
    struct db_result *result = NULL;
    char number[NUMBER_TEXT];
    bool read;

    buf_init(&options, TEXT_MAX);
    buf_init(&password, TEXT_MAX);
    buf_init(&why, TEXT_MAX);
    snprintf(number, sizeof number, "%u", shard);
    read = db_server_options(shard_database(conf, shard), &options, &password, &why);
    if (read) {
        const char *const values[] = {number, buf_text(&options), buf_text(&password)};

        result = db_ask(first, &reach, values, QUESTION_MS);
    }
    if (!read)
        fprintf(stderr, "spoorctl: cannot read what stands in shards: %s\n", buf_text(&why));
    else if (!result)
        say_error(first, "tell the first server how to read another");
    db_result_free(result);
    buf_free(&why);
    buf_free(&password);
    buf_free(&options);
    return result != NULL;
}

bool schema_shards_hide(struct db *first)
{
    return db_execute(first, "drop schema if exists spoor_all cascade", QUESTION_MS) || say_error(first, "take away spoor_all");
}

bool schema_shards_show(struct db *first)
{
    return db_execute(first, "select spoor.read_across()", QUESTION_MS) || say_error(first, "make the views in spoor_all");
}

bool schema_shards_join(const struct conf *conf, struct db *first, struct db *other, unsigned shard)
{
    static const struct db_statement become_first = {"become_first", "select spoor.become_first($1)", 1};
    static const struct db_statement become_shard = {"become_shard", "select spoor.become_shard($1)", 1};
    struct joint down = {.from = first, .to = other, .conninfo = conf->database, .publication = "spoor_first",
                         .subscription = "spoor_first", .subscriber = shard};
    struct joint up = {.from = other, .to = first, .conninfo = shard_database(conf, shard), .publication = "spoor_found",
                       .publisher = shard};

    snprintf(up.subscription, sizeof up.subscription, "spoor_shard_%u", shard);
    return tell(first, &become_first, shard, "make the first server tell others") && mend(&down) && mend(&up) &&
           tell(other, &become_shard, shard, "make this server another's shard") && join(&down) && join(&up);
}
