/* SPDX-License-Identifier: BSD-2-Clause */
/* from the spool into a real PostgreSQL, exactly once, whatever happens in between */

#include "common/clock.h"
#include "common/forgotten_list.h"
#include "common/loader.h"
#include "common/log.h"
#include "common/record.h"
#include "common/store.h"
#include "tests/unit/postgres.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>

#include <cmocka.h>

enum { WAIT_MS = 100000, TRIES = 2000, TRY_US = 50000 };

struct fixture {
    char folder[200];
    struct spool *spool;
    struct loader *loader;
    int node;
    uint64_t next; /* message number of the next record */
    int load_ms;
    const char *role;
    struct keys *keys;
};

/* Asks as the administrator, on a connection of its own. */
static long number_of(const char *sql)
{
    struct db *db = db_new(getenv("SPOOR_TEST_DATABASE"), "test");
    const struct db_statement statement = {"", sql, 0};
    struct db_result *result = NULL;
    long number = -1;

    if (db_connect(db, WAIT_MS))
        result = db_ask(db, &statement, NULL, WAIT_MS);
    if (!result)
        fail_msg("%s: %s", sql, db_error(db));
    else if (db_rows(result) && db_value(result, 0, 0))
        number = atol(db_value(result, 0, 0));
    db_result_free(result);
    db_free(db);
    return number;
}

static void execute(const char *sql)
{
    struct db *db = db_new(getenv("SPOOR_TEST_DATABASE"), "test");

    assert_true(db_connect(db, WAIT_MS));
    if (!db_execute(db, sql, WAIT_MS))
        fail_msg("%s: %s", sql, db_error(db));
    db_free(db);
}

static void wait_for(const char *sql, long expected)
{
    for (int n = 0; n < TRIES; n++) {
        if (number_of(sql) == expected)
            return;
        usleep(TRY_US);
    }
    fail_msg("%s: %ld, not %ld", sql, number_of(sql), expected);
}

static struct spool *open_spool(const char *folder)
{
    const struct spool_options options = {.directory = folder, .segment_bytes = 65536, .max_bytes = 64 * 1024 * 1024,
                                          .keep_s = 3600};
    struct buf warning;
    struct buf error;
    struct spool *spool;

    buf_init(&warning, 4096);
    buf_init(&error, 4096);
    spool = spool_open(&options, &warning, &error);
    if (!spool)
        fail_msg("%s", buf_text(&error));
    buf_free(&warning);
    buf_free(&error);
    return spool;
}

static void append_bytes(struct fixture *fixture, uint8_t kind, struct slice payload)
{
    uint64_t end;

    assert_int_equal(spool_append(fixture->spool, kind, 1, payload, &end), SPOOL_OK);
}

static void append_hits(struct fixture *fixture, int count)
{
    struct buf payload;

    buf_init(&payload, 4096);
    for (int n = 0; n < count; n++) {
        struct record_hit hit = {.kind = HIT_VIEW, .message = fixture->next++, .recipient = 1, .time_us = clock_wall_us(),
                                 .user_agent = slice_str(n % 2 ? "Mozilla" : "Opera"), .reason = slice_str("test")};

        buf_reset(&payload);
        assert_true(record_hit_encode(&hit, &payload));
        append_bytes(fixture, RECORD_HIT, buf_slice(&payload));
    }
    assert_int_equal(spool_sync(fixture->spool, spool_end(fixture->spool)), SPOOL_OK);
    buf_free(&payload);
}

static void note_node(void *arg, int node)
{
    ((struct fixture *)arg)->node = node;
}

static void start_loader(struct fixture *fixture)
{
    const struct loader_options options = {.conninfo = postgres_as(fixture->role), .program = "test", .host = "host",
                                           .want_node = strcmp(fixture->role, "spoor_milter") == 0, .node_known = note_node, .arg = fixture,
                                           .load_ms = fixture->load_ms, .keys = fixture->keys};
    struct buf error;

    buf_init(&error, 1000);
    fixture->loader = loader_start(fixture->spool, &options, &error);
    assert_non_null(fixture->loader);
    buf_free(&error);
}

static void stop_loader(struct fixture *fixture)
{
    loader_stop(fixture->loader, WAIT_MS);
    fixture->loader = NULL;
}

static void wait_for_lag(struct fixture *fixture)
{
    for (int n = 0; n < TRIES && loader_state(fixture->loader).lag_s <= 0; n++)
        usleep(TRY_US);
    assert_true(loader_state(fixture->loader).lag_s > 0);
}

static void close_spool(struct fixture *fixture)
{
    spool_close(fixture->spool, NULL);
    fixture->spool = NULL;
}

