/* SPDX-License-Identifier: BSD-2-Clause */
/* ids as the wild writes them, what is a valid one, and how References is shortened */

#include "mail/msgid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

/* The ids of VALUE with a space between. */
static const char *ids_of(const char *value, struct buf *out)
{
    struct msgid_list list = {.count = 0};

    buf_reset(out);
    msgid_list_read(slice_str(value), &list);
    for (size_t n = 0; n < list.count; n++)
        buf_add_f(out, "%s%.*s", n ? " " : "", SLICE_ARG(list.id[n]));
    return buf_text(out);
}

static void ids_are_found_however_they_are_written(void **state)
{
    static const struct {
        const char *value, *ids;
    } cases[] = {
        {"<a@b.example>", "a@b.example"},
        {"\n <PAXP193@PROD.OUTLOOK.COM>", "PAXP193@PROD.OUTLOOK.COM"},
        {"<a@x> <b@x>\n\t<c@x>", "a@x b@x c@x"},
        {"<a@x>,<b@x>, <c@x>", "a@x b@x c@x"},
        {"<a@x><b@x>", "a@x b@x"},
        {"<\n <a@x>", "a@x"},
        {"<<a@x>>", "a@x"},
        {"a@x b@x", "a@x b@x"},
        {"< a@x >", "a@x"},
        {"<a@x,b@x>", "a@x b@x"},
        {"<a@x> (was <c@x>, said d@x)", "a@x"},
        {"(nested (b@x) \\) c@x) <a@x>", "a@x"},
        {"(never closed <a@x>", "a@x"},
        {"<A@X> <a@x>", "A@X"},
        {"Your message of Friday <a@x>", "a@x"},
        {"\"a@x\"", "a@x"},
        {"<\"odd left\"@x>", ""},
        {"<odd(left)@x>", "odd(left)@x"},
        {"<a@b@gmail.com>", "a@b@gmail.com"},
        {"<@x> <a@> @ <> <a> garbage", ""},
        {"<a@x", "a@x"},
        {"a@x>", "a@x"},
        {"", ""},
    };
    struct buf out;

    (void)state;
    buf_init(&out, 4096);
    for (size_t n = 0; n < LENGTH(cases); n++)
        assert_string_equal(ids_of(cases[n].value, &out), cases[n].ids);
    buf_free(&out);
}

static void a_full_list_keeps_the_first_and_the_newest(void **state)
{
    struct msgid_list list = {.count = 0};
    struct buf value;

    (void)state;
    buf_init(&value, 200000);
    for (int n = 0; n < 1000; n++)
        buf_add_f(&value, "<%d@x> ", n);
    msgid_list_read(buf_slice(&value), &list);
    assert_int_equal(list.count, MSGID_LIST_MAX);
    assert_true(slice_is(list.id[0], "0@x"));
    assert_true(slice_is(list.id[1], "801@x"));
    assert_true(slice_is(list.id[MSGID_LIST_MAX - 1], "999@x"));
    buf_free(&value);
}

static void too_long_an_id_is_no_id(void **state)
{
    struct msgid_list list = {.count = 0};
    struct buf value;

    (void)state;
    buf_init(&value, 200000);
    buf_add_str(&value, "<");
    for (int n = 0; n < 100000; n++)
        buf_add_str(&value, "(");
    buf_add_str(&value, "a@x> <b@x> <");
    for (int n = 0; n < MSGID_MAX; n++)
        buf_add_str(&value, "c");
    buf_add_str(&value, "@x>");
    msgid_list_read(buf_slice(&value), &list);
    assert_int_equal(list.count, 2);
    assert_true(slice_is(list.id[1], "b@x"));
    buf_free(&value);
}

static void valid_is_what_gmail_leaves_alone(void **state)
{
    static const char *const good[] = {"<a@b.example>", " <a.b+c=d@sub.b.example> ", "<x_y/z@b-c.example>"};
    static const char *const bad[] = {
        "", "<>", "a@b.example", "<a@b>", "<x@host.>", "<2023.@kees.example>", "<a@b@gmail.com>",
        "<..@changeid.example>", "<a@b.example> <c@d.example>", "<a@b.example", "<a b@c.example>",
        "<a@-b.example>", "<a@b..example>", "<a@[192.0.2.1]>", "<a@192.0.2.1>", "<@b.example>", "<a@>",
        "<a@b.example> (comment)", "<\"q\"@b.example>", "<a@b_c.example>", "<a@b.ex\tample>", "<\xc3\xa4@b.example>",
    };

    (void)state;
    for (size_t n = 0; n < LENGTH(good); n++)
        if (!msgid_valid(slice_str(good[n])))
            fail_msg("refused: %s", good[n]);
    for (size_t n = 0; n < LENGTH(bad); n++)
        if (msgid_valid(slice_str(bad[n])))
            fail_msg("taken: %s", bad[n]);
}

static bool begins_with_anchor(void *arg, struct slice id)
{
    (void)arg;
    return slice_starts_i(id, slice_str("anchor"));
}

static const char *references(const char *old, const char *more, const char *anchor, struct buf *out)
{
    struct references_request request = {
        .old = slice_str(old), .more = {slice_str(more)}, .anchor = slice_str(anchor), .is_anchor = begins_with_anchor,
    };

    buf_reset(out);
    assert_true(references_build(&request, out));
    return buf_text(out);
}

