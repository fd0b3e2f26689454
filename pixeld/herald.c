/* SPDX-License-Identifier: BSD-2-Clause */
#include "pixeld/herald.h"

#include "common/clock.h"
#include "common/log.h"
#include "common/shard.h"
#include "common/store.h"
#include "common/store_feed.h"
#include "pixeld/feed_entry.h"
#include "pixeld/open_page.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
    CONNECT_MS = 5000,
    ASK_MS = 10000,
    TURN_MS = 1000,       /* at least so often it is looked whether anybody came or something happened */
    HEARTBEAT_MS = 15000, /* proxies end a silent connection after a minute, browsers notice a dead one only when written to */
    GATHER_MS = 40,       /* from one look to the next, so that what happens together is told together */
    SLICE_MS = 250,       /* how often it is looked whether it shall stop, or somebody came */
    BATCHES_MOST = 5000,  /* that a page may have missed, */
    RECORDS_MOST = 20000, /* and records in them: all pages wait for the answer to one question, */
    BATCHES_FEW = 50,     /* but these are not counted */
    ENTRY_MAX = 64 * 1024,
    SECRETS_MAX = 1024 * 1024,
    PLACE_MAX = 256,
    TROUBLE_S = 300
};

/* The thread that tells of one server. */
struct voice {
    struct herald *herald;
    pthread_t thread;
    bool runs;
    struct page_list *list;

    struct db *db;        /* of the thread alone, like all that follows; NULL: there is no such server */
    int64_t heartbeat_ms; /* when the next is due */
    int64_t turn_ms;      /* when the last turn began */
    struct log_throttle trouble;
};

struct herald {
    struct herald_options options;
    struct voice voice[SHARDS];
    struct open_pages pages;
};

/* Sessions */

static bool ask_sessions(struct voice *voice, const char *secrets)
{
    struct db_result *rows = store_live_sessions(voice->db, secrets, ASK_MS);
    int64_t number = 0;

    if (!rows)
        return false;
    for (struct listener_page *page = voice->list->pages; page; page = page->next) {
        bool lives = false;

        number++;
        for (size_t row = 0; row < db_rows(rows) && !lives; row++)
            if (db_integer(rows, row, LIVE_NUMBER) == number) {
                lives = true;
                listener_page_take_session(page, db_value(rows, row, LIVE_OWNERS));
            }
        if (!lives)
            page_list_miss_session(voice->list, page);
    }
    db_result_free(rows);
    return true;
}

/* News */

/* HTML has no lines of its own that count, but each line of an event needs its name before it. */
static void add_data(struct buf *out, struct slice text)
{
    while (text.len) {
        size_t end = slice_find_char(text, '\n');

        buf_add_str(out, "data: ");
        buf_add(out, text.p, end);
        buf_add_char(out, '\n');
        text = slice_from(text, end + 1);
    }
}

static void add_entry(const struct voice *voice, const struct feed_entry *entry, struct buf *html, struct buf *event)
{
    buf_reset(html);
    buf_reset(event);
    if (entry->at) {
        feed_entry_begin_group(html, entry, voice->herald->options.prefix);
        feed_entry_add_line(html, entry, false);
        feed_entry_end_group(html);
        buf_add_str(event, "event: entry\n");
    } else {
        feed_entry_add_id(html, entry);
        buf_add_f(html, " %s %s", entry->verdict, feed_entry_doubt(entry));
        buf_add_str(event, "event: verdict\n");
    }
    add_data(event, buf_slice(html));
    buf_add_char(event, '\n');
}