static void check_exactly_once(const struct fixture *fixture)
{
    assert_int_equal(number_of("select count(*) from spoor.event"), fixture->next - 1);
    assert_int_equal(number_of("select count(distinct message) from spoor.event"), fixture->next - 1);
    assert_int_equal(number_of("select max(message) from spoor.event"), fixture->next - 1);
}

static int set_up(void **state)
{
    static int number;
    struct fixture *fixture = calloc(1, sizeof *fixture);

    assert_non_null(fixture);
    *state = fixture;
    fixture->next = 1;
    fixture->node = -1;
    fixture->role = "spoor_pixeld";
    snprintf(fixture->folder, sizeof fixture->folder, "%s/spool-%d", getenv("SPOOR_TEST_FOLDER"), number++);
    execute("truncate spoor.event, spoor.batch, spoor.rejected, spoor.spool_progress, spoor.node, spoor.node_key, spoor.used_key");
    fixture->spool = open_spool(fixture->folder);
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    loader_stop(fixture->loader, WAIT_MS);
    if (fixture->spool)
        spool_close(fixture->spool, NULL);
    keys_free(fixture->keys);
    free(fixture);
    return 0;
}

static int install(void **state)
{
    (void)state;
    log_set_level(LOG_EMERG); /* what these tests provoke would drown their own words */
    return postgres_schema("install");
}

/* cases */

static void what_is_appended_arrives_by_itself_and_at_the_end(void **state)
{
    struct fixture *fixture = *state;
    struct loader_state seen;

    fixture->role = "spoor_milter";
    start_loader(fixture);
    append_hits(fixture, 3);
    wait_for("select count(*) from spoor.event", 3);
    append_hits(fixture, 25000);
    stop_loader(fixture);
    check_exactly_once(fixture);
    assert_int_equal(fixture->node, 0);
    assert_int_equal(number_of("select count(*) from spoor.agent where name in ('Mozilla', 'Opera')"), 2);
    assert_int_equal(number_of("select count(*) from spoor.batch b join spoor.event e on e.spool = b.spool"
                               " and e.record between b.first_record and b.last_record"), fixture->next - 1);
    start_loader(fixture);
    for (int n = 0; n < TRIES && !loader_state(fixture->loader).connected; n++)
        usleep(TRY_US);
    seen = loader_state(fixture->loader);
    assert_true(seen.connected);
    assert_int_equal(seen.waiting, 0);
    assert_true(seen.lag_s == 0);
}

static void a_bad_record_is_set_aside_and_the_rest_goes_in(void **state)
{
    struct fixture *fixture = *state;

    append_hits(fixture, 700);
    append_bytes(fixture, RECORD_HIT, slice_str("?"));
    append_hits(fixture, 300);
    start_loader(fixture);
    wait_for("select count(*) from spoor.event", 1000);
    assert_int_equal(loader_state(fixture->loader).rejected, 1);
    stop_loader(fixture);
    check_exactly_once(fixture);
    assert_int_equal(number_of("select count(*) from spoor.rejected where payload = '?'"), 1);
}

/* Two full batches and no more: the second is read while the database has the first. */
static void what_is_read_ahead_comes_once_and_is_released(void **state)
{
    struct fixture *fixture = *state;
    int tries = 0;

    append_hits(fixture, 10000);
    append_bytes(fixture, RECORD_HIT, slice_str("?"));
    append_hits(fixture, 9999);
    start_loader(fixture);
    wait_for("select count(*) from spoor.event", 19999);
    while (spool_loaded(fixture->spool) != spool_end(fixture->spool)) {
        assert_true(tries++ < TRIES);
        usleep(TRY_US);
    }
    assert_int_equal(loader_state(fixture->loader).rejected, 1);
    append_hits(fixture, 1);
    wait_for("select count(*) from spoor.event", 20000);
    stop_loader(fixture);
    check_exactly_once(fixture);
}

static void a_database_may_go_and_come_back(void **state)
{
    struct fixture *fixture = *state;

    start_loader(fixture);
    append_hits(fixture, 10);
    wait_for("select count(*) from spoor.event", 10);
    assert_int_equal(postgres_switch("--stop"), 0);
    append_hits(fixture, 5000);
    for (int n = 0; n < TRIES && loader_state(fixture->loader).connected; n++)
        usleep(TRY_US);
    assert_false(loader_state(fixture->loader).connected);
    assert_true(loader_state(fixture->loader).waiting > 0);
    wait_for_lag(fixture);
    assert_int_equal(postgres_switch("--start"), 0);
    wait_for("select count(*) from spoor.event", 5010);
    stop_loader(fixture);
    check_exactly_once(fixture);
}

