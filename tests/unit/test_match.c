/* SPDX-License-Identifier: BSD-2-Clause */
/* which mail is answered, when the answer itself was tracked too; and what a returned mail's References prove */

#include "common/token.h"
#include "mail/match.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/* "a1" is the anchor of mail 1, "m2" the Message-ID of mail 2, "r3" that of mail 3 under a revoked key; all other ids are strangers'. */
static enum token_result verify(void *arg, struct slice left, struct token *token)
{
    (void)arg;
    *token = (struct token){.kind = TOKEN_VIEW};
    if (left.len != 2 || (left.p[0] != 'a' && left.p[0] != 'm' && left.p[0] != 'r'))
        return TOKEN_MALFORMED;
    token->kind = left.p[0] == 'a' ? TOKEN_ANCHOR : TOKEN_MESSAGE_ID;
    token->message = (uint64_t)(left.p[1] - '0');
    return left.p[0] == 'r' ? TOKEN_REVOKED : TOKEN_GOOD;
}

static void kept(void *arg, struct sent_id *ids, size_t count)
{
    (void)arg;
    for (size_t n = 0; n < count; n++)
        ids[n].message = slice_is(ids[n].id, "kept7@x") ? 7 : 0;
}

static bool find(const char *header, struct match *match)
{
    const struct incoming_lookup lookup = {.token = verify, .kept_ids = kept};
    struct incoming_mail mail = {.recipients = 0};
    struct header_list headers;
    struct named_ids ids;
    struct way way = {.steps = 0};
    bool found;

    header_list_init(&headers);
    header_parse(slice_str(header), &headers);
    mail.headers = &headers;
    assert_true(named_ids_read(&headers, NULL, &ids));
    found = match_find(&mail, &lookup, &ids, match, &way);
    header_list_free(&headers);
    return found;
}

static void the_answered_mail_is_found_above_the_answers_own_anchor(void **state)
{
    static const struct {
        const char *header;
        uint64_t message;
        bool itself, direct;
    } rows[] = {
        /* an answer to a mail that kept its id, and whose author is tracked as well */
        {"In-Reply-To: <own@x>\nReferences: <a1@x> <own@x> <a2@x>\n\n", 1, false, true},
        {"In-Reply-To: <m1@x>\nReferences: <a1@x> <m1@x> <own2@x> <a2@x>\n\n", 1, false, true},
        {"References: <a1@x> <m1@x> <m2@x> <a2@x>\n\n", 1, false, true},
        {"In-Reply-To: <kept7@x>\nReferences: <kept7@x> <a2@x>\n\n", 7, false, true},
        /* a first mail names nothing but itself */
        {"References: <a2@x>\n\n", 2, true, true},
        {"References: <own@x> <a2@x>\n\n", 2, true, true},
        {"References: <m2@x> <a2@x>\n\n", 2, true, true},
        {"References: <kept7@x> <a7@x>\n\n", 7, true, true},
        {"In-Reply-To: <kept7@x>\nReferences: <a1@x> <kept7@x> <a7@x>\n\n", 1, false, true},
        /* an answer from a program that is not tracked */
        {"References: <a1@x> <own@x>\n\n", 1, false, true},
        {"References: <a1@x> <own@x> <between@x>\n\n", 1, false, false},
    };

    (void)state;
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
        struct match match;

        print_message("row %zu\n", row);
        assert_true(find(rows[row].header, &match));
        assert_int_equal(match.token.message, rows[row].message);
        assert_int_equal(match_is_itself(&match), rows[row].itself);
        assert_int_equal(match_is_direct(&match), rows[row].direct);
    }
}

static void strangers_match_nothing(void **state)
{
    struct match match;

    (void)state;
    assert_false(find("In-Reply-To: <one@x>\nReferences: <two@x> <three@x>\n\n", &match));
}

/* Who has the key can have made it. What the database knows is evidence all the same. */
static void an_id_under_a_revoked_key_proves_nothing(void **state)
{
    struct match match;

    (void)state;
    assert_false(find("In-Reply-To: <r3@x>\nReferences: <r3@x>\n\n", &match));
    assert_true(match.forged);
    assert_true(find("In-Reply-To: <r3@x>\nReferences: <a1@x> <r3@x>\n\n", &match));
    assert_int_equal(match.token.message, 1);
    assert_true(find("In-Reply-To: <kept7@x>\nReferences: <r3@x> <kept7@x>\n\n", &match));
    assert_int_equal(match.token.message, 7);
    assert_true(match.forged);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_answered_mail_is_found_above_the_answers_own_anchor),
        cmocka_unit_test(strangers_match_nothing),
        cmocka_unit_test(an_id_under_a_revoked_key_proves_nothing),
    };

    return cmocka_run_group_tests_name("match", tests, NULL, NULL);
}
