/* SPDX-License-Identifier: BSD-2-Clause */
/* our URLs: what may be a destination, writing and reading back */

#include "common/url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TOKEN "citqci2fm6e2xtppm2fl53w6uaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define ALLOWED "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:/._%~-"

static const char tracking_url[] = "https://t.example.com";

static void destinations(void **state)
{
    static const char *const good[] = {
        "http://example.com", "HTTPS://Example.COM/", "https://example.com:8443/a/../b?x=%20#y",
        "http://192.0.2.1/", "http://[2001:db8::1]:80/", "https://x?q", "http://a_b.example/", "http://h:/",
        "https://example.com/a@b", "https://example.com/\\\"<>",
    };
    static const char *const bad[] = {
        "", "example.com", "ftp://example.com/", "mailto:a@example.com", "javascript:alert(1)", "http:/x", "http://",
        "http:///x", "http://?x", "http://:80/", "http://user@example.com/", "http://user:pw@example.com/",
        "http://example.com\\@evil.example/", "http://exa%6dple.com/", "http://{{host}}/", "http://example.com/a b",
        "http://example.com/\x01", "http://example.com/\x7f", "http://b\xc3\xbc.example/", "http://example.com:99999/",
        "http://example.com:8x/", "http://[::1/", "http://[]/", "http://[::g]/", "//example.com/", " http://example.com/",
        "http://example.com/\r\nSet-Cookie: x", "http://[::1]x/",
    };

    (void)state;
    for (size_t n = 0; n < sizeof good / sizeof *good; n++)
        if (!url_destination_ok(slice_str(good[n])))
            fail_msg("refused %s", good[n]);
    for (size_t n = 0; n < sizeof bad / sizeof *bad; n++)
        if (url_destination_ok(slice_str(bad[n])))
            fail_msg("took %s", bad[n]);
}

static void a_destination_may_be_1500_bytes(void **state)
{
    char url[DESTINATION_MAX + 1];

    (void)state;
    memset(url, 'a', sizeof url);
    memcpy(url, "http://x/", 9);
    assert_true(url_destination_ok(slice_of(url, DESTINATION_MAX)));
    assert_false(url_destination_ok(slice_of(url, DESTINATION_MAX + 1)));
    url[20] = '\0';
    assert_false(url_destination_ok(slice_of(url, 100)));
}

static void a_click_comes_back_byte_for_byte(void **state)
{
    static const char destination[] = "https://example.com/a/../b//c?d=%2F&e=\"+~#'<f>";
    struct url_target read;
    struct slice target;
    struct buf url;

    (void)state;
    buf_init(&url, 10000);
    assert_true(url_add_click(&url, tracking_url, TOKEN, slice_str(destination)));
    assert_string_equal(buf_text(&url), "https://t.example.com/c/" TOKEN "/https%3A%2F%2Fexample.com%2Fa%2F..%2Fb%2F%2F"
                                        "c%3Fd%3D%252F%26e%3D%22%2B~%23%27%3Cf%3E");
    assert_true(url_target_of(buf_slice(&url), tracking_url, &target));
    assert_true(url_target_parse(target, &read));
    assert_int_equal(read.kind, TOKEN_CLICK);
    assert_true(slice_is(read.token, TOKEN));
    assert_string_equal(buf_text(&read.destination), destination);
    url_target_free(&read);
    buf_free(&url);
}

static void a_document_comes_back(void **state)
{
    struct url_target read;
    struct slice target;
    struct buf url;

    (void)state;
    buf_init(&url, 1000);
    assert_true(url_add_document(&url, tracking_url, TOKEN));
    assert_string_equal(buf_text(&url), "https://t.example.com/d/" TOKEN);
    assert_true(url_target_of(buf_slice(&url), tracking_url, &target));
    assert_true(url_target_parse(target, &read));
    assert_int_equal(read.kind, TOKEN_DOCUMENT);
    assert_true(slice_is(read.token, TOKEN));
    url_target_free(&read);
    buf_free(&url);
}

static void a_documents_token_is_found_whatever_follows(void **state)
{
    static const char *const good[] = {"", "/3", "?x", ".", "\"", " and"};
    static const char *const bad[] = {"a", "7"};
    struct slice token;
    char url[200];

    (void)state;
    for (size_t n = 0; n < sizeof good / sizeof *good; n++) {
        snprintf(url, sizeof url, "https://T.example.com/d/%052d%s", 7, good[n]);
        assert_true(url_document_token(slice_str(url), tracking_url, &token));
        assert_int_equal(token.len, TOKEN_TEXT);
    }
    for (size_t n = 0; n < sizeof bad / sizeof *bad; n++) {
        snprintf(url, sizeof url, "https://t.example.com/d/%052d%s", 7, bad[n]);
        assert_false(url_document_token(slice_str(url), tracking_url, &token));
    }
    snprintf(url, sizeof url, "https://t.example.com/d/%52d", 7); /* blanks before it */
    assert_false(url_document_token(slice_str(url), tracking_url, &token));
    assert_false(url_document_token(slice_str("https://t.example.com/d/short"), tracking_url, &token));
}