static void a_stop_without_a_database_is_quick(void **state)
{
    struct fixture *fixture = *state;
    int64_t start_ms;

    append_hits(fixture, 10);
    assert_int_equal(postgres_switch("--stop"), 0);
    start_loader(fixture);
    usleep(500000);
    start_ms = clock_monotonic_ms();
    stop_loader(fixture);
    assert_true(clock_monotonic_ms() - start_ms < WAIT_MS / 2); /* of the time that it may take */
    assert_int_equal(postgres_switch("--start"), 0);
    start_loader(fixture);
    stop_loader(fixture);
    check_exactly_once(fixture);
}

/* A child loads and is killed at some moment; the next one goes on. */
static void a_killed_loader_loses_and_doubles_nothing(void **state)
{
    struct fixture *fixture = *state;

    for (useconds_t round = 0; round < 6; round++) {
        pid_t child;

        append_hits(fixture, 12000);
        close_spool(fixture);
        fflush(NULL);
        child = fork();
        if (child == 0) {
            fixture->spool = open_spool(fixture->folder);
            start_loader(fixture);
            pause();
        }
        usleep(20000 + round * 15000);
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, NULL, 0), child);
        fixture->spool = open_spool(fixture->folder);
    }
    start_loader(fixture);
    stop_loader(fixture);
    check_exactly_once(fixture);
}

static void a_database_set_back_gets_it_again(void **state)
{
    struct fixture *fixture = *state;

    append_hits(fixture, 500);
    start_loader(fixture);
    wait_for("select count(*) from spoor.event", 500);
    execute("create table kept as table spoor.event; create table progress as table spoor.spool_progress");
    append_hits(fixture, 700);
    stop_loader(fixture);
    execute("truncate spoor.event; insert into spoor.event table kept; delete from spoor.spool_progress;"
            " insert into spoor.spool_progress overriding system value table progress; drop table kept, progress");
    start_loader(fixture);
    stop_loader(fixture);
    check_exactly_once(fixture);
}

/* As a restore that renames databases does, while nothing happens that would make the loader ask. */
static void a_database_set_back_gets_it_again_from_an_idle_loader(void **state)
{
    struct fixture *fixture = *state;

    start_loader(fixture);
    append_hits(fixture, 500);
    wait_for("select count(*) from spoor.event", 500);
    execute("truncate spoor.event; delete from spoor.spool_progress;"
            " select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'test' and pid <> pg_backend_pid()");
    wait_for("select count(*) from spoor.event", 500);
    stop_loader(fixture);
    check_exactly_once(fixture);
}

static void a_spool_set_back_gets_a_new_identity(void **state)
{
    struct fixture *fixture = *state;

    append_hits(fixture, 100);
    start_loader(fixture);
    stop_loader(fixture);
    check_exactly_once(fixture);
    execute("update spoor.spool_progress set position = position + 640000");
    append_hits(fixture, 50);
    start_loader(fixture);
    stop_loader(fixture);
    check_exactly_once(fixture);
    assert_int_equal(number_of("select count(*) from spoor.spool_progress"), 2);
}

static void a_copied_folder_brings_nothing_twice(void **state)
{
    struct fixture *fixture = *state;
    char command[1000];
    char copy[300];

    append_hits(fixture, 300);
    start_loader(fixture);
    wait_for("select count(*) from spoor.event", 300);
    stop_loader(fixture);
    append_hits(fixture, 200);
    close_spool(fixture);
    snprintf(copy, sizeof copy, "%s-copy", fixture->folder);
    snprintf(command, sizeof command, "cp -r '%s' '%s'", fixture->folder, copy);
    assert_int_equal(system(command), 0);
    fixture->spool = open_spool(copy);
    append_hits(fixture, 20);
    start_loader(fixture);
    wait_for("select count(*) from spoor.event", 520);
    stop_loader(fixture);
    close_spool(fixture);
    fixture->spool = open_spool(fixture->folder);
    append_hits(fixture, 10);
    start_loader(fixture);
    stop_loader(fixture);
    check_exactly_once(fixture);
}

/* What SQL and files do together: the oldest segments have expired, then the database is restored to before them. */
static void lose_segments(struct fixture *fixture, int count)
{
    char path[300];

    for (unsigned long start = 0; count--; start += 65536) {
        snprintf(path, sizeof path, "%s/%016lx.segment", fixture->folder, start);
        assert_int_equal(unlink(path), 0);
    }
}

