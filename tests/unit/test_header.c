/* SPDX-License-Identifier: BSD-2-Clause */
/* header fields: block, unfolding, encoded words, mailboxes and parameters */

#include "mail/header.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void a_block_is_read_as_libmilter_gives_it(void **state)
{
    const char *mail = "Subject:  two spaces\r\nX-Fold: a\r\n\tb\r\nsubject : again\r\nEmpty:\r\n\r\nbody";
    struct header_list list;

    (void)state;
    header_list_init(&list);
    assert_int_equal(header_parse(slice_str(mail), &list), strlen(mail) - 4);
    assert_int_equal(list.count, 4);
    assert_string_equal(header_value(&list, "SUBJECT"), " two spaces");
    assert_string_equal(header_find(&list, "Subject", 1)->value, "again");
    assert_null(header_find(&list, "Subject", 2));
    assert_string_equal(header_value(&list, "x-fold"), "a\n\tb");
    assert_string_equal(header_value(&list, "empty"), "");
    assert_int_equal(header_count(&list, "subject"), 2);
    assert_false(list.failed);
    header_list_free(&list);
}

static void a_line_that_is_no_field_begins_the_body(void **state)
{
    const char *mail = "A: 1\nBad Header: zz\nB: 2\n";
    struct header_list list;

    (void)state;
    header_list_init(&list);
    assert_int_equal(header_parse(slice_str(mail), &list), 5);
    assert_int_equal(list.count, 1);
    header_list_free(&list);
}

static void too_many_fields_are_told(void **state)
{
    struct header_list list;

    (void)state;
    header_list_init(&list);
    for (int n = 0; n < HEADER_FIELDS_MAX; n++)
        assert_true(header_list_add(&list, "X", "y"));
    assert_false(header_list_add(&list, "X", "y"));
    assert_true(list.failed);
    assert_int_equal(list.count, HEADER_FIELDS_MAX);
    header_list_free(&list);
}

static void folds_vanish(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 100);
    assert_true(header_unfold(slice_str("a\n\tb\r\n c"), &out));
    assert_string_equal(buf_text(&out), "a\tb c");
    buf_free(&out);
}

static void expect_words(const char *value, const char *expected)
{
    struct buf out;

    buf_init(&out, 1000);
    assert_true(header_decode_words(slice_str(value), &out));
    assert_string_equal(buf_text(&out), expected);
    buf_free(&out);
}

static void encoded_words_become_utf8(void **state)
{
    (void)state;
    expect_words("plain = text?", "plain = text?");
    expect_words("=?utf-8?Q?Gr=C3=BC=C3=9Fe_aus?= K=?x", "Gr\xc3\xbc\xc3\x9f"
                                                         "e aus K=?x");
    expect_words("=?ISO-8859-1?q?caf=E9?=", "caf\xc3\xa9");
    expect_words("=?windows-1252?B?gA==?= x", "\xe2\x82\xac x");
    expect_words("=?utf-8*de?B?w7w=?=", "\xc3\xbc");
    expect_words("=?no-such?Q?a?= =?no-such?Q?b?=", "=?no-such?Q?a?= =?no-such?Q?b?=");
}

static void a_character_cut_by_two_words_is_whole(void **state)
{
    (void)state;
    expect_words("=?utf-8?B?ww==?=\n =?utf-8?B?vA==?=", "\xc3\xbc");
    expect_words("=?utf-8?Q?=C3?=\n =?utf-8?Q?=BC?= z", "\xc3\xbc z");
}

static void expect_mailbox(const char *value, const char *expected)
{
    struct buf address;
    bool found;

    buf_init(&address, 1000);
    found = header_mailbox(slice_str(value), &address);
    assert_int_equal(found, expected != NULL);
    if (expected)
        assert_string_equal(buf_text(&address), expected);
    buf_free(&address);
}

static void mailboxes_of_all_kinds_are_found(void **state)
{
    (void)state;
    expect_mailbox("ann@example.com", "ann@example.com");
    expect_mailbox(" Ann Example <ann@example.com> (work)", "ann@example.com");
    expect_mailbox("\"bob@other.example\" <ann@example.com>", "ann@example.com");
    expect_mailbox("ann@example.com (Ann <x@y.example>)", "ann@example.com");
    expect_mailbox("friends: ann@example.com, bob@example.com;", "ann@example.com");
    expect_mailbox("Ann, Bob <bob@example.com>", "bob@example.com");
    expect_mailbox("<@relay.example:ann@example.com>", "ann@example.com");
    expect_mailbox("\"a b\"@example.com", "\"a b\"@example.com");
    expect_mailbox("ann @ example . com", "ann@example.com");
    expect_mailbox("<>", NULL);
    expect_mailbox("", NULL);
    expect_mailbox("undisclosed-recipients:;", NULL);
    expect_mailbox("<a <b <c", NULL);
}

