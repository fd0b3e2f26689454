/* SPDX-License-Identifier: BSD-2-Clause */
/* MIME structure: where parts lie, and when nobody should touch them */

#include "mail/mime.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/* The tree of a whole mail; the caller frees it. BODY points into MAIL. */
static struct mime_tree tree_of(const char *mail, struct slice *body)
{
    struct header_list headers;
    struct mime_tree tree;

    header_list_init(&headers);
    *body = slice_from(slice_str(mail), header_parse(slice_str(mail), &headers));
    assert_true(mime_scan(&headers, *body, &tree));
    header_list_free(&headers);
    return tree;
}

static void expect_content(const struct mime_tree *tree, size_t index, struct slice body, const char *content)
{
    assert_true(index < tree->count);
    assert_int_equal(tree->part[index].len, strlen(content));
    assert_memory_equal(body.p + tree->part[index].at, content, strlen(content));
}

static void nested_parts_are_found(void **state)
{
    struct slice body;
    struct mime_tree tree =
        tree_of("Content-Type: multipart/mixed; boundary=out\r\n\r\npreamble\r\n--out\r\n"
                "Content-Type: multipart/alternative;\r\n boundary=\"in\"\r\n\r\n--in\r\n\r\nplain\r\n"
                "--in  \r\nContent-Type: text/html; charset=UTF-8\r\n"
                "Content-Transfer-Encoding: Quoted-Printable\r\n\r\n<p>\r\n\r\n--in--\r\n"
                "--outer is no delimiter\r\n--out\r\nContent-Disposition: attachment\r\n\r\nx\r\n"
                "--out--\r\nepilogue\r\n",
                &body);

    (void)state;
    assert_int_equal(tree.count, 5);
    expect_content(&tree, 2, body, "plain");
    expect_content(&tree, 3, body, "<p>\r\n");
    expect_content(&tree, 4, body, "x");
    assert_string_equal(tree.part[2].type, "text/plain");
    assert_string_equal(tree.part[3].charset, "UTF-8");
    assert_int_equal(tree.part[3].encoding, MIME_QUOTED_PRINTABLE);
    assert_int_equal(tree.part[3].parent, 1);
    assert_int_equal(tree.part[4].parent, 0);
    assert_true(tree.part[4].attachment);
    mime_tree_free(&tree);
}

static void missing_ends_are_survived(void **state)
{
    struct slice body;
    struct mime_tree tree =
        tree_of("Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b\n\ntwo, cut off", &body);

    (void)state;
    assert_int_equal(tree.count, 3);
    expect_content(&tree, 1, body, "one");
    expect_content(&tree, 2, body, "two, cut off");
    mime_tree_free(&tree);
}

static void an_outer_delimiter_ends_inner_parts(void **state)
{
    struct slice body;
    struct mime_tree tree =
        tree_of("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
                "Content-Type: multipart/mixed; boundary=bb\r\n\r\n--bb\r\n\r\ninner\r\n--b\r\n\r\n"
                "outer\r\n--bb\r\nnot a part any more\r\n--b--\r\n",
                &body);

    (void)state;
    assert_int_equal(tree.count, 4);
    expect_content(&tree, 2, body, "inner");
    expect_content(&tree, 3, body, "outer\r\n--bb\r\nnot a part any more");
    mime_tree_free(&tree);
}

static void expect_opaque(const char *mail, size_t index, const char *reason)
{
    struct slice body;
    struct mime_tree tree = tree_of(mail, &body);

    assert_true(index < tree.count);
    assert_non_null(tree.part[index].opaque);
    assert_string_equal(tree.part[index].opaque, reason);
    mime_tree_free(&tree);
}

static void doubtful_parts_are_opaque(void **state)
{
    (void)state;
    expect_opaque("Content-Type: multipart/mixed\r\n\r\n--x\r\n\r\n", 0, "boundary");
    expect_opaque("Content-Type: text/html\r\nContent-Type: text/plain\r\n\r\nx", 0, "content_type");
    expect_opaque("Content-Type: text/html; charset=a; charset=b\r\n\r\nx", 0, "content_type");
    expect_opaque("Content-Type: text/html\r\nContent-Transfer-Encoding: x-uuencode\r\n\r\nx", 0, "encoding");
    expect_opaque("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nno header\r\n\r\nx\r\n--b--\r\n",
                  1, "header");
    expect_opaque("Content-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: base64\r\n\r\n", 0,
                  "encoding");
    expect_opaque("Content-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\n", 0, "message");
}

static void sealed_parts_are_opaque_below(void **state)
{
    (void)state;
    expect_opaque("Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\nContent-Type: multipart/mixed; "
                  "boundary=c\r\n\r\n"
                  "--c\r\nContent-Type: text/html\r\n\r\nx\r\n--c--\r\n--b--\r\n",
                  2, "signed");
    expect_opaque(
        "Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\nSubject: x\r\n\r\n\r\n--b--\r\n", 1,
        "message");
}

static void depth_and_number_are_bounded(void **state)
{
    struct header_list headers;
    struct mime_tree tree;
    struct buf body;

    (void)state;
    buf_init(&body, 1000000);
    header_list_init(&headers);
    header_list_add(&headers, "Content-Type", "multipart/mixed; boundary=b0");
    for (int n = 0; n < 100; n++)
        buf_add_f(&body, "--b%d\r\nContent-Type: multipart/mixed; boundary=b%d\r\n\r\n", n, n + 1);
    assert_true(mime_scan(&headers, buf_slice(&body), &tree));
    assert_int_equal(tree.count, MIME_DEPTH_MAX + 1);
    assert_string_equal(tree.part[MIME_DEPTH_MAX].opaque, "too_deep");
    mime_tree_free(&tree);
    buf_reset(&body);
    for (int n = 0; n < 2 * MIME_PARTS_MAX; n++)
        buf_add_str(&body, "--b0\r\n\r\nx\r\n");
    assert_true(mime_scan(&headers, buf_slice(&body), &tree));
    assert_int_equal(tree.count, MIME_PARTS_MAX);
    mime_tree_free(&tree);
    header_list_free(&headers);
    buf_free(&body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nested_parts_are_found),
        cmocka_unit_test(missing_ends_are_survived),
        cmocka_unit_test(an_outer_delimiter_ends_inner_parts),
        cmocka_unit_test(doubtful_parts_are_opaque),
        cmocka_unit_test(sealed_parts_are_opaque_below),
        cmocka_unit_test(depth_and_number_are_bounded),
    };

    return cmocka_run_group_tests_name("mime", tests, NULL, NULL);
}
