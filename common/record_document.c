/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * record_document - see record_document.h
 *
 * Layouts are written as record_bytes.h says. The hit comes first, so that record_time() finds its time.
 */

#include "common/record_document.h"

#include "common/little_endian.h"
#include "common/record_bytes.h"

/* A text that holds the payload of a hit. */
static void put_hit(struct buf *out, const struct record_hit *hit)
{
    size_t length_at = out->len, start;

    put_u16(out, 0);
    start = out->len;
    if (!record_hit_encode(hit, out) || out->len - start > UINT16_MAX)
        out->failed = true;
    if (!out->failed)
        le16_put(out->data + length_at, (uint16_t)(out->len - start));
}

static void take_hit(struct record_input *in, struct record_hit *hit)
{
    struct slice payload = take_text(in);

    if (in->bad || !record_hit_decode(payload, hit))
        in->bad = true;
}

/* document: text hit, u8 act, u64 document, u16 page, 16 bytes view */
bool record_document_encode(const struct record_document *document, struct buf *out)
{
    size_t start = out->len;

    put_hit(out, &document->hit);
    put_u8(out, document->act);
    put_u64(out, document->document);
    put_u16(out, document->page);
    buf_add(out, document->view, sizeof document->view);
    return put_done(out, start);
}

bool record_document_decode(struct slice payload, struct record_document *document)
{
    struct record_input in = {payload, false};

    *document = (struct record_document){0};
    take_hit(&in, &document->hit);
    document->act = take_word(&in, DOCUMENT_FETCHED, DOCUMENT_DOWNLOADED);
    document->document = take_u64(&in);
    document->page = take_u16(&in);
    take_bytes(&in, document->view, sizeof document->view);
    return !in.bad;
}

/*
 * beacon: text hit, 16 bytes view, u64 document, i64 started_us, u32 sequence, u32 visible_ms, u32 trusted, u8 automated,
 * u16 current, u16 pages of (u16 page, u32 ms)
 */
bool record_beacon_encode(const struct record_beacon *beacon, struct buf *out)
{
    size_t start = out->len;

    put_hit(out, &beacon->hit);
    buf_add(out, beacon->view, sizeof beacon->view);
    put_u64(out, beacon->document);
    put_u64(out, (uint64_t)beacon->started_us);
    put_u32(out, beacon->sequence);
    put_u32(out, beacon->visible_ms);
    put_u32(out, beacon->trusted);
    put_u8(out, beacon->automated);
    put_u16(out, beacon->current);
    put_u16(out, (uint16_t)beacon->pages);
    for (size_t n = 0; n < beacon->pages; n++) {
        put_u16(out, beacon->page[n].page);
        put_u32(out, beacon->page[n].ms);
    }
    return put_done(out, start);
}

static void take_pages(struct record_input *in, struct record_beacon *beacon)
{
    size_t count = take_u16(in);

    if (count > BEACON_PAGES_MAX)
        in->bad = true;
    for (size_t n = 0; !in->bad && n < count; n++) {
        beacon->page[n].page = take_u16(in);
        beacon->page[n].ms = take_u32(in);
    }
    beacon->pages = in->bad ? 0 : count;
}

bool record_beacon_decode(struct slice payload, struct record_beacon *beacon)
{
    struct record_input in = {payload, false};

    *beacon = (struct record_beacon){.pages = 0};
    take_hit(&in, &beacon->hit);
    take_bytes(&in, beacon->view, sizeof beacon->view);
    beacon->document = take_u64(&in);
    beacon->started_us = (int64_t)take_u64(&in);
    beacon->sequence = take_u32(&in);
    beacon->visible_ms = take_u32(&in);
    beacon->trusted = take_u32(&in);
    beacon->automated = take_word(&in, false, true);
    beacon->current = take_u16(&in);
    take_pages(&in, beacon);
    return !in.bad;
}

const char *document_act_name(enum document_act act)
{
    static const char *const words[] = {"", "fetched", "turned", "downloaded"};

    return (size_t)act < sizeof words / sizeof *words ? words[act] : "";
}
