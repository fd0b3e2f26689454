/* SPDX-License-Identifier: BSD-2-Clause */
/* the schema, the questions and the loading of batches, against a real PostgreSQL */

#include "common/clock.h"
#include "common/db_pool.h"
#include "common/event_kind.h"
#include "common/store.h"
#include "common/store_cargo.h"
#include "tests/unit/postgres.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>

#include <cmocka.h>

enum { WAIT_MS = 100000, WAIT_AGAIN_US = 150000, RECORDS_MAX = 64, PAUSE_MAX_S = 3 * 24 * 3600 };

static const uint64_t mail = 1234567890123;

struct fixture {
    struct db *db;
    struct db *admin;
    struct store_memory *memory;
    struct store_progress progress;
    struct spool_record record[RECORDS_MAX];
    struct buf payload[RECORDS_MAX];
    size_t count;
    struct buf why;
    bool overtaken;
};

/* asking the database */

static const char *value_of(struct fixture *fixture, const char *sql)
{
    static char text[4096];
    static struct db_statement statement;
    struct db_result *result;
    const char *value;

    statement = (struct db_statement){"", sql, 0}; /* the unnamed statement is prepared anew */
    db_free(fixture->admin);
    fixture->admin = db_new(getenv("SPOOR_TEST_DATABASE"), "test");
    assert_true(db_connect(fixture->admin, WAIT_MS));
    result = db_ask(fixture->admin, &statement, NULL, WAIT_MS);
    if (!result)
        fail_msg("%s: %s", sql, db_error(fixture->admin));
    value = db_rows(result) ? db_value(result, 0, 0) : "no row";
    snprintf(text, sizeof text, "%s", value ? value : "null");
    db_result_free(result);
    return text;
}

#define CHECK_VALUE(sql, expected) assert_string_equal(value_of(fixture, sql), expected)

/* records */

static struct buf *new_payload(struct fixture *fixture, uint8_t kind)
{
    struct spool_record *record = &fixture->record[fixture->count];
    uint64_t position = fixture->count ? record[-1].end : fixture->progress.position;
    struct buf *payload = &fixture->payload[fixture->count];

    assert_true(fixture->count < RECORDS_MAX);
    *record = (struct spool_record){.position = position, .end = position + 64, .checksum = (uint32_t)position + 1,
                                    .kind = kind, .version = 1};
    buf_init(payload, SPOOL_RECORD_MAX);
    fixture->count++;
    return payload;
}

static void add_hit(struct fixture *fixture, struct record_hit hit)
{
    hit.message = mail;
    hit.kind = hit.kind ? hit.kind : HIT_VIEW;
    hit.time_us = hit.time_us ? hit.time_us : clock_wall_us();
    assert_true(record_hit_encode(&hit, new_payload(fixture, RECORD_HIT)));
}

static void add_answer(struct fixture *fixture, enum answer_class class_, uint8_t digest)
{
    struct record_answer answer = {.message = mail, .recipient = 7, .time_us = clock_wall_us(), .class_ = class_,
                                   .rung = RUNG_REFERENCES, .confidence = CONFIDENCE_HIGH, .answerer = ANSWERER_OTHER,
                                   .from = slice_str("eve@elsewhere.test"), .subject = slice_str("Re: Offer")};

    memset(answer.digest, digest, sizeof answer.digest);
    assert_true(record_answer_encode(&answer, new_payload(fixture, RECORD_ANSWER)));
}

static void add_message(struct fixture *fixture)
{
    struct record_recipient recipient[] = {{slice_str("bob@there.test"), 7}, {slice_str("carol@there.test"), 0xFFFFFFFF}};
    struct record_link link[] = {{1, slice_str("https://example.com/a?b=\"c\"")}, {2, slice_str("https://example.com/2")}};
    struct record_message message = {.id = mail, .time_us = clock_wall_us(), .level = LEVEL_INDIVIDUAL, .pixels = 1,
                                     .size = 1000, .owner = slice_str("alice@example.com"),
                                     .sender = slice_str("sales@example.com"),
                                     .envelope_sender = slice_str("alice@example.com"),
                                     .subject = slice_of("Off\xFF" "er \0 \\", 10),
                                     .sent_message_id = slice_str("Token@Example.com"),
                                     .client_message_id = slice_str("own@client.test"), .recipient = recipient,
                                     .recipients = 2, .link = link, .links = 2, .sent_to = 2};

    assert_true(record_message_encode(&message, new_payload(fixture, RECORD_MESSAGE)));
}

static enum store_answer load_all(struct fixture *fixture)
{
    for (size_t at = 0; at < fixture->count; at++)
        fixture->record[at].payload = buf_slice(&fixture->payload[at]);
    buf_reset(&fixture->why);
    return store_load(fixture->db, fixture->memory, &fixture->progress, fixture->record, fixture->count,
                      &fixture->overtaken, &fixture->why, WAIT_MS);
}

static void forget_records(struct fixture *fixture)
{
    while (fixture->count)
        buf_free(&fixture->payload[--fixture->count]);
}

#define LOAD(expected)                                                                     \
    do {                                                                                   \
        enum store_answer answer_ = load_all(fixture);                                     \
        if (answer_ != (expected))                                                         \
            fail_msg("answer %d: %s", (int)answer_, buf_text(&fixture->why));              \
    } while (0)

/* life */

static int set_up(void **state)
{
    static uint8_t identity[SPOOL_IDENTITY_BYTES];
    struct fixture *fixture = calloc(1, sizeof *fixture);

    assert_non_null(fixture);
    *state = fixture;
    buf_init(&fixture->why, 4096);
    fixture->db = db_new(postgres_as("postgres"), "test");
    fixture->memory = store_memory_new();
    assert_true(db_connect(fixture->db, WAIT_MS));
    assert_true(db_execute(fixture->db, "truncate spoor.message, spoor.recipient, spoor.link, spoor.event, spoor.answer,"
                           " spoor.batch, spoor.rejected, spoor.event_clock, spoor.unjudged_hit, spoor.campaign,"
                           " spoor.campaign_stop, spoor.campaign_refusal, spoor.pending_stop, spoor.campaign_member,"
                           " spoor.suppression, spoor.unsubscribe", WAIT_MS));
    db_free(fixture->db);
    fixture->db = db_new(postgres_as("spoor_milter"), "test");
    assert_true(db_connect(fixture->db, WAIT_MS));
    identity[0]++;
    assert_int_equal(store_progress(fixture->db, identity, "host", "test", &fixture->progress, WAIT_MS), STORE_NO);
    assert_int_equal(store_progress(fixture->db, identity, "host", "test", &fixture->progress, WAIT_MS), STORE_YES);
    return 0;
}

static void use_role(struct fixture *fixture, const char *role)
{
    db_free(fixture->db);
    fixture->db = db_new(postgres_as(role), "test");
    assert_true(db_connect(fixture->db, WAIT_MS));
}

static void hand_spool_to_pixeld(struct fixture *fixture)
{
    use_role(fixture, "postgres");
    assert_true(db_execute(fixture->db, "update spoor.spool_progress set role = 'spoor_pixeld'", WAIT_MS));
    use_role(fixture, "spoor_pixeld");
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    forget_records(fixture);
    store_memory_free(fixture->memory);
    db_free(fixture->db);
    db_free(fixture->admin);
    buf_free(&fixture->why);
    free(fixture);
    return 0;
}

/* cases */

static void two_installations_at_once_agree(void **state)
{
    struct db *db = db_new(getenv("SPOOR_TEST_DATABASE"), "test");
    struct buf why;
    pid_t child[2];
    int status;

    (void)state;
    buf_init(&why, 1000);
    assert_true(db_connect(db, WAIT_MS));
    assert_int_equal(store_fits(db, &why, WAIT_MS), STORE_NO);
    assert_non_null(strstr(buf_text(&why), "spoorctl schema install"));
    assert_int_not_equal(postgres_schema("upgrade"), 0); /* nothing to upgrade */
    for (int n = 0; n < 2; n++) {
        fflush(NULL);
        child[n] = fork();
        if (child[n] == 0) {
            int result;

            if (!freopen("/dev/null", "w", stdout))
                _exit(99);
            result = postgres_schema("install");
            _exit(result);
        }
    }
    for (int n = 0; n < 2; n++) {
        assert_int_equal(waitpid(child[n], &status, 0), child[n]);
        assert_int_equal(status, 0);
    }
    assert_int_equal(store_fits(db, &why, WAIT_MS), STORE_YES);
    buf_free(&why);
    db_free(db);
}

