/* SPDX-License-Identifier: BSD-2-Clause */
/* X-Spoor-Pass: what is written is read, and nothing else is believed */

#include "mail/pass.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

enum { NOW = 1790000000 };

static struct keys *keys;

static int make_keys(void **state)
{
    char path[] = "/tmp/spoor-pass-XXXXXX";
    int fd = mkstemp(path);
    struct buf error;

    (void)state;
    buf_init(&error, 1000);
    if (fd < 0 || close(fd) != 0 || unlink(path) != 0 || !keys_create(path, &error))
        return -1;
    keys = keys_load(path, &error);
    unlink(path);
    buf_free(&error);
    return keys ? 0 : -1;
}

static int free_keys(void **state)
{
    (void)state;
    keys_free(keys);
    return 0;
}

static struct pass sample(void)
{
    return (struct pass){
        .message = UINT64_C(18446744073709551615),
        .time_s = NOW,
        .level = LEVEL_INDIVIDUAL,
        .body = true,
        .links = true,
        .owner = slice_str("\"a;b% c\"\xc3\xbc@example.com"),
    };
}

static void write_pass(const struct pass *pass, const char *message_id, struct buf *value)
{
    buf_init(value, 5000);
    assert_true(pass_write(keys, pass, slice_str(message_id), value));
}

/* NULL when it is believed. */
static const char *reason_of(struct slice value, const char *message_id, int64_t now_s)
{
    struct buf text;
    struct pass pass;
    const char *reason;

    buf_init(&text, 5000);
    reason = pass_read(keys, value, slice_str(message_id), now_s, &pass, &text);
    buf_free(&text);
    return reason;
}

static void what_is_written_is_read(void **state)
{
    struct pass in = sample(), out;
    struct buf value, text;

    (void)state;
    write_pass(&in, "a@example.com", &value);
    buf_init(&text, 5000);
    assert_null(pass_read(keys, buf_slice(&value), slice_str("a@example.com"), NOW + 5, &out, &text));
    assert_true(out.message == in.message && out.time_s == in.time_s);
    assert_int_equal(out.level, LEVEL_INDIVIDUAL);
    assert_true(out.body && out.links && !out.views);
    assert_true(slice_eq(out.owner, in.owner));
    buf_free(&text);
    buf_free(&value);
}

static void every_level_and_wish_comes_back(void **state)
{
    (void)state;
    for (unsigned at = 0; at < 24; at++) {
        struct pass in = {.time_s = NOW, .level = at / 8, .body = at & 1, .views = at & 2, .links = at & 4};
        struct buf value, text;
        struct pass out;

        write_pass(&in, "", &value);
        buf_init(&text, 5000);
        assert_null(pass_read(keys, buf_slice(&value), slice_str(""), NOW, &out, &text));
        assert_true(out.level == in.level && out.body == in.body && out.views == in.views && out.links == in.links);
        buf_free(&text);
        buf_free(&value);
    }
}

static void lines_are_short_and_ascii(void **state)
{
    char owner[321];
    struct pass in = sample();
    struct buf value;
    size_t line = sizeof PASS_HEADER + 1;

    (void)state;
    memset(owner, '\xc3', sizeof owner - 1);
    in.owner = slice_of(owner, sizeof owner - 1);
    write_pass(&in, "a@example.com", &value);
    for (size_t at = 0; at < value.len; at++) {
        line = value.data[at] == '\n' ? 0 : line + 1;
        assert_true(line < 998);
        assert_true(value.data[at] == '\n' || value.data[at] == '\t' || (value.data[at] >= ' ' && value.data[at] < 0x7f));
    }
    assert_null(reason_of(buf_slice(&value), "a@example.com", NOW));
    buf_free(&value);
}

static void an_owner_without_end_is_refused(void **state)
{
    static char owner[2000];
    struct pass in = sample();
    struct buf value;

    (void)state;
    in.owner = slice_of(owner, sizeof owner);
    buf_init(&value, 5000);
    assert_false(pass_write(keys, &in, slice_str("a@example.com"), &value));
    assert_int_equal(value.len, 0);
    buf_free(&value);
}

static void folding_anew_does_no_harm(void **state)
{
    struct pass in = sample();
    struct buf value;

    (void)state;
    write_pass(&in, "a@example.com", &value);
    for (size_t at = 0; at < value.len; at++)
        if (value.data[at] == '\n' || value.data[at] == '\t')
            value.data[at] = ' ';
    assert_null(reason_of(buf_slice(&value), "a@example.com", NOW));
    buf_free(&value);
}

static void any_changed_byte_is_found(void **state)
{
    struct pass in = sample();
    struct buf value;

    (void)state;
    write_pass(&in, "a@example.com", &value);
    for (size_t at = 0; at < value.len; at++) {
        char was = value.data[at];

        if (ascii_is_space(was))
            continue;
        value.data[at] = was == '1' ? '2' : '1';
        assert_non_null(reason_of(buf_slice(&value), "a@example.com", NOW));
        value.data[at] = was;
    }
    for (size_t len = 0; len < value.len; len++)
        assert_non_null(reason_of(slice_of(value.data, len), "a@example.com", NOW));
    buf_free(&value);
}

static void it_counts_for_one_mail_and_some_days(void **state)
{
    struct pass in = sample();
    struct buf value;

    (void)state;
    write_pass(&in, "a@example.com", &value);
    assert_string_equal(reason_of(buf_slice(&value), "b@example.com", NOW), "forged_pass");
    assert_string_equal(reason_of(buf_slice(&value), "", NOW), "forged_pass");
    assert_string_equal(reason_of(buf_slice(&value), "a@example.com", NOW + PASS_LIFE_S + 1), "old_pass");
    assert_string_equal(reason_of(buf_slice(&value), "a@example.com", NOW - PASS_AHEAD_S - 1), "old_pass");
    assert_null(reason_of(buf_slice(&value), "a@example.com", NOW + PASS_LIFE_S));
    buf_free(&value);
}

static void what_is_none_is_forged(void **state)
{
    static const char *const values[] = {
        "", "v=1", "v=1;k=0;", "v=2;k=1;m=1;t=1;l=off;d=;o=;s=00000000000000000000000000000000",
        "v=1;k=1;m=1;t=1;l=off;d=;o=;s=00000000000000000000000000000000", "s=00000000000000000000000000000000",
        ";s=00000000000000000000000000000000", "v=1;k=1;m=99999999999999999999;s=00000000000000000000000000000000",
    };

    (void)state;
    for (size_t at = 0; at < sizeof values / sizeof *values; at++)
        assert_string_equal(reason_of(slice_str(values[at]), "a@example.com", NOW), "forged_pass");
    assert_string_equal(reason_of(slice_str("v=1;k=77;m=1;t=1;l=off;d=;o=;s=00000000000000000000000000000000"), "", NOW),
                        "unknown_key");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(every_level_and_wish_comes_back),
        cmocka_unit_test(lines_are_short_and_ascii),
        cmocka_unit_test(an_owner_without_end_is_refused),
        cmocka_unit_test(folding_anew_does_no_harm),
        cmocka_unit_test(any_changed_byte_is_found),
        cmocka_unit_test(it_counts_for_one_mail_and_some_days),
        cmocka_unit_test(what_is_none_is_forged),
    };

    return cmocka_run_group_tests(tests, make_keys, free_keys);
}
