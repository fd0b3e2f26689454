/* SPDX-License-Identifier: BSD-2-Clause */
/* any bytes as what the viewer's script sends: what is read fits into a record, and is what the record says again */

#include "pixeld/beacon.h"
#include "pixeld/markup.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CAP = 1 << 20 };

static void expect_record(struct record_beacon *beacon, struct buf *buf)
{
    struct record_beacon out;

    beacon->hit.kind = HIT_CLICK;
    if (!record_beacon_encode(beacon, buf) || !record_beacon_decode(buf_slice(buf), &out))
        abort();
    if (out.pages != beacon->pages || out.visible_ms != beacon->visible_ms || out.current != beacon->current)
        abort();
}

static void expect_clamped(struct record_beacon *beacon, int64_t elapsed_ms)
{
    uint64_t sum = 0;

    beacon_clamp(beacon, elapsed_ms);
    for (size_t at = 0; at < beacon->pages; at++) {
        if (at && beacon->page[at].page <= beacon->page[at - 1].page)
            abort();
        sum += beacon->page[at].ms;
    }
    if (sum > (uint64_t)elapsed_ms + BEACON_GRACE_MS || beacon->visible_ms > elapsed_ms + BEACON_GRACE_MS)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_of((const char *)data, size), view;
    struct record_beacon beacon;
    struct buf buf;

    buf_init(&buf, CAP);
    if (beacon_parse(text, &view, &beacon)) {
        expect_record(&beacon, &buf);
        expect_clamped(&beacon, 60000);
    }
    buf_reset(&buf);
    if (markup_add_text(&buf, text) && buf.len && (memchr(buf.data, '<', buf.len) || memchr(buf.data, '"', buf.len)))
        abort(); /* the page's text is not only text */
    buf_free(&buf);
    return 0;
}