/* Who was connected before goes on; whoever connects anew is told. */
static void a_connection_stands_only_where_the_schema_fits(void **state)
{
    struct db *admin = db_new(getenv("SPOOR_TEST_DATABASE"), "test"), *db = db_new(postgres_as("spoor_milter"), "test");

    (void)state;
    assert_true(db_connect(admin, WAIT_MS));
    assert_true(store_connect(db, WAIT_MS));
    assert_true(db_execute(admin, "update spoor.schema set compatible_from = 99", WAIT_MS));
    assert_true(store_connect(db, WAIT_MS));
    db_refuse(db, "of the test");
    usleep(WAIT_AGAIN_US);
    assert_false(store_connect(db, WAIT_MS));
    assert_non_null(strstr(db_error(db), "which programs for schema 99 and newer understand"));
    assert_false(db_stands(db));
    assert_true(db_execute(admin, "update spoor.schema set compatible_from = 1", WAIT_MS));
    db_free(db);
    db = db_new(postgres_as("spoor_milter"), "test");
    assert_true(store_connect(db, WAIT_MS));
    db_free(db);
    db_free(admin);
}

/* In the wrong server's tables nobody would look for it. */
static void a_connection_stands_only_to_the_server_it_is_for(void **state)
{
    struct db *db = db_new_shard(postgres_as("spoor_monitor"), 3, "test");

    (void)state;
    assert_false(store_connect(db, WAIT_MS));
    assert_non_null(strstr(db_error(db), "this server is shard 0, and spoor.conf has it as shard 3, in shards"));
    assert_false(db_stands(db));
    db_free(db);
}

static void everything_of_a_batch_appears(void **state)
{
    struct fixture *fixture = *state;

    add_message(fixture);
    add_hit(fixture, (struct record_hit){.recipient = 7, .verdict = VERDICT_HUMAN, .reason = slice_str("browser"),
                                         .time_us = clock_wall_us() - 1000000, .user_agent = slice_str("Mozilla/5.0 \xC3\xBC\xFF"), .address = {192, 0, 2, 9},
                                         .address_bytes = 4});
    add_hit(fixture, (struct record_hit){.kind = HIT_CLICK, .recipient = 0xFFFFFFFF, .index = 1, .address = {0x20, 1, 0xd, 0xb8},
                                         .address_bytes = 16, .user_agent = slice_str("Mozilla/5.0 \xC3\xBC\xFF")});
    add_hit(fixture, (struct record_hit){.verdict = VERDICT_BOT});
    add_answer(fixture, ANSWER_REPLY, 1);
    use_role(fixture, "spoor_milter");
    LOAD(STORE_YES);
    assert_int_equal(fixture->progress.position, fixture->record[4].end);
    CHECK_VALUE("select subject from spoor.message", "Off\xEF\xBF\xBD" "er \xEF\xBF\xBD \\");
    CHECK_VALUE("select string_agg(concat_ws('|', what, sender, person, detail, verdict, reason), ' ' order by what) from spoor.feed",
                "click|sales@example.com|carol@there.test|https://example.com/a?b=\"c\"|unknown "
                "reply|sales@example.com|eve@elsewhere.test|eve@elsewhere.test|references "
                "view|sales@example.com|bob@there.test|human|browser");
    CHECK_VALUE("select string_agg(concat_ws(' ', what, answerer, same_domain), ' ' order by what) from spoor.feed",
                "click reply other f view");
    CHECK_VALUE("select string_agg(concat_ws(' ', spoor.answerer_name(m.id, a, o::spoor.answerer), spoor.shares_domain(m.id, a)), ' ' order by a, o)"
                " from spoor.message m, unnest(array['bob@there.test', 'x@there.test', 'x@y.test']) a, unnest(array['other', 'unknown']) o",
                "recipient t recipient t other t t other f f");
    CHECK_VALUE("select concat_ws(' ', spoor.answerer_name(1, 'x@y', 'recipient'), spoor.answerer_name(1, 'x@y', 'unknown'),"
                " spoor.shares_domain(1, 'x@y')) || '.'", "recipient.");
    CHECK_VALUE("select concat_ws(' ', recipients, viewed, clicked, replied, views, clicks, replies, machine_events)"
                " from spoor.message_report", "2 2 1 1 1 1 1 1");
    CHECK_VALUE("select string_agg(concat_ws(' ', address, viewed, clicked), ', ' order by address) from spoor.recipient_report",
                "bob@there.test t f, carol@there.test t t");
    CHECK_VALUE("select string_agg(concat_ws(' ', address, agent), ', ' order by record) from spoor.event_report where agent is not null",
                "192.0.2.9 Mozilla/5.0 \xC3\xBC\xEF\xBF\xBD, 2001:db8:: Mozilla/5.0 \xC3\xBC\xEF\xBF\xBD");
    CHECK_VALUE("select count(*) || ' ' || min(person) from spoor.event_report where verdict = 'bot'", "1 one of 2");
    CHECK_VALUE("select concat_ws(' ', records, last_record - first_record) from spoor.batch", "5 256");
    CHECK_VALUE("select first_at = min(e.at_time) and last_at = max(e.at_time) and min(e.at_time) < max(e.at_time)"
                " from spoor.batch b join spoor.event e on e.spool = b.spool group by b.number", "t");
    CHECK_VALUE("select count(*) || ' ' || count(effect) from spoor.feed where what in ('view', 'click')", "2 0");
}

static void ids_and_originals_are_found(void **state)
{
    struct fixture *fixture = *state;
    struct sent_id ids[] = {{.id = SLICE_TEXT("tOKEN@example.COM")}, {.id = SLICE_TEXT("none@client.test")},
                            {.id = SLICE_TEXT("OWN@client.test")}, {.id = SLICE_TEXT("\"\\{},\xFF@odd")}};
    struct original original;
    struct buf sender;

    add_message(fixture);
    use_role(fixture, "spoor_milter");
    LOAD(STORE_YES);
    /* a next hop claims them for a later mail */
    use_role(fixture, "postgres");
    assert_true(db_execute(fixture->db,
                           "insert into spoor.message (id, sent_at, size, level, pixels, sent_to, owner)"
                           " select id + 1, now(), 1, 'individual', 1, 1, 'x' from spoor.message; insert into spoor.message_alias"
                           " select a, max(id), now() from spoor.message, unnest(array['own@client.test', 'token@example.com']) a"
                           " group by a", WAIT_MS));
    use_role(fixture, "spoor_milter");
    assert_int_equal(store_find_messages(fixture->db, ids, 4, WAIT_MS), STORE_YES);
    assert_true(ids[0].message == mail && ids[2].message == mail && ids[1].message == 0 && ids[3].message == 0);
    assert_string_equal(ids[0].sent, "");
    assert_string_equal(ids[2].sent, "Token@Example.com");
    assert_int_equal(store_find_messages(fixture->db, ids + 1, 1, WAIT_MS), STORE_NO);
    assert_int_equal(store_find_original(fixture->db, mail, slice_str("bob@there.test"), &original, WAIT_MS), STORE_YES);
    assert_true(original.relation == RELATION_RECIPIENT && original.same_domain);
    assert_string_equal(original.own_id, "own@client.test");
    assert_int_equal(store_find_original(fixture->db, mail, slice_str("zoe@there.test"), &original, WAIT_MS), STORE_YES);
    assert_true(original.relation == RELATION_NONE && original.same_domain);
    assert_int_equal(store_find_original(fixture->db, mail, slice_str(""), &original, WAIT_MS), STORE_YES);
    assert_true(original.relation == RELATION_NONE && !original.same_domain);
    assert_int_equal(store_find_original(fixture->db, mail, slice_str("sales@example.com"), &original, WAIT_MS), STORE_YES);
    assert_true(original.relation == RELATION_OWNER);
    assert_string_equal(original.sender, "sales@example.com");
    assert_int_equal(store_find_original(fixture->db, mail + 2, slice_str("x@y.test"), &original, WAIT_MS), STORE_NO);
    assert_int_equal(original.relation, RELATION_UNKNOWN);
    buf_init(&sender, 100);
    assert_int_equal(store_find_envelope_sender(fixture->db, mail + 1, &sender, WAIT_MS), STORE_NO);
    assert_int_equal(store_find_envelope_sender(fixture->db, mail, &sender, WAIT_MS), STORE_YES);
    assert_string_equal(buf_text(&sender), "alice@example.com");
    buf_free(&sender);
}