static void every_byte_survives_the_encoding(void **state)
{
    char bytes[256];
    struct url_target read;
    struct slice target;
    struct buf url;

    (void)state;
    for (int n = 0; n < 256; n++)
        bytes[n] = (char)n;
    buf_init(&url, 10000);
    assert_true(url_add_click(&url, tracking_url, TOKEN, slice_of(bytes, sizeof bytes)));
    assert_int_equal(strspn(buf_text(&url), ALLOWED), url.len);
    assert_true(url_target_of(buf_slice(&url), tracking_url, &target));
    assert_true(url_target_parse(target, &read));
    assert_int_equal(read.destination.len, sizeof bytes);
    assert_memory_equal(read.destination.data, bytes, sizeof bytes);
    url_target_free(&read);
    buf_free(&url);
}

static void too_long_a_destination_makes_no_url(void **state)
{
    static char destination[DESTINATION_MAX + 1];
    struct buf url;

    (void)state;
    buf_init(&url, 10000);
    assert_false(url_add_click(&url, tracking_url, TOKEN, slice_of(destination, sizeof destination)));
    assert_true(url.failed);
    buf_free(&url);
}

static void views(void **state)
{
    struct buf url;

    (void)state;
    buf_init(&url, 1000);
    assert_true(url_add_view(&url, tracking_url, TOKEN));
    assert_string_equal(buf_text(&url), "https://t.example.com/o/" TOKEN ".gif");
    buf_free(&url);
}

static void expect(const char *text, bool good, enum token_kind kind, const char *token, const char *destination)
{
    struct url_target read;
    bool parsed = url_target_parse(slice_str(text), &read);

    if (parsed != good)
        fail_msg("%s: %s", text, parsed ? "taken" : "refused");
    if (good) {
        assert_int_equal(read.kind, kind);
        assert_true(slice_is(read.token, token));
        assert_string_equal(buf_text(&read.destination), destination);
    }
    url_target_free(&read);
}

static void targets(void **state)
{
    (void)state;
    expect("/o/abc.gif", true, TOKEN_VIEW, "abc", "");
    expect("/o/abc.GIF?u=1", true, TOKEN_VIEW, "abc", "");
    expect("/d/abc", true, TOKEN_DOCUMENT, "abc", "");
    expect("/d/abc/3-0123", true, TOKEN_DOCUMENT, "abc", "");
    expect("/u/abc?x", true, TOKEN_UNSUBSCRIBE, "abc", "");
    expect("/c/abc/http%3a%2F%2fx", true, TOKEN_CLICK, "abc", "http://x");
    expect("/c/abc/http://x/y?fbclid=z", true, TOKEN_CLICK, "abc", "http://x/y");
    expect("/c/abc/a+b%2525", true, TOKEN_CLICK, "abc", "a+b%25");

    expect("", false, 0, "", "");
    expect("/", false, 0, "", "");
    expect("/o/", false, 0, "", "");
    expect("/o/abc", false, 0, "", "");
    expect("/o/abc.png", false, 0, "", "");
    expect("/o/.gif", false, 0, "", "");
    expect("/o/a/b.gif", false, 0, "", "");
    expect("/x/abc", false, 0, "", "");
    expect("o/abc.gif", false, 0, "", "");
    expect("/d/abc/", false, 0, "", "");
    expect("/c/abc", false, 0, "", "");
    expect("/c/abc/", false, 0, "", "");
    expect("/c/abc/?x", false, 0, "", "");
    expect("/c//http", false, 0, "", "");
    expect("/c/abc/%", false, 0, "", "");
    expect("/c/abc/%4", false, 0, "", "");
    expect("/c/abc/%4g", false, 0, "", "");
    expect("/c/abc/%%41", false, 0, "", "");
}

static void only_our_own_urls_have_a_target(void **state)
{
    struct slice target;

    (void)state;
    assert_true(url_target_of(slice_str("HTTPS://T.Example.com/o/x.gif"), tracking_url, &target));
    assert_true(slice_is(target, "/o/x.gif"));
    assert_false(url_target_of(slice_str("https://t.example.com"), tracking_url, &target));
    assert_false(url_target_of(slice_str("https://t.example.com.evil/o/x.gif"), tracking_url, &target));
    assert_false(url_target_of(slice_str("http://t.example.com/o/x.gif"), tracking_url, &target));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(destinations),
        cmocka_unit_test(a_destination_may_be_1500_bytes),
        cmocka_unit_test(a_click_comes_back_byte_for_byte),
        cmocka_unit_test(a_document_comes_back),
        cmocka_unit_test(a_documents_token_is_found_whatever_follows),
        cmocka_unit_test(every_byte_survives_the_encoding),
        cmocka_unit_test(too_long_a_destination_makes_no_url),
        cmocka_unit_test(views),
        cmocka_unit_test(targets),
        cmocka_unit_test(only_our_own_urls_have_a_target),
    };

    return cmocka_run_group_tests_name("url", tests, NULL, NULL);
}
