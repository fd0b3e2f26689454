/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * load - hits into a spool, from there into the database, and the same rows by a bare COPY; for "ingest" and "bytes"
 *
 *     load_rate fill FOLDER SEED COUNT            hits into a new spool
 *     load_rate load CONNINFO FOLDER              carries them to the database, as the daemons do
 *     load_rate copy CONNINFO SEED COUNT BATCH    the same rows by binary COPY, BATCH rows a transaction
 *
 * The last two print the seconds from the first connection to the last commit. What hits look like follows from SEED:
 * the mails of a week, User-Agents of which a few come often and many now and then.
 */

#include "common/clock.h"
#include "common/copy_stream.h"
#include "common/db.h"
#include "common/loader.h"
#include "common/log.h"
#include "common/message_id.h"
#include "common/record.h"
#include "common/recorder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    MESSAGES = 20000,
    AGENTS = 2000,
    RECIPIENTS = 100, /* of a mail */
    LINKS = 8,
    WEEK_MS = 7 * 86400 * 1000,
    HITS_SECOND = 50000,
    RECORD_USUAL = 184, /* bytes in the spool */
    SEGMENT_BYTES = 16 * 1024 * 1024,
    TIMEOUT_MS = 300 * 1000,
    LOOK_US = 1000,
    PAYLOAD_MAX = 4096,
    COLUMNS = 11
};
static const int64_t spool_bytes = (int64_t)8 << 30;

static const char copy_events[] =
    "copy spoor.event (at_time, message, record, recipient, agent, spool, link, kind, verdict, reason, address)"
    " from stdin (format binary)";

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "load_rate: %s: %s\n", what, why);
    exit(1);
}

/* splitmix64 */
static uint64_t mix(uint64_t value)
{
    value += 0x9e3779b97f4a7c15;
    value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9;
    value = (value ^ value >> 27) * 0x94d049bb133111eb;
    return value ^ value >> 31;
}

static uint64_t message_of(uint64_t number, int64_t start_us)
{
    int64_t age_ms = (int64_t)(mix(number) % WEEK_MS);

    return message_id_compose(start_us / 1000 - age_ms, (unsigned)(number % 3), (unsigned)(number % 4096));
}

/* The lower the number the more often. */
static unsigned agent_of(uint64_t random)
{
    unsigned place = (unsigned)(random % AGENTS), chance = (unsigned)(random / AGENTS % AGENTS);

    return place * chance / AGENTS * chance / AGENTS;
}

/* The user_agent is left to the caller: a text in the spool, a number in a row. */
static unsigned hit_of(uint64_t seed, uint64_t number, int64_t start_us, struct record_hit *hit)
{
    uint64_t random = mix(seed << 40 | number), more = mix(random);
    bool click = random % 8 == 0;

    *hit = (struct record_hit){
        .kind = click ? HIT_CLICK : HIT_VIEW,
        .message = message_of(random / 8 % MESSAGES, start_us),
        .recipient = (uint32_t)mix(more % RECIPIENTS),
        .index = click ? (uint16_t)(1 + more / RECIPIENTS % LINKS) : 0,
        .time_us = start_us + (int64_t)(number * 1000000 / HITS_SECOND),
        .verdict = VERDICT_UNKNOWN,
        .reason = slice_str("browser"),
        .address_bytes = 4,
    };
    memcpy(hit->address, &random, 4);
    return agent_of(more);
}

/* From the beginning of the month, so that all is in one partition however long the run takes. */
static int64_t start_of_hits(void)
{
    time_t now = time(NULL);
    struct tm day;

    gmtime_r(&now, &day);
    day.tm_mday = 1;
    day.tm_hour = day.tm_min = day.tm_sec = 0;
    return (int64_t)timegm(&day) * 1000000;
}

static struct spool *spool_of(const char *folder)
{
    struct spool_options options = {.directory = folder,
                                    .segment_bytes = SEGMENT_BYTES,
                                    .max_bytes = spool_bytes,
                                    .keep_s = 3600,
                                    .sync_ms = 5};
    struct buf warning, error;
    struct spool *spool;

    buf_init(&warning, PAYLOAD_MAX);
    buf_init(&error, PAYLOAD_MAX);
    spool = spool_open(&options, &warning, &error);
    if (!spool)
        fail(folder, buf_text(&error));
    buf_free(&warning);
    buf_free(&error);
    return spool;
}