static void an_answer_that_comes_twice_counts_once(void **state)
{
    struct fixture *fixture = *state;

    add_answer(fixture, ANSWER_REPLY, 1);
    add_answer(fixture, ANSWER_REPLY, 1);
    add_answer(fixture, ANSWER_AUTO_REPLY, 2);
    LOAD(STORE_YES);
    forget_records(fixture);
    add_answer(fixture, ANSWER_REPLY, 2);
    LOAD(STORE_YES);
    CHECK_VALUE("select count(*) from spoor.answer", "2");
    CHECK_VALUE("select string_agg(what, ' ' order by what) from spoor.feed", "auto_reply reply");
}

static void a_bounce_says_about_whom_and_with_what_effect(void **state)
{
    static const struct {
        enum answer_class class_;
        const char *about, *status;
        enum answer_hard hard;
        bool effect;
        uint32_t key;
        const char *expected;
    } rows[] = {
        {ANSWER_BOUNCE, "bob@there.test", "5.1.1", HARD_YES, true, 0, "bounce|bob@there.test|5.1.1|hard|yes"},
        {ANSWER_BOUNCE, "bob@there.test", "4.2.2", HARD_NO, true, 0, "bounce|bob@there.test|4.2.2|soft|soft"},
        {ANSWER_BOUNCE, "bob@there.test", "", HARD_UNKNOWN, true, 0, "bounce|bob@there.test|no_status"},
        {ANSWER_BOUNCE, "eve@there.test", "5.1.1", HARD_YES, false, 0, "bounce|eve@there.test|5.1.1|hard|no_recipient"},
        /* the database was away when it came */
        {ANSWER_BOUNCE, "carol@there.test", "5.1.1", HARD_YES, false, 0, "bounce|carol@there.test|5.1.1|hard|yes"},
        {ANSWER_BOUNCE, "", "5.1.1", HARD_YES, false, 7, "bounce|bob@there.test|5.1.1|hard|yes"},
        {ANSWER_BOUNCE, "", "5.1.1", HARD_YES, false, 0, "bounce|one of 2|5.1.1|hard|nobody_named"},
        {ANSWER_COMPLAINT, "bob@there.test", "", HARD_UNKNOWN, true, 0, "complaint|bob@there.test|yes"},
        {ANSWER_REPLY, "", "", HARD_UNKNOWN, false, 7, "reply|mailer@there.test"},
    };
    enum { ROWS = sizeof rows / sizeof *rows };
    struct fixture *fixture = *state;

    for (uint8_t row = 0; row < ROWS; row++) {
        struct record_answer answer = {.message = mail, .recipient = rows[row].key, .time_us = clock_wall_us(),
                                       .class_ = rows[row].class_, .rung = RUNG_BOUNCE_ADDRESS, .from = slice_str("mailer@there.test"),
                                       .about = slice_str(rows[row].about), .status = slice_str(rows[row].status),
                                       .hard = rows[row].hard, .effect = rows[row].effect, .digest = {row}};

        if (row == 0)
            add_message(fixture);
        assert_true(record_answer_encode(&answer, new_payload(fixture, RECORD_ANSWER)));
        LOAD(STORE_YES);
        forget_records(fixture);
        CHECK_VALUE("select concat_ws('|', what, person, status, hardness, effect) from spoor.feed"
                    " order by at_time desc limit 1", rows[row].expected);
    }
}

static void add_refusal(struct fixture *fixture, const char *address, uint8_t digest, uint64_t message)
{
    struct record_refusal refusal = {.message = message, .recipient = 7, .time_us = clock_wall_us(), .campaign = slice_str("spring"),
                                     .address = slice_str(address), .reason = slice_str("reply"),
                                     .owner = slice_str("alice@example.com"), .sender = slice_str("sales@example.com"),
                                     .subject = slice_str("Offer"), .digest = {digest}};

    assert_true(record_refusal_encode(&refusal, new_payload(fixture, RECORD_REFUSED)));
}

static void a_refusal_is_one_event_a_mail_and_person(void **state)
{
    struct fixture *fixture = *state;

    add_refusal(fixture, "bob@there.test", 1, 0);
    add_refusal(fixture, "bob@there.test", 1, 0); /* the client tries again */
    add_refusal(fixture, "carol@there.test", 1, 0);
    LOAD(STORE_YES);
    forget_records(fixture);
    add_refusal(fixture, "bob@there.test", 1, mail);
    add_refusal(fixture, "bob@there.test", 2, mail);
    LOAD(STORE_YES);
    CHECK_VALUE("select string_agg(concat_ws('|', what, sender, person, subject, detail, reason, message), ' ' order by at_time, person)"
                " from spoor.feed",
                "refused|sales@example.com|bob@there.test|Offer|spring|reply|0 "
                "refused|sales@example.com|carol@there.test|Offer|spring|reply|0 "
                "refused|sales@example.com|bob@there.test|Offer|spring|reply|1234567890123");
    CHECK_VALUE("select count(*) from spoor.event_report where what = 'refused'", "3");
    CHECK_VALUE("select count(*) from spoor.campaign_refusal", "3");
}

/* campaigns: bob has key 7, carol another */

static struct record_recipient both[] = {{SLICE_TEXT("bob@there.test"), 7}, {SLICE_TEXT("carol@there.test"), 0xFFFFFFFF}};

static struct record_message campaign_mail(uint64_t id)
{
    return (struct record_message){.id = id, .time_us = clock_wall_us(), .level = LEVEL_INDIVIDUAL,
                                   .owner = slice_str("alice@example.com"), .subject = slice_str("Off\xFF" "er"),
                                   .sent_message_id = slice_str("Token@Example.com"), .queue_id = slice_str("4Q"),
                                   .campaign = slice_str("spring"), .recipient = both, .recipients = 2, .sent_to = 2};
}

static void note_block(void *arg, const struct store_block *block)
{
    buf_add_f(arg, "%s %s %s;", block->address, block->reason, block->until_us > block->since_us ? "paused" : "stopped");
}

static void check_admission(struct fixture *fixture, uint64_t id, const char *expected)
{
    static const struct store_reached reached[] = {{.copied = false}, {.copied = true}};
    struct record_message message = campaign_mail(id);
    struct buf blocks;

    buf_init(&blocks, 1000);
    if (store_admit(fixture->db, &message, reached, false, PAUSE_MAX_S, note_block, &blocks, WAIT_MS) != STORE_YES)
        fail_msg("%s", db_error(fixture->db));
    assert_string_equal(buf_text(&blocks), expected);
    buf_free(&blocks);
}

static struct record_stop stop_of(enum answer_class class_, const char *address, uint32_t key)
{
    return (struct record_stop){.message = mail, .address = slice_str(address), .recipient = key, .class_ = class_,
                                .time_us = clock_wall_us(), .digest = {(uint8_t)class_, (uint8_t)key}};
}

static struct record_unsubscribe asked_by(const char *address, uint32_t key)
{
    return (struct record_unsubscribe){.message = mail, .recipient = key, .time_us = clock_wall_us(),
                                       .way = address[0] ? UNSUBSCRIBE_MAIL : UNSUBSCRIBE_WEB, .address = slice_str(address)};
}