static void read_row(const struct db_result *rows, size_t row, struct feed_entry *entry)
{
    const char *forwarded = db_value(rows, row, ENTRY_FORWARDED);

    *entry = (struct feed_entry){
        .spool = db_value(rows, row, ENTRY_SPOOL), .record = db_value(rows, row, ENTRY_RECORD), .at = db_value(rows, row, ENTRY_AT),
        .what = db_value(rows, row, ENTRY_WHAT), .owner = db_value(rows, row, ENTRY_OWNER), .person = db_value(rows, row, ENTRY_PERSON),
        .subject = db_value(rows, row, ENTRY_SUBJECT), .detail = db_value(rows, row, ENTRY_DETAIL),
        .verdict = db_value(rows, row, ENTRY_VERDICT), .reason = db_value(rows, row, ENTRY_REASON),
        .message = db_value(rows, row, ENTRY_MESSAGE), .campaign = db_value(rows, row, ENTRY_CAMPAIGN),
        .status = db_value(rows, row, ENTRY_STATUS), .hardness = db_value(rows, row, ENTRY_HARDNESS),
        .agent = db_value(rows, row, ENTRY_AGENT), .address = db_value(rows, row, ENTRY_ADDRESS),
        .forwarded = forwarded && *forwarded == 't', .settles_in = db_value(rows, row, ENTRY_SETTLES_IN),
    };
}

static void spread(struct voice *voice, const struct db_result *rows)
{
    struct buf place, html[2], event[2]; /* the second for who sees everybody's mail */

    buf_init(&place, PLACE_MAX);
    for (size_t n = 0; n < 2; n++) {
        buf_init(&html[n], ENTRY_MAX);
        buf_init(&event[n], ENTRY_MAX);
    }
    for (size_t row = 0; row < db_rows(rows); row++) {
        int64_t batch = db_integer(rows, row, ENTRY_BATCH);
        struct feed_entry entry;

        read_row(rows, row, &entry);
        entry.shard = voice->list->shard;
        buf_reset(&place);
        if (voice->herald->options.places && entry.address)
            place_add(voice->herald->options.places, entry.address, &place);
        entry.place = place.len ? buf_text(&place) : NULL;
        for (size_t n = 0; n < 2; n++) {
            entry.show_owner = n == 1;
            add_entry(voice, &entry, &html[n], &event[n]);
        }
        page_list_tell_event(voice->list, batch, entry.owner, (struct slice[]){buf_slice(&event[0]), buf_slice(&event[1])});
    }
    for (size_t n = 0; n < 2; n++) {
        buf_free(&html[n]);
        buf_free(&event[n]);
    }
    buf_free(&place);
}

static bool tell_news(struct voice *voice, const char *secrets)
{
    struct db_result *last = store_last_batch(voice->db, ASK_MS), *rows;
    int64_t upto = last ? db_integer(last, 0, 0) : 0;
    int64_t after;

    db_result_free(last);
    if (!last)
        return false;
    after = page_list_oldest(voice->list, upto, upto - BATCHES_MOST);
    if (after < upto - BATCHES_FEW) {
        struct db_result *floor = store_news_floor(voice->db, RECORDS_MOST, ASK_MS);

        if (!floor)
            return false;
        after = page_list_oldest(voice->list, upto, db_integer(floor, 0, 0));
        db_result_free(floor);
    }
    if (after == upto)
        return true;
    rows = store_my_news(voice->db, secrets, after, upto, ASK_MS);
    if (!rows)
        return false;
    spread(voice, rows);
    db_result_free(rows);
    page_list_move_on(voice->list, upto);
    return true;
}

static bool take_turn(struct voice *voice)
{
    bool due = clock_monotonic_ms() >= voice->heartbeat_ms;
    struct buf secrets;
    bool ok = true;

    voice->turn_ms = clock_monotonic_ms();
    page_list_let_in(voice->list);
    page_list_let_go(voice->list);
    buf_init(&secrets, SECRETS_MAX);
    page_list_add_secrets(voice->list, &secrets);
    if (due || page_list_is_anybody_new(voice->list)) {
        ok = ask_sessions(voice, buf_text(&secrets));
        page_list_let_go(voice->list);
        buf_reset(&secrets);
        page_list_add_secrets(voice->list, &secrets);
    }
    if (ok && voice->list->pages)
        ok = tell_news(voice, buf_text(&secrets));
    if (due) {
        page_list_tell(voice->list, ": \n\n");
        voice->heartbeat_ms = clock_monotonic_ms() + HEARTBEAT_MS;
    }
    explicit_bzero(secrets.data, secrets.data ? secrets.size : 0);
    buf_free(&secrets);
    return ok;
}

/* The thread */

