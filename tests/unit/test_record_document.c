/* SPDX-License-Identifier: BSD-2-Clause */
/* records of documents: what goes in comes out, and every beginning of one is refused */

#include "common/record_document.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { CAP = 64 * 1024 };

static const struct record_hit hit = {
    .kind = HIT_CLICK, .message = 9, .recipient = 8, .index = 7, .time_us = 1700000000000000, .verdict = VERDICT_HUMAN,
    .reason = SLICE_TEXT("navigation"), .address = {192, 0, 2, 1}, .address_bytes = 4, .user_agent = SLICE_TEXT("Firefox")};

static void expect_hit(const struct record_hit *out)
{
    assert_true(out->message == 9 && out->recipient == 8 && out->index == 7 && out->time_us == hit.time_us);
    assert_true(out->verdict == VERDICT_HUMAN && slice_is(out->reason, "navigation") && slice_is(out->user_agent, "Firefox"));
    assert_memory_equal(out->address, hit.address, 16);
}

static void expect_time(enum record_kind kind, struct slice payload)
{
    int64_t time_us;

    assert_true(record_time((uint8_t)kind, payload, &time_us));
    assert_int_equal(time_us, hit.time_us);
}

static void a_document_comes_back(void **state)
{
    struct record_document in = {.hit = hit, .act = DOCUMENT_TURNED, .document = UINT64_C(1) << 40, .page = 3, .view = {1, 2, [15] = 9}},
                           out;
    struct buf buf;

    (void)state;
    buf_init(&buf, CAP);
    assert_true(record_document_encode(&in, &buf));
    expect_time(RECORD_DOCUMENT, buf_slice(&buf));
    assert_true(record_document_decode(buf_slice(&buf), &out));
    expect_hit(&out.hit);
    assert_true(out.act == DOCUMENT_TURNED && out.document == in.document && out.page == 3);
    assert_memory_equal(out.view, in.view, VIEW_BYTES);
    for (size_t len = 0; len < buf.len; len++)
        assert_false(record_document_decode(slice_of(buf.data, len), &out));
    buf_add_str(&buf, "what a newer version adds");
    assert_true(record_document_decode(buf_slice(&buf), &out));
    buf_free(&buf);
}

static void a_beacon_comes_back(void **state)
{
    struct record_beacon in = {.hit = hit, .view = {5, [15] = 6}, .document = 77, .started_us = 1699999999000000, .sequence = 3,
                               .visible_ms = 5200, .trusted = 4, .automated = true, .current = 3,
                               .page = {{1, 2780}, {3, 4000000000}}, .pages = 2},
                         out;
    struct buf buf;

    (void)state;
    buf_init(&buf, CAP);
    assert_true(record_beacon_encode(&in, &buf));
    expect_time(RECORD_BEACON, buf_slice(&buf));
    assert_true(record_beacon_decode(buf_slice(&buf), &out));
    expect_hit(&out.hit);
    assert_memory_equal(out.view, in.view, VIEW_BYTES);
    assert_true(out.document == 77 && out.started_us == in.started_us && out.sequence == 3 && out.visible_ms == 5200);
    assert_true(out.trusted == 4 && out.automated && out.current == 3 && out.pages == 2);
    assert_true(out.page[0].page == 1 && out.page[0].ms == 2780 && out.page[1].page == 3 && out.page[1].ms == 4000000000);
    for (size_t len = 0; len < buf.len; len++)
        assert_false(record_beacon_decode(slice_of(buf.data, len), &out));
    /* each page's event has a number of its own behind the record's: so the record is longer than it has pages */
    assert_true(buf.len > BEACON_PAGES_MAX || in.pages * 6 < buf.len);
    buf_free(&buf);
}

static void more_pages_than_fit_are_refused(void **state)
{
    struct record_beacon in = {.hit = hit, .pages = BEACON_PAGES_MAX}, out;
    struct buf buf;

    (void)state;
    for (size_t n = 0; n < BEACON_PAGES_MAX; n++)
        in.page[n] = (struct beacon_page){(uint16_t)(n + 1), 5};
    buf_init(&buf, CAP);
    assert_true(record_beacon_encode(&in, &buf) && record_beacon_decode(buf_slice(&buf), &out));
    assert_int_equal(out.pages, BEACON_PAGES_MAX);
    buf.data[buf.len - 6 * BEACON_PAGES_MAX - 2] = 1; /* the count, 0x0200, becomes 0x0201 */
    buf_add(&buf, "abcdef", 6);
    assert_false(record_beacon_decode(buf_slice(&buf), &out));
    buf_free(&buf);
}

static void words_are_those_of_the_database(void **state)
{
    (void)state;
    assert_string_equal(document_act_name(DOCUMENT_FETCHED), "fetched");
    assert_string_equal(document_act_name(DOCUMENT_DOWNLOADED), "downloaded");
    assert_string_equal(document_act_name((enum document_act)9), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_document_comes_back),
        cmocka_unit_test(a_beacon_comes_back),
        cmocka_unit_test(more_pages_than_fit_are_refused),
        cmocka_unit_test(words_are_those_of_the_database),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