static void a_campaign_ends_for_whom_the_answer_concerns(void **state)
{
    struct fixture *fixture = *state;
    struct record_stop stop = stop_of(ANSWER_REPLY, "eve@elsewhere.test", 7);

    check_admission(fixture, mail, "");
    CHECK_VALUE("select string_agg(address || ' ' || copied, ' ' order by address) from spoor.recipient",
                "bob@there.test false carol@there.test true");
    assert_int_equal(store_stop(fixture->db, &stop, WAIT_MS), STORE_NO); /* others do not count */
    stop = stop_of(ANSWER_BOUNCE, "eve@elsewhere.test", 7);
    assert_int_equal(store_stop(fixture->db, &stop, WAIT_MS), STORE_NO); /* forged: no recipient of the mail */
    stop = stop_of(ANSWER_COMPLAINT, "", 0);
    assert_int_equal(store_stop(fixture->db, &stop, WAIT_MS), STORE_NO); /* one of two */
    stop = stop_of(ANSWER_AUTO_REPLY, "eve@elsewhere.test", 0xFFFFFFFF);
    stop.until_us = stop.time_us + 1000000000;
    assert_int_equal(store_stop(fixture->db, &stop, WAIT_MS), STORE_YES);
    check_admission(fixture, mail + 1, "carol@there.test auto_reply paused;");
    stop = stop_of(ANSWER_BOUNCE, "", 7);
    assert_int_equal(store_stop(fixture->db, &stop, WAIT_MS), STORE_YES);
    check_admission(fixture, mail + 2, "bob@there.test bounce stopped;carol@there.test auto_reply paused;");
    CHECK_VALUE("select string_agg((id - 1234567890123)::text, ' ' order by id) from spoor.message", "0 1");
    CHECK_VALUE("select concat_ws(' ', mails, recipients, bounced, stopped, paused, refused) from spoor.campaign_report",
                "2 2 1 1 1 0");
}

static void the_loaders_copy_of_an_admitted_mail_changes_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct record_message message = campaign_mail(mail);

    check_admission(fixture, mail, "");
    message.subject = slice_str("another");
    assert_true(record_message_encode(&message, new_payload(fixture, RECORD_MESSAGE)));
    LOAD(STORE_YES);
    CHECK_VALUE("select count(*) || subject from spoor.message group by subject", "1Off\xEF\xBF\xBD" "er");
    CHECK_VALUE("select count(*) from spoor.recipient where copied", "1");
}

static void a_mail_that_names_nobody_is_stopped_by_its_recipients_only(void **state)
{
    static const struct store_reached reached[2] = {{.copied = false}};
    struct fixture *fixture = *state;
    struct record_message message = campaign_mail(mail);
    struct record_stop stop = stop_of(ANSWER_REPLY, "eve@elsewhere.test", 0);
    struct record_unsubscribe asked;
    struct buf blocks;

    buf_init(&blocks, 1000);
    message.level = LEVEL_AGGREGATE;
    assert_int_equal(store_admit(fixture->db, &message, reached, false, PAUSE_MAX_S, note_block, &blocks, WAIT_MS), STORE_YES);
    CHECK_VALUE("select (select count(*) from spoor.recipient) || ' ' || sent_to from spoor.message", "0 2");
    stop.others = true;
    assert_int_equal(store_stop(fixture->db, &stop, WAIT_MS), STORE_NO);
    stop = stop_of(ANSWER_REPLY, "bob@there.test", 0);
    assert_int_equal(store_stop(fixture->db, &stop, WAIT_MS), STORE_YES);
    check_admission(fixture, mail + 1, "bob@there.test reply stopped;");
    CHECK_VALUE("select sent_to from spoor.message order by id desc limit 1", "1");
    asked = asked_by("eve@elsewhere.test", 7);
    assert_int_equal(store_unsubscribe(fixture->db, &asked, WAIT_MS), STORE_NO);
    asked = asked_by("carol@there.test", 8);
    assert_int_equal(store_unsubscribe(fixture->db, &asked, WAIT_MS), STORE_YES);
    check_admission(fixture, mail + 2, "bob@there.test reply stopped;carol@there.test unsubscribe stopped;");
    buf_free(&blocks);
}

static void add_unsubscribe(struct fixture *fixture, const struct record_unsubscribe *asked)
{
    assert_true(record_unsubscribe_encode(asked, new_payload(fixture, RECORD_UNSUBSCRIBE)));
}

static void who_unsubscribes_gets_no_campaign_of_that_sender(void **state)
{
    struct fixture *fixture = *state;
    struct record_unsubscribe asked = asked_by("", 7);

    check_admission(fixture, mail, "");
    hand_spool_to_pixeld(fixture);
    add_unsubscribe(fixture, &asked);
    add_unsubscribe(fixture, &asked); /* a spool that is loaded a second time */
    asked.time_us++;                  /* a person who presses twice */
    add_unsubscribe(fixture, &asked);
    asked = asked_by("", 8);
    add_unsubscribe(fixture, &asked);
    LOAD(STORE_YES);
    CHECK_VALUE("select string_agg(concat_ws(' ', address, owner, reason), ',') from spoor.suppression",
                "bob@there.test alice@example.com unsubscribe");
    CHECK_VALUE("select string_agg(concat_ws(' ', campaign, address, reason), ',') from spoor.campaign_stop",
                "spring bob@there.test unsubscribe");
    CHECK_VALUE("select string_agg(what || ' ' || person, ',') from spoor.feed",
                "unsubscribe bob@there.test,unsubscribe bob@there.test");
    CHECK_VALUE("select string_agg(concat_ws(' ', key, effect), ',' order by at_time) from spoor.unsubscribe", "7 1,7 1,8 0");
    CHECK_VALUE("select concat_ws(' ', address, owner, way, asked, campaign) from spoor.suppressions('BOB@')",
                "bob@there.test alice@example.com web 2 spring");
    CHECK_VALUE("select unsubscribed from spoor.campaign_report", "1");
    use_role(fixture, "spoor_milter");
    check_admission(fixture, mail + 1, "bob@there.test unsubscribe stopped;");
    CHECK_VALUE("select spoor.unsuppress('bob@there.test')", "0");
    CHECK_VALUE("select spoor.unsuppress('bob@there.test', 'alice@example.com')", "1");
    check_admission(fixture, mail + 2, "");
}

/* A spool that waited, or another server, brings it when it was taken back long ago. */
static void what_was_taken_back_stays_so_when_it_comes_late(void **state)
{
    struct fixture *fixture = *state;
    struct record_unsubscribe late = asked_by("", 7), everywhere = late;

    everywhere.everywhere = true;
    check_admission(fixture, mail, "");
    CHECK_VALUE("select spoor.unsuppress('bob@there.test', 'alice@example.com')", "0");
    assert_int_equal(store_unsubscribe(fixture->db, &late, WAIT_MS), STORE_YES);
    check_admission(fixture, mail + 1, "");
    CHECK_VALUE("select count(*) from spoor.suppressions()", "0");

    everywhere.time_us++; /* nobody took that back */
    assert_int_equal(store_unsubscribe(fixture->db, &everywhere, WAIT_MS), STORE_YES);
    CHECK_VALUE("select coalesce(owner, 'all') from spoor.suppressions()", "all");
    check_admission(fixture, mail + 2, "bob@there.test unsubscribe stopped;");
    CHECK_VALUE("select spoor.unsuppress('bob@there.test')", "1");
    check_admission(fixture, mail + 3, "");

    late.time_us = clock_wall_us();
    assert_int_equal(store_unsubscribe(fixture->db, &late, WAIT_MS), STORE_YES);
    check_admission(fixture, mail + 4, "bob@there.test unsubscribe stopped;");
    CHECK_VALUE("select spoor.unsuppress('bob@there.test', 'alice@example.com')", "1");
    CHECK_VALUE("select spoor.suppress('bob@there.test', 'alice@example.com')", "t");
    check_admission(fixture, mail + 5, "bob@there.test unsubscribe stopped;");
}