/* The lines that the loader logs from its start to its stop and that hold WORDS. */
static int lines_logged(struct fixture *fixture, const char *words)
{
    char command[600];
    char path[300];
    int kept = dup(STDERR_FILENO);
    int file;
    int lines;
    FILE *found;

    snprintf(path, sizeof path, "%s.log", fixture->folder);
    file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    assert_true(file >= 0 && kept >= 0);
    dup2(file, STDERR_FILENO);
    log_set_level(LOG_INFO);
    start_loader(fixture);
    stop_loader(fixture);
    log_set_level(LOG_EMERG);
    dup2(kept, STDERR_FILENO);
    close(file);
    close(kept);
    snprintf(command, sizeof command, "grep -c '%s' '%s'", words, path);
    found = popen(command, "r");
    assert_non_null(found);
    assert_int_equal(fscanf(found, "%d", &lines), 1);
    pclose(found);
    return lines;
}

static void what_a_restored_database_cannot_get_again_is_said(void **state)
{
    struct fixture *fixture = *state;

    append_hits(fixture, 3000);
    start_loader(fixture);
    stop_loader(fixture);
    close_spool(fixture);
    lose_segments(fixture, 2);
    fixture->spool = open_spool(fixture->folder);
    assert_int_equal(lines_logged(fixture, "is lost"), 0);
    execute("delete from spoor.event where record > 2000;"
            " update spoor.spool_progress set position = 2064, record = 2000");
    assert_int_equal(lines_logged(fixture, "is lost"), 1);
    assert_int_equal(lines_logged(fixture, "is lost"), 0);
}

static void why_a_record_cannot_be_set_aside_is_said(void **state)
{
    struct fixture *fixture = *state;

    append_bytes(fixture, RECORD_HIT, slice_str("?"));
    assert_int_equal(spool_sync(fixture->spool, spool_end(fixture->spool)), SPOOL_OK);
    execute("alter table spoor.rejected add constraint never check (reason = '')");
    assert_int_equal(lines_logged(fixture, "cannot write to the database: new row .* violates check constraint"), 1);
    execute("alter table spoor.rejected drop constraint never");
    /* that somebody was forgotten meanwhile is no fault of the database */
    execute("alter function spoor.join_load rename to join_load_now;"
            " create function spoor.join_load(known bigint) returns boolean language sql as 'select false'");
    assert_int_equal(lines_logged(fixture, "cannot write"), 0);
    execute("drop function spoor.join_load; alter function spoor.join_load_now rename to join_load");
    assert_int_equal(number_of("select count(*) from spoor.rejected"), 0);
    assert_int_equal(lines_logged(fixture, "cannot write"), 0);
    assert_int_equal(number_of("select count(*) from spoor.rejected"), 1);
}

static void only_a_database_that_forgot_somebody_is_told_again(void **state)
{
    struct fixture *fixture = *state;

    execute("select spoor.forget('alice@example.net')");
    assert_int_equal(lines_logged(fixture, "no longer knows all"), 0);
    execute("select spoor.remember('alice@example.net')");
    assert_int_equal(lines_logged(fixture, "no longer knows all"), 0);
    execute("select spoor.forget('bob@example.net')");
    assert_int_equal(lines_logged(fixture, "no longer knows all"), 0);
    execute("delete from spoor.forgotten where remembered_at is null");
    assert_int_equal(lines_logged(fixture, "no longer knows all"), 1);
    assert_int_equal(number_of("select count(*) from spoor.forgotten where remembered_at is null"), 1);
    assert_int_equal(lines_logged(fixture, "no longer knows all"), 0);
    execute("select spoor.remember('bob@example.net')");
    assert_int_equal(lines_logged(fixture, "no longer knows all"), 0);
}

static void note_epoch(void *epoch, int64_t now)
{
    atomic_store((atomic_llong *)epoch, now);
}

/* Of somebody new each batch asks; of an epoch none does. */
static void an_epoch_that_begins_is_learned_while_no_batch_is_empty(void **state)
{
    static atomic_llong epoch;
    struct fixture *fixture = *state;
    int tries = 0;
    long before;

    forgotten_list_tell(note_epoch, &epoch);
    append_hits(fixture, 1);
    start_loader(fixture);
    wait_for("select count(*) from spoor.event", 1);
    before = atomic_load(&epoch);
    assert_int_equal(before, number_of("select number from spoor.cache_epoch"));
    execute("select spoor.begin_epoch()");
    while (atomic_load(&epoch) == before) {
        assert_true(tries++ < TRIES);
        append_hits(fixture, 1);
        usleep(TRY_US);
    }
    assert_int_equal(atomic_load(&epoch), number_of("select number from spoor.cache_epoch"));
    stop_loader(fixture);
    check_exactly_once(fixture);
}

