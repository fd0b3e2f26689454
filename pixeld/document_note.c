/* SPDX-License-Identifier: BSD-2-Clause */
#include "pixeld/document_note.h"

#include "common/clock.h"
#include "pixeld/beacon.h"

#include <string.h>

enum { PAYLOAD_MAX = 8 * 1024 };

static uint64_t add(struct site *site, uint8_t kind, bool encoded, const struct buf *payload, int64_t time_us)
{
    return encoded ? journal_add_record(site->journal, kind, payload, time_us) : 0;
}

uint64_t document_note(struct site *site, const struct request *request, const struct token *token, enum document_act act,
                       uint64_t document, int page, const struct view_id *view)
{
    struct record_document record = {.act = act, .document = document, .page = (uint16_t)page};
    struct rules *rules = rulebook_take(site->rulebook);
    int64_t now_us = clock_wall_us();
    struct buf payload;
    uint64_t after = 0;

    if (view)
        memcpy(record.view, view->nonce, sizeof record.view);
    buf_init(&payload, PAYLOAD_MAX);
    if (hit_of(request, token, slice_of(NULL, 0), rules, &site->hits, now_us, &record.hit) &&
        record.hit.verdict != VERDICT_PREFETCH)
        after = add(site, RECORD_DOCUMENT, record_document_encode(&record, &payload), &payload, now_us);
    buf_free(&payload);
    rules_let_go(rules);
    return after;
}

static uint64_t note_beacon(struct site *site, const struct request *request, const struct token *token,
                            struct record_beacon *beacon, int64_t now_us)
{
    struct rules *rules = rulebook_take(site->rulebook);
    struct buf payload;
    uint64_t after = 0;

    buf_init(&payload, PAYLOAD_MAX);
    if (hit_of(request, token, slice_of(NULL, 0), rules, &site->hits, now_us, &beacon->hit))
        after = add(site, RECORD_BEACON, record_beacon_encode(beacon, &payload), &payload, now_us);
    buf_free(&payload);
    rules_let_go(rules);
    return after;
}

/* sendBeacon() sends a text. A browser says so when another site's page made it send. */
static bool comes_from_viewer(const struct request *request)
{
    struct slice from = request->field[REQUEST_SEC_FETCH_SITE];

    return slice_starts_i(request->field[REQUEST_CONTENT_TYPE], slice_str("text/plain")) &&
           (slice_empty(from) || slice_is(from, "same-origin"));
}

struct http_answer document_take_beacon(struct site *site, const struct request *request, const struct token *token)
{
    int64_t now_us = clock_wall_us();
    struct record_beacon beacon;
    struct view_id view;
    struct slice word;

    if (!comes_from_viewer(request) || !beacon_parse(request->body, &word, &beacon) ||
        !view_id_read(site->keys, token, word, now_us / 1000, &view))
        return (struct http_answer){.page = site->pages.bad_request};
    if (!beacon_rate_allows(site->beacon_rate, token, now_us / 1000))
        return (struct http_answer){.page = site->pages.too_many};
    memcpy(beacon.view, view.nonce, sizeof beacon.view);
    beacon.document = view.document;
    beacon.started_us = view.time_ms * 1000;
    beacon_clamp(&beacon, now_us / 1000 - view.time_ms);
    return (struct http_answer){.page = site->pages.no_content, .after = note_beacon(site, request, token, &beacon, now_us)};
}