static void a_mail_unsubscribes_who_got_the_tracked_one(void **state)
{
    struct fixture *fixture = *state;
    struct record_unsubscribe asked = asked_by("eve@elsewhere.test", 5);

    check_admission(fixture, mail, "");
    assert_int_equal(store_unsubscribe(fixture->db, &asked, WAIT_MS), STORE_NO);
    add_unsubscribe(fixture, &asked);
    asked = asked_by("carol@there.test", 0xFFFFFFFF);
    asked.everywhere = true;
    assert_int_equal(store_unsubscribe(fixture->db, &asked, WAIT_MS), STORE_YES);
    check_admission(fixture, mail + 1, "carol@there.test unsubscribe stopped;");
    add_unsubscribe(fixture, &asked); /* what was told at once comes from the spool too, for the event */
    LOAD(STORE_YES);
    CHECK_VALUE("select string_agg(what || ' ' || person, ',') from spoor.feed", "unsubscribe carol@there.test");
    CHECK_VALUE("select concat_ws(' ', address, coalesce(owner, '-')) from spoor.suppression", "carol@there.test -");
    CHECK_VALUE("select count(spool) from spoor.unsubscribe", "2");
}

static uint64_t number_of_now(void)
{
    return (uint64_t)(clock_wall_us() / 1000 - INT64_C(1577836800000)) << 22; /* see common/message_id.h */
}

static void a_stop_may_be_loaded_before_its_mail(void **state)
{
    struct fixture *fixture = *state;
    struct record_stop stop = stop_of(ANSWER_REPLY, "bob@there.test", 0);
    struct record_message message = campaign_mail(number_of_now());

    assert_true(record_stop_encode(&stop, new_payload(fixture, RECORD_STOP))); /* of a mail of 2020 that is gone */
    stop.message = message.id;
    assert_true(record_stop_encode(&stop, new_payload(fixture, RECORD_STOP)));
    assert_true(record_stop_encode(&stop, new_payload(fixture, RECORD_STOP)));
    LOAD(STORE_YES);
    CHECK_VALUE("select count(*) from spoor.pending_stop", "1");
    check_admission(fixture, message.id + 1, "");
    forget_records(fixture);
    assert_true(record_message_encode(&message, new_payload(fixture, RECORD_MESSAGE)));
    LOAD(STORE_YES);
    check_admission(fixture, message.id + 2, "bob@there.test reply stopped;");
    CHECK_VALUE("select count(*) from spoor.pending_stop", "0");
    assert_int_equal(store_stop(fixture->db, &stop, WAIT_MS), STORE_YES);
    CHECK_VALUE("select count(*) from spoor.campaign_stop", "1");
}

static void an_unsubscribe_may_be_loaded_before_its_mail(void **state)
{
    struct fixture *fixture = *state;
    struct record_message message = campaign_mail(number_of_now());
    struct record_unsubscribe asked = asked_by("", 7);

    add_unsubscribe(fixture, &asked); /* of a mail of 2020 that is gone */
    asked.message = message.id;
    add_unsubscribe(fixture, &asked);
    LOAD(STORE_YES);
    CHECK_VALUE("select string_agg(coalesce(effect::text, '-'), ' ' order by effect) from spoor.unsubscribe", "0 -");
    check_admission(fixture, message.id + 1, "");
    forget_records(fixture);
    assert_true(record_message_encode(&message, new_payload(fixture, RECORD_MESSAGE)));
    LOAD(STORE_YES);
    check_admission(fixture, message.id + 2, "bob@there.test unsubscribe stopped;");
    CHECK_VALUE("select string_agg(effect::text, ' ' order by effect) from spoor.unsubscribe", "0 1");
}

/* In all tables but the partitions, which inherit. */
static void alter_tables(struct fixture *fixture, const char *how)
{
    char sql[600];

    value_of(fixture, "select 1");
    snprintf(sql, sizeof sql, "do $$ declare t text; begin for t in select c.oid::regclass from pg_class c where relnamespace ="
             " 'spoor'::regnamespace and relkind in ('r', 'p') and not relispartition loop"
             " execute format('alter table %%s %s', t); end loop; end $$", how);
    assert_true(db_execute(fixture->admin, sql, WAIT_MS));
}

/* Migrations only add, and daemons of the release before go on meanwhile. */
static void columns_of_a_later_release_do_no_harm(void **state)
{
    struct fixture *fixture = *state;

    use_role(fixture, "postgres"); /* no other role may write all of them */
    alter_tables(fixture, "add column later integer default 5");
    add_message(fixture);
    add_hit(fixture, (struct record_hit){.recipient = 7, .user_agent = slice_str("Mozilla"), .reason = slice_str("late")});
    add_hit(fixture, (struct record_hit){.raw = slice_str("/o/unknown.gif")});
    add_hit(fixture, (struct record_hit){.recipient = 1, .time_us = clock_wall_us() + (int64_t)4 * 86400 * 1000000});
    add_answer(fixture, ANSWER_REPLY, 1);
    LOAD(STORE_YES);
    CHECK_VALUE("select count(*) || ' ' || min(later) from spoor.event", "3 5");
    CHECK_VALUE("select count(*) || ' ' || min(later) from spoor.link", "2 5");
    alter_tables(fixture, "drop column later");
}

static void a_second_writer_changes_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct store_progress before = fixture->progress;

    add_hit(fixture, (struct record_hit){.recipient = 7});
    LOAD(STORE_YES);
    fixture->progress = before;
    LOAD(STORE_NO);
    assert_true(fixture->overtaken);
    assert_true(fixture->progress.position == before.position);
    CHECK_VALUE("select count(*) from spoor.event", "1");
    CHECK_VALUE("select count(*) from spoor.batch", "1");
}

static void a_batch_without_events_has_no_times(void **state)
{
    struct fixture *fixture = *state;

    add_message(fixture);
    LOAD(STORE_YES);
    CHECK_VALUE("select concat_ws(' ', first_at, last_at) from spoor.batch", "infinity -infinity");
}

static void a_bad_record_is_refused_and_can_be_set_aside(void **state)
{
    struct fixture *fixture = *state;

    add_hit(fixture, (struct record_hit){.recipient = 7});
    buf_add_str(new_payload(fixture, RECORD_HIT), "x\xFFy");
    LOAD(STORE_NO);
    assert_false(fixture->overtaken);
    fixture->count = 1;
    LOAD(STORE_YES);
    fixture->record[1].payload = slice_str("x\xFFy");
    assert_int_equal(store_reject(fixture->db, &fixture->progress, &fixture->record[1], "no record \xFF", &fixture->overtaken,
                                  &fixture->why, WAIT_MS), STORE_YES);
    fixture->count = 2;
    CHECK_VALUE("select count(*) from spoor.event", "1");
    CHECK_VALUE("select concat_ws(' ', kind, payload, reason) from spoor.rejected", "2 \\x78ff79 no record \xEF\xBF\xBD");
    assert_true(fixture->progress.position == fixture->record[1].end);
}

static void what_the_server_refuses_is_told_from_a_server_in_trouble(void **state)
{
    struct fixture *fixture = *state;

    value_of(fixture, "with x as (select 1) select 1 from x");
    assert_true(db_execute(fixture->admin, "alter table spoor.link add constraint short check (length(destination) < 25)", WAIT_MS));
    add_message(fixture);
    LOAD(STORE_NO);
    assert_true(db_execute(fixture->admin, "alter table spoor.link drop constraint short; "
                           "revoke insert on spoor.link from spoor_milter", WAIT_MS));
    LOAD(STORE_AWAY);
    assert_true(db_execute(fixture->admin, "grant insert on spoor.link to spoor_milter", WAIT_MS));
    LOAD(STORE_YES);
}