static void nothing_waits_after_a_restart_without_a_database(void **state)
{
    struct fixture *fixture = *state;

    append_hits(fixture, 1000);
    start_loader(fixture);
    stop_loader(fixture);
    close_spool(fixture);
    assert_int_equal(postgres_switch("--stop"), 0);
    fixture->spool = open_spool(fixture->folder);
    start_loader(fixture);
    usleep(300000);
    assert_int_equal(loader_state(fixture->loader).waiting, 0);
    assert_true(loader_state(fixture->loader).lag_s == 0);
    append_hits(fixture, 1);
    assert_true(loader_state(fixture->loader).waiting > 0);
    assert_int_equal(postgres_switch("--start"), 0);
    wait_for("select count(*) from spoor.event", 1001);
    stop_loader(fixture);
    check_exactly_once(fixture);
}

/* The database's own trouble is no record's fault. */
static void a_question_that_fails_rejects_nothing(void **state)
{
    struct fixture *fixture = *state;

    execute("alter table spoor.retention drop constraint retention_events_check;"
            " update spoor.retention set events = '300000 years'");
    append_hits(fixture, 300);
    start_loader(fixture);
    usleep(500000);
    execute("update spoor.retention set events = '5 years'; alter table spoor.retention"
            " add constraint retention_events_check check (events between '1 day' and '99 years')");
    stop_loader(fixture);
    assert_int_equal(number_of("select count(*) from spoor.rejected"), 0);
    start_loader(fixture);
    stop_loader(fixture);
    check_exactly_once(fixture);
}

static void a_batch_too_slow_for_its_time_gets_smaller(void **state)
{
    struct fixture *fixture = *state;

    execute("create function slow() returns trigger language plpgsql as"
            " 'begin perform pg_sleep(0.005); return new; end';"
            " create trigger slow before insert on spoor.event for each row execute function slow()");
    append_hits(fixture, 400);
    fixture->load_ms = 500;
    start_loader(fixture);
    wait_for("select count(*) from spoor.event", 400);
    execute("drop trigger slow on spoor.event; drop function slow");
    stop_loader(fixture);
    check_exactly_once(fixture);
    assert_true(number_of("select max(records) from spoor.batch") < 100);
}

static void a_milter_loads_mails_and_answers(void **state)
{
    struct fixture *fixture = *state;
    struct record_recipient recipient = {slice_str("bob@there.test"), 7};
    struct record_message message = {.id = 5, .time_us = clock_wall_us(), .level = LEVEL_INDIVIDUAL, .pixels = 1,
                                     .owner = slice_str("alice@example.com"), .sender = slice_str("alice@example.com"),
                                     .recipient = &recipient, .recipients = 1};
    struct record_answer answer = {.message = 5, .recipient = 7, .time_us = clock_wall_us(), .class_ = ANSWER_REPLY,
                                   .rung = RUNG_REFERENCES, .confidence = CONFIDENCE_HIGH,
                                   .answerer = ANSWERER_RECIPIENT, .from = slice_str("bob@there.test")};
    struct record_copy copies[] = {{.message = 5, .recipient = recipient},
                                   {.message = 5, .recipient = {slice_str("archive@there.test"), 8}}};
    struct buf payload;

    buf_init(&payload, 4096);
    for (size_t at = 0; at < 2; at++) { /* from another spool they may come before the mail itself */
        buf_reset(&payload);
        assert_true(record_copy_encode(&copies[at], &payload));
        append_bytes(fixture, RECORD_COPY, buf_slice(&payload));
    }
    buf_reset(&payload);
    assert_true(record_message_encode(&message, &payload));
    append_bytes(fixture, RECORD_MESSAGE, buf_slice(&payload));
    buf_reset(&payload);
    assert_true(record_answer_encode(&answer, &payload));
    append_bytes(fixture, RECORD_ANSWER, buf_slice(&payload));
    append_bytes(fixture, RECORD_ANSWER, buf_slice(&payload)); /* arrived twice */
    buf_free(&payload);
    assert_int_equal(spool_sync(fixture->spool, spool_end(fixture->spool)), SPOOL_OK);
    fixture->role = "spoor_milter";
    start_loader(fixture);
    stop_loader(fixture);
    assert_int_equal(number_of("select count(*) from spoor.rejected"), 0);
    assert_int_equal(number_of("select count(*) from spoor.answer"), 1);
    assert_int_equal(number_of("select count(*) from spoor.feed where what = 'reply' and person = 'bob@there.test'"), 1);
    assert_int_equal(number_of("select records from spoor.batch"), 5);
    assert_int_equal(number_of("select count(*) from spoor.recipient where message = 5"), 2);
    execute("truncate spoor.message, spoor.recipient, spoor.answer");
}