static struct header_params *params_of(const char *value)
{
    struct header_params *params = header_params_new(slice_str(value));

    assert_non_null(params);
    return params;
}

static void parameters_are_read(void **state)
{
    struct header_params *params =
        params_of("Text/HTML (why); charset=\"utf-8\" ; Format = flowed;\n name=\"a \\\"b\\\"\";");

    (void)state;
    assert_string_equal(header_params_value(params), "text/html");
    assert_string_equal(header_params_get(params, "charset"), "utf-8");
    assert_string_equal(header_params_get(params, "format"), "flowed");
    assert_string_equal(header_params_get(params, "NAME"), "a \"b\"");
    assert_null(header_params_get(params, "boundary"));
    assert_false(header_params_doubtful(params));
    header_params_free(params);
}

static void doubt_is_told(void **state)
{
    static const char *const values[] = {
        "multipart/mixed; boundary=a; boundary=b",
        "text/html; charset",
        "text/html; charset=",
        "text/html; name=\"open",
        "text/html charset=utf-8",
        "text/html; =x",
    };

    (void)state;
    for (size_t at = 0; at < sizeof values / sizeof values[0]; at++) {
        struct header_params *params = params_of(values[at]);

        assert_true(header_params_doubtful(params));
        header_params_free(params);
    }
}

static void expect_filename(const char *value, const char *expected)
{
    struct header_params *params = params_of(value);

    assert_string_equal(header_params_get(params, "filename"), expected);
    header_params_free(params);
}

static void names_in_all_forms_are_decoded(void **state)
{
    (void)state;
    expect_filename("attachment; filename*=utf-8''Gr%C3%BC%C3%9Fe.pdf", "Gr\xc3\xbc\xc3\x9f"
                                                                        "e.pdf");
    expect_filename("attachment; filename*0*=iso-8859-1'de'%FCb; filename*1=er; filename*2*=%2E", "\xc3\xbc"
                                                                                                  "ber.");
    expect_filename("attachment; filename=plain; filename*=utf-8''better", "better");
    expect_filename("attachment; filename=\"=?utf-8?Q?=C3=BC?=.pdf\"", "\xc3\xbc.pdf");
    expect_filename("attachment; filename*0=\"long \"; filename*1=name", "long name");
}

static void every_mailbox_of_a_list_is_found(void **state)
{
    static const char *const want[] = {"a@x.org", "b@x.org", "c,d@x.org", "e@x.org", "f@x.org"};
    struct slice value =
        slice_str("A <a@x.org>, b@x.org (B, or not), \"C, D\" <\"c,d\"@x.org>, group: e@x.org, undisclosed;, f@x.org");
    struct buf address;
    size_t at = 0, found = 0;

    (void)state;
    buf_init(&address, 1000);
    while (at < value.len) {
        if (!header_mailbox_next(value, &at, &address))
            continue;
        assert_true(found < sizeof want / sizeof *want);
        if (found != 2) /* quotes stay for the normal form to judge */
            assert_string_equal(buf_text(&address), want[found]);
        found++;
    }
    assert_int_equal(found, 5);
    buf_free(&address);
}

static void blanks_cost_no_more_than_their_length(void **state)
{
    enum { BLANKS = 2000000 };
    struct buf value, out;

    (void)state;
    buf_init(&value, BLANKS + 100);
    buf_init(&out, BLANKS + 100);
    buf_add_str(&value, "=?x ");
    assert_true(buf_reserve(&value, BLANKS));
    memset(value.data + value.len, ' ', BLANKS);
    value.len += BLANKS;
    buf_add_str(&value, "=?utf-8?q?end?=");
    assert_true(header_decode_words(buf_slice(&value), &out)); /* quadratic, this would take minutes */
    assert_int_equal(out.len, 4 + BLANKS + 3);
    buf_free(&value);
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_block_is_read_as_libmilter_gives_it),
        cmocka_unit_test(a_line_that_is_no_field_begins_the_body),
        cmocka_unit_test(too_many_fields_are_told),
        cmocka_unit_test(folds_vanish),
        cmocka_unit_test(encoded_words_become_utf8),
        cmocka_unit_test(a_character_cut_by_two_words_is_whole),
        cmocka_unit_test(mailboxes_of_all_kinds_are_found),
        cmocka_unit_test(parameters_are_read),
        cmocka_unit_test(doubt_is_told),
        cmocka_unit_test(names_in_all_forms_are_decoded),
        cmocka_unit_test(every_mailbox_of_a_list_is_found),
        cmocka_unit_test(blanks_cost_no_more_than_their_length),
    };

    return cmocka_run_group_tests_name("header", tests, NULL, NULL);
}