static void times_are_kept_within_reason(void **state)
{
    struct fixture *fixture = *state;
    const int64_t day_us = 86400 * (int64_t)1000000;
    int64_t now_us = clock_wall_us();

    add_hit(fixture, (struct record_hit){.recipient = 1, .time_us = now_us + 40 * day_us});
    add_hit(fixture, (struct record_hit){.recipient = 2, .time_us = now_us - 70 * day_us});
    add_hit(fixture, (struct record_hit){.recipient = 3, .time_us = now_us - 4000 * day_us});
    LOAD(STORE_YES);
    CHECK_VALUE("select string_agg(recipient::text, ' ' order by at_time) from spoor.event", "2 1");
    CHECK_VALUE("select at_time between now() - interval '1 hour' and now() from spoor.event where recipient = 1", "t");
    CHECK_VALUE("select claimed_at > now() + interval '39 days' from spoor.event_clock", "t");
    CHECK_VALUE("select dropped from spoor.spool_progress where dropped > 0", "1");
    CHECK_VALUE("select count(*) >= 2 from pg_inherits where inhparent = 'spoor.event'::regclass", "t");
    CHECK_VALUE("select partdefid from pg_partitioned_table where partrelid = 'spoor.event'::regclass", "0");
}

static void a_dropped_partition_comes_back(void **state)
{
    struct fixture *fixture = *state;

    add_hit(fixture, (struct record_hit){.recipient = 1});
    LOAD(STORE_YES);
    value_of(fixture, "select 1");
    assert_true(db_execute(fixture->admin, "do $$ declare p text; begin select inhrelid::regclass into p from pg_inherits"
                           " where inhparent = 'spoor.event'::regclass and inhrelid::regclass::text like"
                           " '%' || to_char(now() at time zone 'UTC', 'YYYY_MM'); execute 'drop table ' || p; end $$", WAIT_MS));
    fixture->record[0].position = fixture->progress.position;
    fixture->record[0].end = fixture->progress.position + 64;
    LOAD(STORE_AWAY); /* the month was believed to be there; the record is not to blame */
    LOAD(STORE_YES);
    CHECK_VALUE("select count(*) from spoor.event", "1");
}

static void hits_with_an_unknown_key_wait_apart(void **state)
{
    struct fixture *fixture = *state;

    hand_spool_to_pixeld(fixture);
    add_hit(fixture, (struct record_hit){.raw = slice_str("/o/abc.gif"), .address = {192, 0, 2, 9}, .address_bytes = 4});
    LOAD(STORE_YES);
    CHECK_VALUE("select count(*) from spoor.event", "0");
    CHECK_VALUE("select concat_ws(' ', target, host(address), verdict) from spoor.unjudged_hit", "/o/abc.gif 192.0.2.9 u");
    use_role(fixture, "spoor_admin");
    CHECK_VALUE("select spoor.prune_unjudged()", "0");
    CHECK_VALUE("select spoor.prune_unjudged(interval '-1 minute')", "1");
}

static void the_feed_leaves_out_what_nobody_did(void **state)
{
    struct fixture *fixture = *state;

    for (int class_ = ANSWER_NONE; class_ <= ANSWER_REPLY; class_++)
        add_answer(fixture, (enum answer_class)class_, (uint8_t)class_);
    add_hit(fixture, (struct record_hit){.recipient = 0});
    LOAD(STORE_YES);
    CHECK_VALUE("select string_agg(what, ' ' order by what) from spoor.feed",
                "auto_reply bounce complaint meeting receipt reply view");
    CHECK_VALUE("select count(*) from spoor.event_report", "13");
    /* its mail has not been loaded yet */
    CHECK_VALUE("select count(*) from spoor.feed where what = 'view' and person is null", "1");
}

/* All pages of ARGUMENTS beyond the cursor, two events each: kinds, and a bar behind each page. */
#define FEED_PAGES(arguments)                                                                                   \
    "with recursive page (number, words, batch, record) as ("                                                  \
    " select 1, string_agg(what, ' ' order by batch desc, record desc), min(batch),"                            \
    "  (array_agg(record order by batch, record))[1] from spoor.feed_page('alice@example.com', null, null, 2" arguments ")" \
    " union all select p.number + 1, n.words, n.batch, n.record from page p cross join lateral ("               \
    "  select string_agg(what, ' ' order by f.batch desc, f.record desc) as words, min(f.batch) as batch,"       \
    "  (array_agg(f.record order by f.batch, f.record))[1] as record"                                            \
    "  from spoor.feed_page('alice@example.com', p.batch, p.record, 2" arguments ") f) n where p.words is not null)" \
    " select coalesce(string_agg(words, '|' order by number), '') from page"

static void check_feed_pages(struct fixture *fixture)
{
    CHECK_VALUE(FEED_PAGES(""), "click view|complaint reply|view");
    CHECK_VALUE(FEED_PAGES(", 'offer'"), "");
    CHECK_VALUE(FEED_PAGES(", 'ER'"), "click view|complaint reply|view");
    CHECK_VALUE(FEED_PAGES(", 'Bob@there.test'"), "click view|complaint reply|view");
    CHECK_VALUE(FEED_PAGES(", 'eve@elsewhere.test'"), "");
    CHECK_VALUE("select count(*) from spoor.feed_page('bob@there.test')", "0");
    CHECK_VALUE("select concat_ws('|', person, subject, detail, reason) from spoor.feed_page('alice@example.com', count => 1)",
                "carol@there.test|Off\xEF\xBF\xBD" "er \xEF\xBF\xBD \\|https://example.com/a?b=\"c\"");
}

/* So many that his pages are found by batch. */
static void add_mails_of_alice(struct fixture *fixture)
{
    assert_true(db_execute(fixture->db, "insert into spoor.message (id, sent_at, size, level, pixels, sent_to, owner, subject)"
                           " select n, now(), 1, 'individual', 1, 1, 'alice@example.com', 'x'"
                           " from generate_series(1, 1001) n", WAIT_MS));
}

/* By batch, although what came last is the oldest; whichever way the pages are found. */
static void the_feed_comes_in_pages(void **state)
{
    struct fixture *fixture = *state;

    add_message(fixture);
    add_hit(fixture, (struct record_hit){.recipient = 7});
    add_answer(fixture, ANSWER_REPLY, 1);
    add_answer(fixture, ANSWER_COMPLAINT, 2);
    LOAD(STORE_YES);
    forget_records(fixture);
    add_hit(fixture, (struct record_hit){.time_us = clock_wall_us() - 3600 * (int64_t)1000000});
    add_hit(fixture, (struct record_hit){.verdict = VERDICT_BOT});
    add_hit(fixture, (struct record_hit){.kind = HIT_CLICK, .recipient = 0xFFFFFFFF, .index = 1});
    LOAD(STORE_YES);
    check_feed_pages(fixture);
    add_mails_of_alice(fixture);
    check_feed_pages(fixture);
}

/* One that nobody got has no mail to be found by; one that others got has. */
static void refusals_are_in_the_pages(void **state)
{
    static const struct {
        const char *arguments, *expected;
    } rows[] = {
        {"", "bob 3 carol 0 bob 0"},
        {", search => 'offer'", "carol 0 bob 0"},
        {", search => 'Carol@there.test'", "bob 3 carol 0"},
        {", count => 1", "bob 3"},
        {", search => 'nothing'", ""},
    };
    enum { ROWS = sizeof rows / sizeof *rows };
    struct fixture *fixture = *state;
    char sql[300];

    add_message(fixture);
    add_refusal(fixture, "bob@there.test", 1, 0);
    add_refusal(fixture, "carol@there.test", 1, 0);
    LOAD(STORE_YES);
    forget_records(fixture);
    add_refusal(fixture, "bob@there.test", 2, mail);
    LOAD(STORE_YES);
    for (size_t row = 0; row < 2 * ROWS; row++) {
        if (row == ROWS)
            add_mails_of_alice(fixture);
        snprintf(sql, sizeof sql, "select coalesce(string_agg(split_part(person, '@', 1) || ' ' || message %% 10,"
                 " ' ' order by batch desc, record desc), '') from spoor.feed_page('alice@example.com'%s)", rows[row % ROWS].arguments);
        CHECK_VALUE(sql, rows[row % ROWS].expected);
    }
    CHECK_VALUE("select count(*) from spoor.feed_page('sales@example.com')", "0");
}