/* All loaders share the batch's lock: whoever takes it must not be able to stop before the commit. */
static void the_shared_lock_is_taken_together_with_the_commit(void **state)
{
    struct fixture *fixture = *state;

    execute("create table public.seen (query text, idle text); grant insert on public.seen to public;"
            " create function public.look() returns trigger language plpgsql as $$ begin insert into public.seen"
            " values (current_query(), current_setting('idle_in_transaction_session_timeout')); return new; end $$;"
            " create trigger look before insert on spoor.batch for each row execute function public.look()");
    append_hits(fixture, 1);
    start_loader(fixture);
    stop_loader(fixture);
    assert_int_equal(number_of("select count(*) from public.seen where query like '%; commit' and idle = '30s'"), 1);
    execute("drop trigger look on spoor.batch; drop function public.look; drop table public.seen");
}

static enum loader_start first_verdict(struct fixture *fixture, struct buf *why)
{
    int64_t start_ms = clock_monotonic_ms();
    enum loader_start start;

    start_loader(fixture);
    start = loader_wait_start(fixture->loader, WAIT_MS, why);
    assert_true(clock_monotonic_ms() - start_ms < WAIT_MS / 2); /* of the time that it may take */
    stop_loader(fixture);
    return start;
}

static void a_start_learns_at_once_whether_the_schema_fits(void **state)
{
    struct fixture *fixture = *state;
    struct buf why;

    buf_init(&why, 1000);
    assert_int_equal(first_verdict(fixture, &why), LOADER_READY);
    execute("update spoor.schema set version = version - 1");
    assert_int_equal(first_verdict(fixture, &why), LOADER_UNFIT);
    assert_non_null(strstr(buf_text(&why), "spoorctl schema upgrade"));
    execute("update spoor.schema set version = version + 1");
    assert_int_equal(postgres_switch("--stop"), 0);
    assert_int_equal(first_verdict(fixture, &why), LOADER_AWAY);
    assert_int_equal(postgres_switch("--start"), 0);
    buf_free(&why);
}

/* The lag is that of the oldest record, not of this process. */
static void what_waits_for_a_schema_lags(void **state)
{
    struct fixture *fixture = *state;
    const struct record_hit hit = {.kind = HIT_VIEW, .message = 1, .time_us = clock_wall_us() - 3600 * (int64_t)1000000};
    struct buf payload;

    buf_init(&payload, 1000);
    assert_true(record_hit_encode(&hit, &payload));
    append_bytes(fixture, RECORD_HIT, buf_slice(&payload));
    buf_free(&payload);
    append_hits(fixture, 5);
    execute("update spoor.schema set version = version - 1");
    start_loader(fixture);
    wait_for_lag(fixture);
    assert_true(loader_state(fixture->loader).lag_s >= 3600);
    stop_loader(fixture);
    execute("update spoor.schema set version = version + 1");
}

/* One bit of the record at POSITION, in whichever segment holds it. */
static void flip_bit(const struct fixture *fixture, long position)
{
    char path[300];
    int file;
    uint8_t byte;

    snprintf(path, sizeof path, "%s/%016lx.segment", fixture->folder, (unsigned long)position / 65536 * 65536);
    file = open(path, O_RDWR);
    assert_true(file >= 0);
    assert_int_equal(pread(file, &byte, 1, position % 65536 + 20), 1);
    byte ^= 1;
    assert_int_equal(pwrite(file, &byte, 1, position % 65536 + 20), 1);
    close(file);
}

static void a_flipped_bit_in_the_last_record_loaded_costs_nothing_else(void **state)
{
    struct fixture *fixture = *state;

    append_hits(fixture, 500);
    start_loader(fixture);
    stop_loader(fixture);
    append_hits(fixture, 8000);
    close_spool(fixture);
    flip_bit(fixture, number_of("select record from spoor.spool_progress"));
    fixture->spool = open_spool(fixture->folder);
    append_hits(fixture, 10);
    start_loader(fixture);
    stop_loader(fixture);
    check_exactly_once(fixture);
    assert_int_equal(number_of("select count(*) from spoor.spool_progress"), 1);
}

/* As a snapshot of a virtual machine does it: the files stay the same files. */
static void set_folder_back(const struct fixture *fixture, const char *copy)
{
    char command[1000];

    snprintf(command, sizeof command, "cd '%s' && for f in *; do cat $f > '%s'/$f; done", copy, fixture->folder);
    assert_int_equal(system(command), 0);
}

