/* SPDX-License-Identifier: BSD-2-Clause */
#include "pixeld/herald.h"

#include "common/clock.h"
#include "common/log.h"
#include "common/store_feed.h"
#include "pixeld/feed_entry.h"
#include "pixeld/owners.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
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
    WAITING_MOST = 256 * 1024, /* bytes of a slow page */
    ENTRY_MAX = 64 * 1024,
    SECRETS_MAX = 1024 * 1024,
    PLACE_MAX = 256,
    TROUBLE_S = 300
};

struct listener_page {
    struct listener_page *next;
    struct http_stream *stream;
    char secret[72];
    char *owners; /* as PostgreSQL writes an array of texts; NULL: everybody's mail */
    bool known;   /* OWNERS were asked for */
    bool sees_all;
    int64_t after; /* -1: from now on */
};

struct herald {
    struct herald_options options;
    pthread_t thread;
    pthread_mutex_t lock; /* of what stands below, up to the blank line */
    struct listener_page *arrived;
    size_t count;
    bool stopping;

    struct listener_page *pages; /* of the thread alone, like all that follows */
    struct db *db;
    int64_t heartbeat_ms; /* when the next is due */
    int64_t turn_ms;      /* when the last turn began */
    struct log_throttle trouble;
};

static void free_page(struct listener_page *page)
{
    http_stream_leave(page->stream);
    explicit_bzero(page->secret, sizeof page->secret);
    free(page->owners);
    free(page);
}

struct http_stream *herald_open(struct herald *herald, const char *secret, const char *address, bool sees_all, int64_t after)
{
    struct listener_page *page = calloc(1, sizeof *page);
    bool room;

    (void)address;
    if (page)
        page->stream = http_stream_new(WAITING_MOST);
    if (!page || !page->stream) {
        free(page);
        return NULL;
    }
    snprintf(page->secret, sizeof page->secret, "%s", secret);
    page->sees_all = sees_all;
    page->after = after;
    pthread_mutex_lock(&herald->lock);
    room = !herald->stopping && herald->count < herald->options.streams;
    if (room) {
        page->next = herald->arrived;
        herald->arrived = page;
        herald->count++;
    }
    pthread_mutex_unlock(&herald->lock);
    if (room)
        return page->stream;
    http_stream_leave(page->stream);
    free_page(page);
    return NULL;
}

static bool is_stopping(struct herald *herald)
{
    bool stopping;

    pthread_mutex_lock(&herald->lock);
    stopping = herald->stopping;
    pthread_mutex_unlock(&herald->lock);
    return stopping;
}

/* True when somebody came. */
static bool let_in(struct herald *herald)
{
    struct listener_page *page;

    pthread_mutex_lock(&herald->lock);
    page = herald->arrived;
    herald->arrived = NULL;
    pthread_mutex_unlock(&herald->lock);
    for (struct listener_page *next, *one = page; one; one = next) {
        next = one->next;
        one->next = herald->pages;
        herald->pages = one;
    }
    return page != NULL;
}

/* Those whose client has gone, or read too little. */
static void let_go(struct herald *herald)
{
    struct listener_page **at = &herald->pages;

    while (*at) {
        struct listener_page *page = *at;

        if (!http_stream_is_over(page->stream)) {
            at = &page->next;
            continue;
        }
        *at = page->next;
        free_page(page);
        pthread_mutex_lock(&herald->lock);
        herald->count--;
        pthread_mutex_unlock(&herald->lock);
    }
}

static void tell(struct listener_page *page, const char *text)
{
    http_stream_add(page->stream, slice_str(text));
}

/* Sessions */

static void add_secrets(const struct herald *herald, struct buf *out)
{
    const char *gap = "{";

    for (const struct listener_page *page = herald->pages; page; page = page->next, gap = ",")
        buf_add_f(out, "%s%s", gap, page->secret); /* digits alone */
    buf_add_str(out, herald->pages ? "}" : "{}");
}

static void take_session(struct listener_page *page, const char *owners)
{
    free(page->owners);
    page->owners = owners ? strdup(owners) : NULL;
    page->known = page->sees_all ? !owners : page->owners != NULL;
}