static void roles_may_do_no_more_than_they_need(void **state)
{
    struct fixture *fixture = *state;

    use_role(fixture, "spoor_pixeld");
    assert_false(db_execute(fixture->db, "update spoor.spool_progress set position = 0", WAIT_MS));
    assert_false(db_execute(fixture->db, "select spoor.lease_node(gen_random_uuid(), 'x', 'y')", WAIT_MS));
    assert_false(db_execute(fixture->db, "select spoor.ensure_partitions(now() - interval '50 years', now())", WAIT_MS));
    assert_false(db_execute(fixture->db, "select spoor.move_progress(spool, position, 1000, 1, 1, 0)"
                            " from spoor.spool_progress where role = 'spoor_milter'", WAIT_MS));
    assert_string_equal(db_sqlstate(fixture->db), "42501");
    assert_false(db_execute(fixture->db, "select subject from spoor.message", WAIT_MS));
    assert_string_equal(db_sqlstate(fixture->db), "42501");
    assert_false(db_execute(fixture->db, "select * from spoor.feed", WAIT_MS));
    use_role(fixture, "spoor_milter");
    assert_false(db_execute(fixture->db, "select subject from spoor.message", WAIT_MS));
    assert_false(db_execute(fixture->db, "delete from spoor.event", WAIT_MS));
    use_role(fixture, "spoor_admin");
    assert_true(db_execute(fixture->db, "table spoor.feed; table spoor.message_report; table spoor.event_report;"
                           " table spoor.recipient_report", WAIT_MS));
}

/* An administrator who loads as somebody else must not be told that nothing is wrong. */
static void a_spool_of_another_role_is_refused(void **state)
{
    struct fixture *fixture = *state;
    const uint8_t identity[SPOOL_IDENTITY_BYTES] = {77};
    struct store_progress progress;

    assert_int_equal(store_progress(fixture->db, identity, "host", "test", &progress, WAIT_MS), STORE_NO);
    use_role(fixture, "spoor_pixeld");
    assert_false(db_execute(fixture->db, "select spoor.enter_spool('4d000000000000000000000000000000', 'h', 'p')", WAIT_MS));
    assert_string_equal(db_sqlstate(fixture->db), "42501");
    use_role(fixture, "postgres");
    assert_true(db_execute(fixture->db, "select spoor.enter_spool('4d000000000000000000000000000000', 'h', 'p')", WAIT_MS));
}

static void words_are_the_same_here_and_there(void **state)
{
    struct fixture *fixture = *state;
    char sql[200];

    for (enum answer_class class_ = ANSWER_NONE; class_ <= ANSWER_REPLY; class_++) {
        snprintf(sql, sizeof sql, "select spoor.event_kind_name('%c') || ' ' || '%s'::spoor.answer_class",
                 answer_class_letter(class_), answer_class_name(class_));
        value_of(fixture, sql);
        snprintf(sql, sizeof sql, "select spoor.event_kind_name('%c')", answer_class_letter(class_));
        CHECK_VALUE(sql, answer_class_name(class_));
    }
    for (enum hit_verdict verdict = VERDICT_UNKNOWN; verdict <= VERDICT_SELF; verdict++) {
        snprintf(sql, sizeof sql, "select spoor.verdict_name('%c')", hit_verdict_letter(verdict));
        CHECK_VALUE(sql, hit_verdict_name(verdict));
    }
    for (enum hit_kind kind = HIT_VIEW; kind <= HIT_CLICK; kind++) {
        snprintf(sql, sizeof sql, "select spoor.event_kind_name('%c')", hit_kind_letter(kind));
        CHECK_VALUE(sql, hit_kind_name(kind));
    }
}

/* But for those that nobody is told of. */
static void each_kind_of_event_has_words_for_people(void **state)
{
    struct fixture *fixture = *state;
    const char *at = value_of(fixture, "select string_agg(l || spoor.event_kind_name(l::\"char\") || ' ', '' order by n)"
                                       " from generate_series(33, 126) n, chr(n) l");
    char without[100] = "";

    for (; *at; at += strcspn(at, " ") + 1) {
        char what[20];
        const struct event_kind *kind;

        assert_int_equal(sscanf(at + 1, "%19s", what), 1);
        kind = event_kind_of(what);
        if (kind)
            assert_int_equal(kind->letter, *at);
        else
            snprintf(without + strlen(without), sizeof without - strlen(without), "%s ", what);
    }
    assert_string_equal(without, "none ");
}

static void everything_has_a_comment(void **state)
{
    struct fixture *fixture = *state;

    CHECK_VALUE("select string_agg(c.relname || '.' || coalesce(a.attname, ''), ' ') from pg_class c"
                " left join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped"
                " and not c.relispartition where c.relnamespace = 'spoor'::regnamespace and c.relkind in ('r', 'p', 'v')"
                " and (col_description(c.oid, a.attnum) is null and not c.relispartition or obj_description(c.oid) is null)",
                "null");
    CHECK_VALUE("select string_agg(p.proname, ' ') from pg_proc p where p.pronamespace = 'spoor'::regnamespace"
                " and obj_description(p.oid) is null", "null");
}

static void nodes_are_leased_once(void **state)
{
    struct fixture *fixture = *state;
    uint8_t identity[SPOOL_IDENTITY_BYTES] = {9};
    int first = -1;
    int again = -1;

    assert_int_equal(store_lease_node(fixture->db, identity, "host", "spoor-stamp", 0, &first, WAIT_MS), STORE_YES);
    assert_int_equal(store_lease_node(fixture->db, identity, "host", "spoor-stamp", 0, &again, WAIT_MS), STORE_YES);
    assert_int_equal(first, again);
    identity[0] = 10;
    assert_int_equal(store_lease_node(fixture->db, identity, "host", "spoor-stamp", 0, &again, WAIT_MS), STORE_YES);
    assert_int_not_equal(first, again);
    assert_int_equal(store_lease_node(fixture->db, identity, "host", "spoor-stamp", 1, &again, WAIT_MS), STORE_AWAY);
    assert_non_null(strstr(db_error(fixture->db), "there is no shard 1 yet"));
}

static void leased(struct fixture *fixture, uint8_t who, int expected)
{
    uint8_t identity[SPOOL_IDENTITY_BYTES] = {who, 1};
    int node = -1;

    assert_int_equal(store_lease_node(fixture->db, identity, "host", "spoor-stamp", 0, &node, WAIT_MS), STORE_YES);
    assert_int_equal(node, expected);
}

static void numbers_of_servers_that_there_are_not_are_leased_last(void **state)
{
    struct fixture *fixture = *state;

    use_role(fixture, "postgres");
    assert_true(db_execute(fixture->db, "insert into spoor.node select n, gen_random_uuid(), 'old', 'spoor-stamp' from generate_series(0, 126) n"
                                        " on conflict do nothing", WAIT_MS));
    leased(fixture, 21, 127);
    leased(fixture, 22, 1023);
    leased(fixture, 23, 1022);
    leased(fixture, 22, 1023);
    assert_false(db_execute(fixture->db, "select spoor.become_first(7)", WAIT_MS));
    assert_non_null(strstr(db_error(fixture->db), "whose numbers say shard 7"));
    assert_true(db_execute(fixture->db, "insert into spoor.server values (7)", WAIT_MS));
    leased(fixture, 24, 895);
    assert_true(db_execute(fixture->db, "delete from spoor.server; delete from spoor.node where host = 'old' or node > 126", WAIT_MS));
}

static void a_call_that_is_late_ends_by_its_deadline(void **state)
{
    struct fixture *fixture = *state;
    int64_t start_ms = clock_monotonic_ms();

    assert_false(db_execute(fixture->db, "select pg_sleep(30)", 200));
    assert_true(clock_monotonic_ms() - start_ms < 5000);
    assert_string_equal(db_sqlstate(fixture->db), "");
    assert_true(!db_connect(fixture->db, WAIT_MS) || clock_monotonic_ms() - start_ms >= 200 + 100); /* the backoff */
    usleep(WAIT_AGAIN_US);
    assert_true(db_connect(fixture->db, WAIT_MS));
    assert_true(db_execute(fixture->db, "select 1", WAIT_MS));
}