static void set_back_and_restarted(struct fixture *fixture, int waiting)
{
    char command[1000];
    char copy[300];

    append_hits(fixture, 100);
    start_loader(fixture);
    stop_loader(fixture);
    append_hits(fixture, waiting);
    close_spool(fixture);
    snprintf(copy, sizeof copy, "%s-copy", fixture->folder);
    snprintf(command, sizeof command, "cp -a '%s' '%s'", fixture->folder, copy);
    assert_int_equal(system(command), 0);
    fixture->spool = open_spool(fixture->folder);
    append_hits(fixture, 200);
    start_loader(fixture);
    stop_loader(fixture);
    close_spool(fixture);
    set_folder_back(fixture, copy);
    fixture->spool = open_spool(fixture->folder);
    append_hits(fixture, 50);
    close_spool(fixture);
    fixture->spool = open_spool(fixture->folder);
    start_loader(fixture);
    stop_loader(fixture);
}

static void a_spool_set_back_loses_nothing_over_a_restart(void **state)
{
    struct fixture *fixture = *state;

    set_back_and_restarted(fixture, 0);
    check_exactly_once(fixture);
    assert_int_equal(number_of("select count(*) from spoor.spool_progress"), 2);
}

/* What waited when the folder was copied has been loaded by its other life: twice rather than never. */
static void what_waited_in_a_spool_set_back_may_come_twice(void **state)
{
    struct fixture *fixture = *state;

    set_back_and_restarted(fixture, 7);
    assert_int_equal(number_of("select count(distinct message) from spoor.event"), fixture->next - 1);
    assert_int_equal(number_of("select count(*) from spoor.event"), fixture->next - 1 + 7);
}

/* What was loaded under an identity that the folder has given up since is still in the folder. */
static void a_database_set_back_to_before_a_new_identity_gets_it_again(void **state)
{
    struct fixture *fixture = *state;

    append_hits(fixture, 100);
    start_loader(fixture);
    stop_loader(fixture);
    execute("create table kept as table spoor.event; create table progress as table spoor.spool_progress");
    append_hits(fixture, 70);
    start_loader(fixture);
    stop_loader(fixture);
    execute("update spoor.spool_progress set position = position + 640000");
    append_hits(fixture, 50);
    start_loader(fixture);
    stop_loader(fixture);
    check_exactly_once(fixture);
    execute("truncate spoor.event; insert into spoor.event table kept; delete from spoor.spool_progress;"
            " insert into spoor.spool_progress overriding system value table progress; drop table kept, progress");
    append_hits(fixture, 10);
    start_loader(fixture);
    stop_loader(fixture);
    check_exactly_once(fixture);
    start_loader(fixture);
    stop_loader(fixture);
    check_exactly_once(fixture);
}