static void pause_ms(int ms)
{
    struct timespec pause = {.tv_nsec = ms * 1000000L};

    if (ms > 0)
        nanosleep(&pause, NULL);
}

/* Until something happened, or somebody came; a notification is only a hint, so it looks by itself too. */
static void wait_for_news(struct voice *voice)
{
    int64_t until_ms = clock_monotonic_ms() + TURN_MS;
    char channel[CHANNEL_BYTES];

    while (!page_list_has_arrived(voice->list) && clock_monotonic_ms() < until_ms)
        if (db_wait_notification(voice->db, SLICE_MS, channel))
            break;
    pause_ms(clock_left_ms(voice->turn_ms + GATHER_MS));
    while (db_stands(voice->db) && db_wait_notification(voice->db, 0, channel))
        ;
}

static void rest(struct voice *voice)
{
    int64_t until_ms = clock_monotonic_ms() + TURN_MS;

    while (!open_pages_are_closed(&voice->herald->pages) && clock_monotonic_ms() < until_ms)
        pause_ms(SLICE_MS);
    page_list_let_in(voice->list);
    page_list_let_go(voice->list);
}

static void *run(void *arg)
{
    struct voice *voice = arg;
    char name[SHARD_NAME_BYTES];
    bool in_session = false;

    while (!open_pages_are_closed(&voice->herald->pages)) {
        bool ok = in_session ? take_turn(voice)
                             : store_connect(voice->db, CONNECT_MS) && store_listen_feed(voice->db, ASK_MS);

        if (ok && in_session)
            wait_for_news(voice);
        in_session = ok && db_stands(voice->db);
        if (ok || open_pages_are_closed(&voice->herald->pages))
            continue;
        log_throttled(&voice->trouble, LOG_WARNING, "cannot ask %s for news of the feed: %s", shard_name(voice->list->shard, name),
                      db_error(voice->db));
        rest(voice);
    }
    return NULL;
}

struct http_stream *herald_open(struct herald *herald, const char *secret, const char *address, bool sees_all,
                                const struct feed_cursor *after)
{
    return open_pages_open(&herald->pages, secret, address, sees_all, after);
}

void herald_free(struct herald *herald)
{
    if (!herald)
        return;
    for (unsigned shard = 0; shard < SHARDS; shard++)
        db_free(herald->voice[shard].db);
    open_pages_destroy(&herald->pages);
    free(herald);
}

/* 0, or what failed. No page comes before all voices are there. */
static int start_voice(struct herald *herald, unsigned shard)
{
    struct voice *voice = &herald->voice[shard];
    int failure;

    *voice = (struct voice){
        .herald = herald, .list = &herald->pages.list[shard], .trouble = {.every_seconds = TROUBLE_S},
    };
    voice->db = db_new_shard(shard_database(herald->options.conf, shard), shard, herald->options.program);
    voice->list->has_voice = voice->db != NULL;
    failure = voice->db ? pthread_create(&voice->thread, NULL, run, voice) : ENOMEM;
    voice->runs = failure == 0;
    return failure;
}

struct herald *herald_start(const struct herald_options *options, struct buf *error)
{
    struct herald *herald = calloc(1, sizeof *herald);
    int failure = herald ? 0 : ENOMEM;

    if (herald) {
        herald->options = *options;
        open_pages_init(&herald->pages, options->streams, options->of_one);
    }
    for (unsigned shard = 0; failure == 0 && shard < SHARDS; shard++)
        if (shard_database(options->conf, shard))
            failure = start_voice(herald, shard);
    if (failure == 0)
        return herald;
    buf_add_f(error, "cannot start the thread that tells news of the feed: %s", strerrordesc_np(failure));
    herald_stop(herald);
    herald_free(herald);
    return NULL;
}

void herald_stop(struct herald *herald)
{
    if (!herald)
        return;
    open_pages_close(&herald->pages);
    for (unsigned shard = 0; shard < SHARDS; shard++) {
        struct voice *voice = &herald->voice[shard];

        if (!voice->runs)
            continue;
        db_end_by(voice->db, 0);
        pthread_join(voice->thread, NULL);
        voice->runs = false;
        page_list_end(voice->list);
    }
}