/* One that does not answer neither keeps another's answer from us nor costs more than the time there is. */
static void of_several_servers_each_is_heard(void **state)
{
    static const struct db_statement slow = {"slow", "select pg_sleep(30)", 0}, quick = {"quick", "select $1::integer + 1", 1},
                                     wrong = {"wrong", "select 1 / 0", 0};
    const char *const values[] = {"41"};
    struct db *asked[4] = {NULL};
    int64_t start_ms = clock_monotonic_ms();
    struct db_result *result;

    (void)state;
    for (size_t n = 0; n < 3; n++) {
        asked[n] = db_new(postgres_as("spoor_milter"), "test");
        assert_true(db_connect(asked[n], WAIT_MS));
    }
    for (int again = 0; again < 2; again++) {
        assert_true(db_send(asked[0], &slow, NULL));
        assert_true(db_send(asked[1], &quick, values));
        assert_true(db_send(asked[2], &wrong, NULL));
        db_await(asked + 1, 2, WAIT_MS, WAIT_MS); /* so that both have answered, however busy the machine is */
        db_await(asked, 4, WAIT_MS, 500);
        assert_null(db_receive(asked[0], &slow));
        assert_string_equal(db_error(asked[0]), "the database did not answer in time");
        assert_false(db_stands(asked[0]));
        result = db_receive(asked[1], &quick);
        assert_non_null(result);
        assert_int_equal(db_integer(result, 0, 0), 42);
        db_result_free(result);
        assert_null(db_receive(asked[2], &wrong));
        assert_string_equal(db_sqlstate(asked[2]), "22012");
        assert_true(db_stands(asked[2]));
        result = db_ask(asked[1], &quick, values, WAIT_MS); /* prepares it: the second time it is sent so */
        assert_non_null(result);
        db_result_free(result);
        usleep(WAIT_AGAIN_US);
        assert_true(again || db_connect(asked[0], WAIT_MS));
    }
    assert_true(clock_monotonic_ms() - start_ms < WAIT_MS);
    assert_false(db_send(asked[0], &slow, NULL));
    assert_null(db_receive(asked[0], &slow));
    for (size_t n = 0; n < 3; n++)
        db_free(asked[n]);
}

static void *end_soon(void *arg)
{
    usleep(100000);
    db_end_by(arg, 100);
    return NULL;
}

static void a_call_ends_early_when_the_program_does(void **state)
{
    struct fixture *fixture = *state;
    int64_t start_ms = clock_monotonic_ms();
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, end_soon, fixture->db), 0);
    assert_false(db_execute(fixture->db, "select pg_sleep(30)", WAIT_MS));
    assert_true(clock_monotonic_ms() - start_ms < 5000);
    pthread_join(thread, NULL);
}

struct lent {
    struct db_pool *pool;
    struct db *db;
};

static void *give_soon(void *arg)
{
    struct lent *lent = arg;

    usleep(50000);
    db_pool_give(lent->pool, lent->db);
    return NULL;
}

static struct db *take_soon(struct db_pool *pool)
{
    struct db *db = NULL;

    for (int waited_ms = 0; !db && waited_ms < WAIT_MS; waited_ms += 10) {
        usleep(10000);
        db = db_pool_take(pool);
    }
    return db;
}

static void a_pool_lends_no_more_than_it_has(void **state)
{
    struct db_pool *pool = db_pool_new(postgres_as("spoor_milter"), 0, "test", 2, db_connect);
    struct db *one = take_soon(pool);
    struct db *two = take_soon(pool);
    struct lent lent = {pool, one};
    pthread_t giver;

    (void)state;
    assert_non_null(one);
    assert_non_null(two);
    assert_null(db_pool_take(pool));
    assert_null(db_pool_wait(pool, 20));
    assert_true(db_execute(one, "select 1", WAIT_MS));
    assert_int_equal(pthread_create(&giver, NULL, give_soon, &lent), 0);
    assert_ptr_equal(db_pool_wait(pool, WAIT_MS), one);
    pthread_join(giver, NULL);
    db_pool_give(pool, one);
    assert_ptr_equal(db_pool_take(pool), one);
    db_pool_give(pool, one);
    db_pool_give(pool, two);
    assert_int_equal(postgres_switch("--stop"), 0);
    assert_null(db_pool_take(pool)); /* they have ended, and nobody waits for new ones */
    assert_int_equal(postgres_switch("--start"), 0);
    one = take_soon(pool);
    assert_non_null(one);
    assert_true(db_execute(one, "select 1", WAIT_MS));
    db_pool_give(pool, one);
    db_pool_free(pool);
}

/* A resolver that answers late must not hold up who asks. */
static void a_pool_that_cannot_connect_lends_none_at_once(void **state)
{
    struct db_pool *pool = db_pool_new("host=nowhere.invalid", 0, "test", 1, db_connect);
    int64_t start_ms = clock_monotonic_ms();

    (void)state;
    assert_null(db_pool_take(pool));
    assert_true(clock_monotonic_ms() - start_ms < 2500); /* half of what an attempt may take */
    db_pool_free(pool);
    assert_true(clock_monotonic_ms() - start_ms < 5000);
}

static void a_notification_comes_with_each_batch(void **state)
{
    struct fixture *fixture = *state;
    char channel[64];

    value_of(fixture, "select 1");
    assert_true(db_execute(fixture->admin, "listen spoor_feed", WAIT_MS));
    assert_false(db_wait_notification(fixture->admin, 10, channel));
    add_hit(fixture, (struct record_hit){.recipient = 1});
    LOAD(STORE_YES);
    assert_true(db_wait_notification(fixture->admin, WAIT_MS, channel));
    assert_string_equal(channel, "spoor_feed");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_installations_at_once_agree),
        CASE(everything_of_a_batch_appears),
        CASE(a_connection_stands_only_where_the_schema_fits),
        CASE(a_connection_stands_only_to_the_server_it_is_for),
        CASE(ids_and_originals_are_found),
        CASE(an_answer_that_comes_twice_counts_once),
        CASE(a_campaign_ends_for_whom_the_answer_concerns),
        CASE(the_loaders_copy_of_an_admitted_mail_changes_nothing),
        CASE(a_mail_that_names_nobody_is_stopped_by_its_recipients_only),
        CASE(a_stop_may_be_loaded_before_its_mail),
        CASE(who_unsubscribes_gets_no_campaign_of_that_sender),
        CASE(what_was_taken_back_stays_so_when_it_comes_late),
        CASE(a_mail_unsubscribes_who_got_the_tracked_one),
        CASE(an_unsubscribe_may_be_loaded_before_its_mail),
        CASE(columns_of_a_later_release_do_no_harm),
        CASE(a_second_writer_changes_nothing),
        CASE(a_batch_without_events_has_no_times),
        CASE(a_bad_record_is_refused_and_can_be_set_aside),
        CASE(what_the_server_refuses_is_told_from_a_server_in_trouble),
        CASE(times_are_kept_within_reason),
        CASE(a_dropped_partition_comes_back),
        CASE(the_feed_leaves_out_what_nobody_did),
        CASE(the_feed_comes_in_pages),
        CASE(refusals_are_in_the_pages),
        CASE(hits_with_an_unknown_key_wait_apart),
        CASE(roles_may_do_no_more_than_they_need),
        CASE(a_spool_of_another_role_is_refused),
        CASE(words_are_the_same_here_and_there),
        CASE(each_kind_of_event_has_words_for_people),
        CASE(a_bounce_says_about_whom_and_with_what_effect),
        CASE(a_refusal_is_one_event_a_mail_and_person),
        CASE(everything_has_a_comment),
        CASE(nodes_are_leased_once),
        CASE(numbers_of_servers_that_there_are_not_are_leased_last),
        CASE(a_call_that_is_late_ends_by_its_deadline),
        CASE(of_several_servers_each_is_heard),
        CASE(a_call_ends_early_when_the_program_does),
        CASE(a_pool_lends_no_more_than_it_has),
        CASE(a_pool_that_cannot_connect_lends_none_at_once),
        CASE(a_notification_comes_with_each_batch),
    };

    (void)argc;
    postgres_begin(argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
