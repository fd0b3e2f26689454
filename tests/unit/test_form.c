/* SPDX-License-Identifier: BSD-2-Clause */
/* forms and queries, what our cookies must look like, and foreign text in URLs and CSV */

#include "pixeld/feed_cookie.h"
#include "pixeld/form.h"
#include "pixeld/markup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void a_field_is_decoded_once(void **state)
{
    static const struct {
        const char *body, *value; /* NULL: no such text */
    } cases[] = {
        {"name=a+b%40c", "a b@c"}, {"x=1&name=2&name=3", "2"}, {"name=%25%34%31", "%41"}, {"name=", ""}, {"name", ""},
        {"surname=x", NULL}, {"", NULL}, {"name=%4", NULL}, {"name=%", NULL}, {"name=%zz", NULL}, {"name=%00", NULL},
        {"name=%ff", NULL}, {"name=%c3%bc", "\xc3\xbc"}, {"name=%ed%a0%80", NULL}, {"name=a=b", "a=b"},
    };

    (void)state;
    for (size_t n = 0; n < sizeof cases / sizeof *cases; n++) {
        struct buf value;
        bool found;

        buf_init(&value, 100);
        found = form_field(slice_str(cases[n].body), "name", &value);
        assert_int_equal(found, cases[n].value != NULL);
        if (found)
            assert_string_equal(buf_text(&value), cases[n].value);
        buf_free(&value);
    }
}

static void what_is_too_long_is_no_value(void **state)
{
    struct buf value;

    (void)state;
    buf_init(&value, 4);
    assert_false(form_field(slice_str("name=12345"), "name", &value));
    buf_free(&value);
}

#define SECRET "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define DEVICE "01234567-89ab-cdef-0123-456789abcdef"

static void a_cookie_has_our_form_and_name_or_is_none(void **state)
{
    static const struct {
        const char *field;
        bool secure, session, device;
    } cases[] = {
        {"__Host-spoor-session=" SECRET "; __Host-spoor-device=" DEVICE, true, true, true},
        {"spoor-session=" SECRET "; spoor-device=" DEVICE, true, false, false}, /* a neighbour's host may set these */
        {"spoor-session=" SECRET "; spoor-device=" DEVICE, false, true, true},
        {"__Host-spoor-session=" SECRET "0; __Host-spoor-device=" DEVICE "0", true, false, false},
        {"__Host-spoor-session=x" SECRET "; __Host-spoor-device=0123456789ab-cdef-0123-456789abcdef--", true, false, false},
        {"__Host-spoor-session=" DEVICE "; __Host-spoor-device=" SECRET, true, false, false},
        {"", true, false, false},
    };

    (void)state;
    for (size_t n = 0; n < sizeof cases / sizeof *cases; n++) {
        struct request request = {.field = {[REQUEST_COOKIE] = slice_str(cases[n].field)}};
        uint8_t device[16] = {0};
        char session[65];

        feed_cookie_read(&request, FEED_COOKIE_SESSION, cases[n].secure, session, sizeof session);
        assert_string_equal(session, cases[n].session ? SECRET : "");
        assert_int_equal(feed_cookie_device(&request, cases[n].secure, device), cases[n].device);
        if (cases[n].device)
            for (size_t at = 0; at < sizeof device; at++)
                assert_int_equal(device[at], (at % 8) * 0x22 + 1);
    }
}

static void cookies_say_where_they_go(void **state)
{
    struct buf cookie;

    (void)state;
    buf_init(&cookie, 512);
    feed_cookie_set(&cookie, FEED_COOKIE_SESSION, true, "abc");
    assert_string_equal(buf_text(&cookie),
                        "__Host-spoor-session=abc; Path=/; Max-Age=34560000; HttpOnly; SameSite=Lax; Secure");
    buf_reset(&cookie);
    feed_cookie_set(&cookie, FEED_COOKIE_DEVICE, true, "abc");
    assert_non_null(strstr(buf_text(&cookie), "SameSite=None; Secure"));
    buf_reset(&cookie);
    feed_cookie_set(&cookie, FEED_COOKIE_SESSION, false, "");
    assert_string_equal(buf_text(&cookie), "spoor-session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax");
    buf_free(&cookie);
}

static void foreign_text_stays_text(void **state)
{
    static const struct {
        const char *text, *csv;
    } cases[] = {
        {"plain", "\"plain\""}, {"a \"b\", c", "\"a \"\"b\"\", c\""}, {"=1+2", "\"'=1+2\""}, {"@x", "\"'@x\""},
        {"-", "\"'-\""}, {NULL, "\"\""}, {"a=b", "\"a=b\""},
    };
    struct buf out;

    (void)state;
    buf_init(&out, 1000);
    for (size_t n = 0; n < sizeof cases / sizeof *cases; n++) {
        buf_reset(&out);
        markup_csv(&out, cases[n].text);
        assert_string_equal(buf_text(&out), cases[n].csv);
    }
    buf_reset(&out);
    markup_f(&out, "<a href=\"%s\">%s</a>", "x\"onclick=\"", "<b>");
    assert_string_equal(buf_text(&out), "<a href=\"x&quot;onclick=&quot;\">&lt;b&gt;</a>");
    buf_reset(&out);
    markup_argument(&out, "a b&c=\xc3\xbc");
    assert_string_equal(buf_text(&out), "a%20b%26c%3D%C3%BC");
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_field_is_decoded_once),
        cmocka_unit_test(what_is_too_long_is_no_value),
        cmocka_unit_test(a_cookie_has_our_form_and_name_or_is_none),
        cmocka_unit_test(cookies_say_where_they_go),
        cmocka_unit_test(foreign_text_stays_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