static void fill(const char *folder, uint64_t seed, uint64_t count)
{
    struct spool *spool = spool_of(folder);
    int64_t start_us = start_of_hits();
    struct buf payload;

    buf_init(&payload, PAYLOAD_MAX);
    for (uint64_t number = 0; number < count; number++) {
        struct record_hit hit;
        unsigned agent = hit_of(seed, number, start_us, &hit);
        char text[USER_AGENT_MAX];
        uint64_t end;

        snprintf(text, sizeof text,
                 "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%u.0.0.0 Safari/%u",
                 agent, agent);
        hit.user_agent = slice_str(text);
        buf_reset(&payload);
        if (!record_hit_encode(&hit, &payload) ||
            spool_append(spool, RECORD_HIT, RECORD_VERSION, buf_slice(&payload), &end) != SPOOL_OK)
            fail(folder, "cannot append");
    }
    buf_free(&payload);
    if (spool_close(spool, NULL) != SPOOL_OK)
        fail(folder, "cannot sync");
}

static double load(const char *conninfo, const char *folder)
{
    struct spool *spool = spool_of(folder);
    struct loader_options options = {.conninfo = conninfo, .program = "load_rate", .host = "localhost"};
    const struct timespec pause = {.tv_nsec = LOOK_US * 1000};
    int64_t start_us = clock_wall_us(), until_ms = clock_monotonic_ms() + TIMEOUT_MS;
    struct loader *loader;
    struct buf error;

    buf_init(&error, PAYLOAD_MAX);
    loader = loader_start(spool, &options, &error);
    if (!loader)
        fail(folder, buf_text(&error));
    while (loader_state(loader).loaded < spool_end(spool)) {
        if (clock_monotonic_ms() > until_ms)
            fail(folder, "the loader takes too long");
        nanosleep(&pause, NULL);
    }
    start_us = clock_wall_us() - start_us;
    loader_stop(loader, 0);
    spool_close(spool, NULL);
    buf_free(&error);
    return (double)start_us / 1e6;
}

static void add_row(struct buf *stream, uint64_t seed, uint64_t number, int64_t start_us)
{
    struct record_hit hit;
    unsigned agent = hit_of(seed, number, start_us, &hit);

    copy_row(stream, COLUMNS);
    copy_time(stream, hit.time_us);
    copy_int64(stream, (int64_t)hit.message);
    copy_int64(stream, (int64_t)(number * RECORD_USUAL + SPOOL_HEADER_BYTES));
    copy_int32(stream, (int32_t)hit.recipient);
    copy_int32(stream, (int32_t)agent + 1);
    copy_int16(stream, 1);
    copy_int16(stream, (int16_t)hit.index);
    copy_char(stream, hit.kind == HIT_CLICK ? 'c' : 'v');
    copy_char(stream, 'u');
    copy_int16(stream, 1);
    copy_address(stream, hit.address, hit.address_bytes);
}

static void make_stream(struct buf *stream, uint64_t seed, uint64_t first, uint64_t end)
{
    buf_init(stream, (size_t)(end - first) * PAYLOAD_MAX);
    copy_begin(stream);
    for (uint64_t number = first; number < end; number++)
        add_row(stream, seed, number, start_of_hits());
    copy_end(stream);
    if (stream->failed)
        fail("copy", "out of memory");
}

/* The streams are there before the clock starts, and partitions too. */
static double copy(const char *conninfo, uint64_t seed, uint64_t count, uint64_t batch)
{
    size_t batches = (size_t)((count + batch - 1) / batch);
    struct buf *stream = calloc(batches, sizeof *stream);
    struct db *db = db_new(conninfo, "load_rate");
    int64_t start_us;

    if (!stream || !db)
        fail("copy", "out of memory");
    for (size_t at = 0; at < batches; at++)
        make_stream(&stream[at], seed, at * batch, (at + 1) * batch < count ? (at + 1) * batch : count);
    start_us = clock_wall_us();
    if (!db_connect(db, TIMEOUT_MS))
        fail("copy", db_error(db));
    for (size_t at = 0; at < batches; at++)
        if (!db_copy(db, copy_events, buf_slice(&stream[at]), NULL, TIMEOUT_MS))
            fail("copy", db_error(db));
    start_us = clock_wall_us() - start_us;
    for (size_t at = 0; at < batches; at++)
        buf_free(&stream[at]);
    free(stream);
    db_free(db);
    return (double)start_us / 1e6;
}

static uint64_t number(const char *text)
{
    return strtoull(text, NULL, 10);
}

int main(int arguments, char **argument)
{
    if (arguments == 5 && strcmp(argument[1], "fill") == 0)
        fill(argument[2], number(argument[3]), number(argument[4]));
    else if (arguments == 4 && strcmp(argument[1], "load") == 0)
        printf("%.4f\n", load(argument[2], argument[3]));
    else if (arguments == 6 && strcmp(argument[1], "copy") == 0)
        printf("%.4f\n", copy(argument[2], number(argument[3]), number(argument[4]), number(argument[5])));
    else
        fail("usage", "load_rate fill|load|copy ..., see tests/bench/load.c");
    return 0;
}