static void an_unknown_kind_stops_the_loader(void **state)
{
    struct fixture *fixture = *state;

    append_hits(fixture, 5);
    append_bytes(fixture, 200, slice_str("from the future"));
    append_hits(fixture, 5);
    start_loader(fixture);
    wait_for("select count(*) from spoor.event", 5);
    wait_for_lag(fixture); /* so that whoever watches learns of it */
    assert_true(loader_state(fixture->loader).waiting > 0);
    stop_loader(fixture);
    assert_int_equal(number_of("select count(*) from spoor.event"), 5);
    assert_int_equal(number_of("select count(*) from spoor.rejected"), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#define HEX "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define KEYS_OLD "address " HEX "\nkey 1 " HEX " signs\n"
#define KEYS_NEW "address " HEX "\nkey 1 " HEX " revoked\nkey 7 " HEX " signs\n"

static void write_keys(const struct fixture *fixture, const char *text)
{
    char path[300];
    int file;

    snprintf(path, sizeof path, "%s/keys", fixture->folder);
    file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_int_equal(write(file, text, strlen(text)), strlen(text));
    assert_int_equal(close(file), 0);
}

static void load_keys(struct fixture *fixture)
{
    char path[300];
    struct buf error;

    snprintf(path, sizeof path, "%s/keys", fixture->folder);
    buf_init(&error, 1000);
    if (fixture->keys)
        assert_true(keys_reload(fixture->keys, &error));
    else
        fixture->keys = keys_load(path, &error);
    assert_non_null(fixture->keys);
    buf_free(&error);
}

static void the_keys_that_are_here_are_told(void **state)
{
    static const char told_new[] = "select count(*) from spoor.node_key where (key, state) in ((1, 'revoked'), (7, 'signs'))";
    struct fixture *fixture = *state;

    write_keys(fixture, KEYS_OLD);
    load_keys(fixture);
    start_loader(fixture);
    wait_for("select count(*) from spoor.node_key where key = 1 and state = 'signs'", 1);
    write_keys(fixture, KEYS_NEW);
    load_keys(fixture);
    wait_for(told_new, 2);
    assert_int_equal(number_of("select count(distinct fingerprint) from spoor.node_key"), 1);
    /* a database that was set back is told again, and while it is away nobody waits */
    execute("truncate spoor.node_key");
    assert_int_equal(postgres_switch("--stop"), 0);
    assert_int_equal(postgres_switch("--start"), 0);
    wait_for(told_new, 2);
    assert_int_equal(number_of("select count(*) from spoor.used_key"), 2);
}

static void what_cannot_be_told_holds_no_record_up(void **state)
{
    struct fixture *fixture = *state;

    write_keys(fixture, KEYS_OLD);
    load_keys(fixture);
    execute("alter function spoor.report_keys rename to report_no_keys");
    append_hits(fixture, 10);
    start_loader(fixture);
    wait_for("select count(*) from spoor.event", 10);
    append_hits(fixture, 10);
    wait_for("select count(*) from spoor.event", 20);
    execute("alter function spoor.report_no_keys rename to report_keys");
    stop_loader(fixture);
    assert_int_equal(number_of("select count(*) from spoor.node_key"), 0);
    start_loader(fixture);
    wait_for("select count(*) from spoor.node_key", 1);
    check_exactly_once(fixture);
}

/* All hosts that ever were have taken them; then one is given back. */
static void without_a_node_number_records_are_loaded(void **state)
{
    struct fixture *fixture = *state;

    fixture->role = "spoor_milter";
    fixture->node = -1;
    execute("delete from spoor.node; insert into spoor.node (node, identity, host, program)"
            " select n, gen_random_uuid(), 'gone', 'spoor-stamp' from generate_series(0, 1023) n");
    append_hits(fixture, 10);
    start_loader(fixture);
    wait_for("select count(*) from spoor.event", 10);
    append_hits(fixture, 10);
    wait_for("select count(*) from spoor.event", 20);
    execute("delete from spoor.node where node = 17");
    wait_for("select count(*) from spoor.node where node = 17 and host = 'host'", 1);
    stop_loader(fixture);
    assert_int_equal(fixture->node, 17);
    check_exactly_once(fixture);
    execute("delete from spoor.node");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        CASE(what_is_appended_arrives_by_itself_and_at_the_end),
        CASE(a_bad_record_is_set_aside_and_the_rest_goes_in),
        CASE(what_is_read_ahead_comes_once_and_is_released),
        CASE(a_database_may_go_and_come_back),
        CASE(a_stop_without_a_database_is_quick),
        CASE(a_killed_loader_loses_and_doubles_nothing),
        CASE(a_database_set_back_gets_it_again),
        CASE(a_database_set_back_gets_it_again_from_an_idle_loader),
        CASE(a_spool_set_back_gets_a_new_identity),
        CASE(a_copied_folder_brings_nothing_twice),
        CASE(what_a_restored_database_cannot_get_again_is_said),
        CASE(why_a_record_cannot_be_set_aside_is_said),
        CASE(an_epoch_that_begins_is_learned_while_no_batch_is_empty),
        CASE(nothing_waits_after_a_restart_without_a_database),
        CASE(a_question_that_fails_rejects_nothing),
        CASE(a_batch_too_slow_for_its_time_gets_smaller),
        CASE(a_milter_loads_mails_and_answers),
        CASE(the_shared_lock_is_taken_together_with_the_commit),
        CASE(a_start_learns_at_once_whether_the_schema_fits),
        CASE(what_waits_for_a_schema_lags),
        CASE(a_flipped_bit_in_the_last_record_loaded_costs_nothing_else),
        CASE(a_spool_set_back_loses_nothing_over_a_restart),
        CASE(what_waited_in_a_spool_set_back_may_come_twice),
        CASE(a_database_set_back_to_before_a_new_identity_gets_it_again),
        CASE(an_unknown_kind_stops_the_loader),
        CASE(without_a_node_number_records_are_loaded),
        CASE(the_keys_that_are_here_are_told),
        CASE(what_cannot_be_told_holds_no_record_up),
        CASE(only_a_database_that_forgot_somebody_is_told_again), /* the last, for spools forget, too, from then on */
    };

    (void)argc;
    postgres_begin(argv);
    return cmocka_run_group_tests(tests, install, NULL);
}
