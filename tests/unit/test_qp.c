/* SPDX-License-Identifier: BSD-2-Clause */
/* quoted-printable: decoding, the way back to raw bytes, added text */

#include "mail/qp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void expect_text(const char *raw, const char *expected)
{
    struct qp_map map;
    struct buf out;

    buf_init(&out, 1000);
    assert_true(qp_decode(slice_str(raw), &out, &map));
    assert_string_equal(buf_text(&out), expected);
    qp_map_free(&map);
    buf_free(&out);
}

static void texts_are_decoded(void **state)
{
    (void)state;
    expect_text("a=3Db=\r\nc", "a=bc");
    expect_text("caf=c3=A9  \r\nx", "caf\xc3\xa9\r\nx");
    expect_text("bad =ZZ =4", "bad =ZZ =4");
    expect_text("soft =  \nend=", "soft end");
    expect_text("", "");
}

static void places_lead_back(void **state)
{
    const char *raw = "a=3Db=\r\n<c>  \r\nd";
    struct qp_map map;
    struct buf out;

    (void)state;
    buf_init(&out, 1000);
    assert_true(qp_decode(slice_str(raw), &out, &map));
    assert_string_equal(buf_text(&out), "a=b<c>\r\nd");
    assert_int_equal(qp_start(&map, 1), 1);
    assert_int_equal(qp_end(&map, 1), 4);
    assert_int_equal(qp_end(&map, 2), 5);
    assert_int_equal(qp_start(&map, 3), 8);
    assert_int_equal(qp_start(&map, 6), 11);
    assert_int_equal(qp_start(&map, 8), 15);
    assert_int_equal(qp_start(&map, 9), 16);
    assert_int_equal(qp_start(&map, 0), 0);
    qp_map_free(&map);
    buf_free(&out);
}

static void added_text_is_broken_softly(void **state)
{
    char text[200];
    size_t column = 70;
    struct buf out;

    (void)state;
    memset(text, '=', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    buf_init(&out, 2000);
    assert_true(qp_add_text(slice_str(text), "\r\n", &column, &out));
    assert_memory_equal(out.data, "=3D=\r\n=3D=3D", 12);
    for (const char *line = strstr(out.data, "\r\n") + 2; strstr(line, "\r\n");
         line = strstr(line, "\r\n") + 2)
        assert_in_range(strstr(line, "\r\n") - line, 1, QP_LINE_MAX);
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_decoded),
        cmocka_unit_test(places_lead_back),
        cmocka_unit_test(added_text_is_broken_softly),
    };

    return cmocka_run_group_tests_name("qp", tests, NULL, NULL);
}