static void references_get_the_anchor_last_and_each_id_once(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 4096);
    assert_string_equal(references("", "", "anchor@x", &out), "<anchor@x>");
    assert_string_equal(references("<a@x>, b@x", "c@x", "anchor@x", &out), "<a@x>\n\t<b@x>\n\t<c@x>\n\t<anchor@x>");
    assert_string_equal(references("<anchor@x>\n <A@x>", "a@x", "anchor@x", &out), "<anchor@x>\n\t<A@x>");
    assert_string_equal(references("garbage", "", "", &out), "");
    buf_free(&out);
}

/* FILL ids of WIDTH bytes each, with the names given by turns. */
static void add_many(struct buf *old, const char *const *names, size_t turns, size_t fill, int width)
{
    for (size_t n = 0; n < fill; n++)
        buf_add_f(old, "<%s%0*zu@x.example> ", names[n % turns], width, n);
}

static void older_anchors_go_first_then_the_middle(void **state)
{
    static const char *const names[] = {"id", "anchor"};
    struct buf old, out;

    (void)state;
    buf_init(&old, 100000);
    buf_init(&out, 100000);
    add_many(&old, names, 2, 40, 50); /* 40 ids of 65 bytes or so: 2,600 */
    references(buf_text(&old), "client@x", "anchor-new@x", &out);
    assert_true(out.len < REFERENCES_MAX);
    assert_true(slice_starts_i(buf_slice(&out), slice_str("<id0")));
    assert_true(slice_find_i(buf_slice(&out), "002@x") != (size_t)-1);  /* the middle had no need to go */
    assert_true(slice_find_i(buf_slice(&out), "001@x") == (size_t)-1);  /* an old anchor */
    assert_true(slice_find_i(buf_slice(&out), "039@x") != (size_t)-1);  /* an anchor among the newest */
    assert_true(slice_find_i(buf_slice(&out), "<client@x>\n\t<anchor-new@x>") != (size_t)-1);
    buf_free(&old);
    buf_free(&out);
}

static void what_was_asked_for_stays_however_long_the_rest(void **state)
{
    static const char *const names[] = {"id"};
    struct buf old, out;

    (void)state;
    buf_init(&old, 200000);
    buf_init(&out, 100000);
    add_many(&old, names, 1, 500, 230);
    references(buf_text(&old), "client@x", "anchor-new@x", &out);
    assert_true(out.len < REFERENCES_MAX);
    assert_true(slice_find_i(buf_slice(&out), "00000@x.example>") != (size_t)-1);
    assert_true(slice_find_i(buf_slice(&out), "499@x.example>\n\t<client@x>\n\t<anchor-new@x>") != (size_t)-1);
    buf_free(&old);
    buf_free(&out);
}

/* "aN" has the twin "sN". */
static struct slice twin(void *arg, struct slice id)
{
    static const char *const twins[] = {"s1@x", "s2@x", "s3@x"};

    (void)arg;
    if (id.len != 4 || id.p[0] != 'a' || id.p[1] < '1' || id.p[1] > '3')
        return slice_str("");
    return slice_str(twins[id.p[1] - '1']);
}

static void a_twin_stands_behind_its_id(void **state)
{
    static const struct {
        const char *old, *parent, *twin, *client, *expected;
    } cases[] = {
        {"<a1@x>", "", "s1@x", "c@x", "<a1@x>\n\t<s1@x>\n\t<c@x>\n\t<anchor@x>"},
        {"<a1@x> <b@x> <a2@x>", "", "s2@x", "c@x", "<a1@x>\n\t<s1@x>\n\t<b@x>\n\t<a2@x>\n\t<s2@x>\n\t<c@x>\n\t<anchor@x>"},
        {"<a1@x> <s1@x> <b@x>", "", "", "", "<a1@x>\n\t<s1@x>\n\t<b@x>\n\t<anchor@x>"},
        {"", "a1@x", "s1@x", "c@x", "<a1@x>\n\t<s1@x>\n\t<c@x>\n\t<anchor@x>"},
        {"<b@x>", "", "s3@x", "c@x", "<b@x>\n\t<s3@x>\n\t<c@x>\n\t<anchor@x>"},
    };
    struct buf out;

    (void)state;
    buf_init(&out, 4096);
    for (size_t n = 0; n < sizeof cases / sizeof cases[0]; n++) {
        struct references_request request = {
            .old = slice_str(cases[n].old),
            .more = {slice_str(cases[n].parent), slice_str(cases[n].twin), slice_str(cases[n].client)},
            .anchor = slice_str("anchor@x"),
            .is_anchor = begins_with_anchor,
            .twin = twin,
        };

        buf_reset(&out);
        assert_true(references_build(&request, &out));
        assert_string_equal(buf_text(&out), cases[n].expected);
    }
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_found_however_they_are_written),
        cmocka_unit_test(a_full_list_keeps_the_first_and_the_newest),
        cmocka_unit_test(too_long_an_id_is_no_id),
        cmocka_unit_test(valid_is_what_gmail_leaves_alone),
        cmocka_unit_test(references_get_the_anchor_last_and_each_id_once),
        cmocka_unit_test(older_anchors_go_first_then_the_middle),
        cmocka_unit_test(what_was_asked_for_stays_however_long_the_rest),
        cmocka_unit_test(a_twin_stands_behind_its_id),
    };

    return cmocka_run_group_tests_name("msgid", tests, NULL, NULL);
}