/* Who is not signed in any more gets the end of the stream. */
static bool ask_sessions(struct herald *herald, const char *secrets)
{
    struct db_result *rows = store_live_sessions(herald->db, secrets, ASK_MS);
    int64_t number = 0;

    if (!rows)
        return false;
    for (struct listener_page *page = herald->pages; page; page = page->next) {
        bool lives = false;

        number++;
        for (size_t row = 0; row < db_rows(rows) && !lives; row++)
            if (db_integer(rows, row, LIVE_NUMBER) == number) {
                lives = true;
                take_session(page, db_value(rows, row, LIVE_OWNERS));
            }
        if (!lives) {
            tell(page, "event: over\ndata:\n\n");
            http_stream_end(page->stream);
        }
    }
    db_result_free(rows);
    return true;
}

static bool may_see(const struct listener_page *page, const char *owner)
{
    if (!page->known)
        return false;
    return page->sees_all || (owner && page->owners && owners_have(page->owners, owner));
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

static void add_entry(const struct herald *herald, const struct feed_entry *entry, struct buf *html, struct buf *event)
{
    buf_reset(html);
    buf_reset(event);
    if (entry->at) {
        feed_entry_begin_group(html, entry, herald->options.prefix);
        feed_entry_add_line(html, entry, false);
        feed_entry_end_group(html);
        buf_add_str(event, "event: entry\n");
    } else {
        buf_add_f(html, "e%s-%s %s %s", entry->spool, entry->record, entry->verdict, feed_entry_doubt(entry));
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

static void spread(struct herald *herald, const struct db_result *rows)
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
        buf_reset(&place);
        if (herald->options.places && entry.address)
            place_add(herald->options.places, entry.address, &place);
        entry.place = place.len ? buf_text(&place) : NULL;
        for (size_t n = 0; n < 2; n++) {
            entry.show_owner = n == 1;
            add_entry(herald, &entry, &html[n], &event[n]);
        }
        for (struct listener_page *page = herald->pages; page; page = page->next)
            if (batch > page->after && may_see(page, entry.owner))
                http_stream_add(page->stream, buf_slice(&event[page->sees_all]));
    }
    for (size_t n = 0; n < 2; n++) {
        buf_free(&html[n]);
        buf_free(&event[n]);
    }
    buf_free(&place);
}

/* Where the page that has seen least stands. Those that missed too much, or begin now, are told and set to UPTO. */
static int64_t oldest(struct herald *herald, int64_t upto, int64_t floor)
{
    int64_t after = upto;

    for (struct listener_page *page = herald->pages; page; page = page->next) {
        bool missed = page->after >= 0 && (page->after > upto || page->after < floor);

        if (missed)
            tell(page, "event: reload\ndata:\n\n");
        if (missed || page->after < 0)
            page->after = upto;
        if (page->after < after)
            after = page->after;
    }
    return after;
}

static void move_on(struct herald *herald, int64_t upto)
{
    char id[64];

    snprintf(id, sizeof id, "id: %" PRId64 "\nevent: mark\ndata:\n\n", upto);
    for (struct listener_page *page = herald->pages; page; page = page->next) {
        if (page->after < upto)
            tell(page, id);
        page->after = upto;
    }
}

static bool tell_news(struct herald *herald, const char *secrets)
{
    struct db_result *last = store_last_batch(herald->db, ASK_MS), *rows;
    int64_t upto = last ? db_integer(last, 0, 0) : 0;
    int64_t after;

    db_result_free(last);
    if (!last)
        return false;
    after = oldest(herald, upto, upto - BATCHES_MOST);
    if (after < upto - BATCHES_FEW) {
        struct db_result *floor = store_news_floor(herald->db, RECORDS_MOST, ASK_MS);

        if (!floor)
            return false;
        after = oldest(herald, upto, db_integer(floor, 0, 0));
        db_result_free(floor);
    }
    if (after == upto)
        return true;
    rows = store_my_news(herald->db, secrets, after, upto, ASK_MS);
    if (!rows)
        return false;
    spread(herald, rows);
    db_result_free(rows);
    move_on(herald, upto);
    return true;
}

static bool is_anybody_new(const struct herald *herald)
{
    for (const struct listener_page *page = herald->pages; page; page = page->next)
        if (!page->known)
            return true;
    return false;
}

static bool take_turn(struct herald *herald)
{
    bool due = clock_monotonic_ms() >= herald->heartbeat_ms;
    struct buf secrets;
    bool ok = true;

    herald->turn_ms = clock_monotonic_ms();
    let_in(herald);
    let_go(herald);
    buf_init(&secrets, SECRETS_MAX);
    add_secrets(herald, &secrets);
    if (due || is_anybody_new(herald)) {
        ok = ask_sessions(herald, buf_text(&secrets));
        let_go(herald);
        buf_reset(&secrets);
        add_secrets(herald, &secrets);
    }
    if (ok && herald->pages)
        ok = tell_news(herald, buf_text(&secrets));
    if (due) {
        for (struct listener_page *page = herald->pages; page; page = page->next)
            tell(page, ": \n\n");
        herald->heartbeat_ms = clock_monotonic_ms() + HEARTBEAT_MS;
    }
    explicit_bzero(secrets.data, secrets.data ? secrets.size : 0);
    buf_free(&secrets);
    return ok;
}

/* The thread */

static bool has_arrived(struct herald *herald)
{
    bool arrived;

    pthread_mutex_lock(&herald->lock);
    arrived = herald->arrived != NULL || herald->stopping;
    pthread_mutex_unlock(&herald->lock);
    return arrived;
}

static void pause_ms(int ms)
{
    struct timespec pause = {.tv_nsec = ms * 1000000L};

    if (ms > 0)
        nanosleep(&pause, NULL);
}

/* Until something happened, or somebody came; a notification is only a hint, so it looks by itself too. */
static void wait_for_news(struct herald *herald)
{
    int64_t until_ms = clock_monotonic_ms() + TURN_MS;
    char channel[CHANNEL_BYTES];

    while (!has_arrived(herald) && clock_monotonic_ms() < until_ms)
        if (db_wait_notification(herald->db, SLICE_MS, channel))
            break;
    pause_ms(clock_left_ms(herald->turn_ms + GATHER_MS));
    while (db_stands(herald->db) && db_wait_notification(herald->db, 0, channel))
        ;
}

static void rest(struct herald *herald)
{
    int64_t until_ms = clock_monotonic_ms() + TURN_MS;

    while (!is_stopping(herald) && clock_monotonic_ms() < until_ms)
        pause_ms(SLICE_MS);
    let_in(herald);
    let_go(herald);
}

static void *run(void *arg)
{
    struct herald *herald = arg;
    bool in_session = false;

    while (!is_stopping(herald)) {
        bool ok = in_session ? take_turn(herald)
                             : db_connect(herald->db, CONNECT_MS) && store_listen_feed(herald->db, ASK_MS);

        if (ok && in_session)
            wait_for_news(herald);
        in_session = ok && db_stands(herald->db);
        if (ok || is_stopping(herald))
            continue;
        log_throttled(&herald->trouble, LOG_WARNING, "cannot ask the database for news of the feed: %s", db_error(herald->db));
        rest(herald);
    }
    return NULL;
}

static void end_pages(struct herald *herald)
{
    let_in(herald);
    for (struct listener_page *next, *page = herald->pages; page; page = next) {
        next = page->next;
        http_stream_end(page->stream);
        free_page(page);
    }
    herald->pages = NULL;
}

void herald_free(struct herald *herald)
{
    if (!herald)
        return;
    db_free(herald->db);
    pthread_mutex_destroy(&herald->lock);
    free(herald);
}

struct herald *herald_start(const struct herald_options *options, struct buf *error)
{
    struct herald *herald = calloc(1, sizeof *herald);
    int failure = ENOMEM;

    if (herald) {
        herald->options = *options;
        herald->trouble.every_seconds = TROUBLE_S;
        pthread_mutex_init(&herald->lock, NULL);
        herald->db = db_new(options->conninfo, options->program);
        failure = herald->db ? pthread_create(&herald->thread, NULL, run, herald) : ENOMEM;
    }
    if (failure == 0)
        return herald;
    buf_add_f(error, "cannot start the thread that tells news of the feed: %s", strerrordesc_np(failure));
    herald_free(herald);
    return NULL;
}

void herald_stop(struct herald *herald)
{
    if (!herald)
        return;
    pthread_mutex_lock(&herald->lock);
    herald->stopping = true;
    pthread_mutex_unlock(&herald->lock);
    db_end_by(herald->db, 0);
    pthread_join(herald->thread, NULL);
    end_pages(herald);
}
