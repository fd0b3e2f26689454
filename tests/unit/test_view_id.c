/* SPDX-License-Identifier: BSD-2-Clause */
/* the id of a view: good for one link, one day, and only as it was made */

#include "pixeld/view_id.h"
#include "tests/unit/incoming_tokens.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct keys *keys;
static const struct token token = {.kind = TOKEN_DOCUMENT, .message = 1234567, .recipient = 77, .index = 2};
static const int64_t now_ms = 1700000000000;

static int set_up(void **state)
{
    char path[] = "/tmp/spoor-test-XXXXXX";
    int fd = mkstemp(path);
    struct buf error;

    (void)state;
    buf_init(&error, 1000);
    if (fd >= 0 && unlink(path) == 0 && close(fd) == 0 && keys_create(path, &error))
        keys = keys_load(path, &error);
    unlink(path);
    buf_free(&error);
    return keys ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    keys_free(keys);
    return 0;
}

static void what_was_made_is_read(void **state)
{
    char text[VIEW_ID_TEXT + 1], other[VIEW_ID_TEXT + 1];
    struct view_id id;

    (void)state;
    assert_true(view_id_make(keys, &token, 42, now_ms, text));
    assert_int_equal(strlen(text), VIEW_ID_TEXT);
    assert_true(view_id_read(keys, &token, slice_str(text), now_ms + 5000, &id));
    assert_int_equal(id.document, 42);
    assert_int_equal(id.time_ms, now_ms);
    assert_true(view_id_make(keys, &token, 42, now_ms, other));
    assert_string_not_equal(text, other);
}

static void no_character_may_be_another(void **state)
{
    char text[VIEW_ID_TEXT + 1];
    struct view_id id;

    (void)state;
    assert_true(view_id_make(keys, &token, 42, now_ms, text));
    for (size_t at = 0; at < VIEW_ID_TEXT; at++) {
        char was = text[at];

        text[at] = was == '0' ? '1' : '0';
        assert_false(view_id_read(keys, &token, slice_str(text), now_ms, &id));
        text[at] = was;
    }
    text[3] = 'g';
    assert_false(view_id_read(keys, &token, slice_str(text), now_ms, &id));
    assert_false(view_id_read(keys, &token, slice_of(text, VIEW_ID_TEXT - 1), now_ms, &id));
    assert_false(view_id_read(keys, &token, slice_of(NULL, 0), now_ms, &id));
}

static void it_is_good_for_its_link_alone(void **state)
{
    struct token others[] = {token, token, token, token};
    char text[VIEW_ID_TEXT + 1];
    struct view_id id;

    (void)state;
    others[0].message++;
    others[1].recipient++;
    others[2].index++;
    others[3].aggregate = true;
    assert_true(view_id_make(keys, &token, 42, now_ms, text));
    for (size_t n = 0; n < 4; n++)
        assert_false(view_id_read(keys, &others[n], slice_str(text), now_ms, &id));
}

static void it_is_good_for_a_day(void **state)
{
    char text[VIEW_ID_TEXT + 1];
    struct view_id id;

    (void)state;
    assert_true(view_id_make(keys, &token, 42, now_ms, text));
    assert_true(view_id_read(keys, &token, slice_str(text), now_ms + VIEW_ID_VALID_MS, &id));
    assert_false(view_id_read(keys, &token, slice_str(text), now_ms + VIEW_ID_VALID_MS + 1, &id));
    assert_true(view_id_read(keys, &token, slice_str(text), now_ms - 1000, &id)); /* another machine's clock */
    assert_false(view_id_read(keys, &token, slice_str(text), now_ms - 3600000, &id));
}

static void under_a_revoked_key_it_is_worth_nothing(void **state)
{
    struct keys *before = incoming_keys(1), *after = incoming_keys_revoking(1);
    char text[VIEW_ID_TEXT + 1];
    struct view_id id;

    (void)state;
    assert_true(view_id_make(before, &token, 42, now_ms, text));
    assert_true(view_id_read(before, &token, slice_str(text), now_ms, &id));
    assert_false(view_id_read(after, &token, slice_str(text), now_ms, &id));
    keys_free(before);
    keys_free(after);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_made_is_read),
        cmocka_unit_test(no_character_may_be_another),
        cmocka_unit_test(it_is_good_for_its_link_alone),
        cmocka_unit_test(it_is_good_for_a_day),
        cmocka_unit_test(under_a_revoked_key_it_is_worth_nothing),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
