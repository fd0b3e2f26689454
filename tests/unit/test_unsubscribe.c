/* SPDX-License-Identifier: BSD-2-Clause */
/* who wants no more of a campaign: what its mail offers, and the mails that ask */

#include "mail/address_token.h"
#include "mail/list_unsubscribe.h"
#include "mail/unsubscribe_request.h"
#include "tests/unit/incoming_tokens.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define ADDRESS "unsubscribe@example.com"

static struct keys *keys;

/* --- what a mail offers ------------------------------------------------------------------------------ */

static enum list_unsubscribe_offer offer(const char *header, uint32_t recipient, const char *address, struct buf *field)
{
    struct list_unsubscribe wanted = {.keys = keys,
                                      .tracking_url = INCOMING_TRACKING_URL,
                                      .address = address,
                                      .message = INCOMING_MESSAGE,
                                      .recipient = recipient};
    struct header_list headers;
    enum list_unsubscribe_offer made;

    header_list_init(&headers);
    header_parse(slice_str(header), &headers);
    buf_init(field, 1000);
    made = list_unsubscribe_make(&wanted, &headers, field);
    assert_false(field->failed);
    header_list_free(&headers);
    return made;
}

/* The token between BEFORE and AFTER, which must be all of TEXT's part; what stands behind. */
static const char *check_token(const char *text, const char *before, const char *after, uint32_t recipient)
{
    struct token token;

    assert_memory_equal(text, before, strlen(before));
    text += strlen(before);
    assert_int_equal(token_verify(keys, slice_of(text, TOKEN_TEXT), slice_str(""), &token), TOKEN_GOOD);
    assert_int_equal(token.kind, TOKEN_UNSUBSCRIBE);
    assert_true(token.message == INCOMING_MESSAGE && token.recipient == recipient);
    text += TOKEN_TEXT;
    assert_memory_equal(text, after, strlen(after));
    return text + strlen(after);
}

static void one_recipient_is_offered_a_click(void **state)
{
    struct buf field;
    const char *rest;

    (void)state;
    assert_int_equal(offer("Subject: a\r\n\r\n", 7, "", &field), LIST_UNSUBSCRIBE_BY_CLICK);
    assert_string_equal(check_token(buf_text(&field), "<" INCOMING_TRACKING_URL "/u/", ">", 7), "");
    buf_free(&field);
    assert_int_equal(offer("Subject: a\r\n\r\n", 7, ADDRESS, &field), LIST_UNSUBSCRIBE_BY_CLICK);
    rest = check_token(buf_text(&field), "<" INCOMING_TRACKING_URL "/u/", ">,\n\t", 7);
    assert_string_equal(check_token(rest, "<mailto:unsubscribe+", "@example.com>", 7), "");
    buf_free(&field);
}

static void several_are_offered_the_mail_alone(void **state)
{
    struct buf field;

    (void)state;
    assert_int_equal(offer("Subject: a\r\n\r\n", 0, ADDRESS, &field), LIST_UNSUBSCRIBE_BY_MAIL);
    assert_string_equal(check_token(buf_text(&field), "<mailto:unsubscribe+", "@example.com>", 0), "");
    buf_free(&field);
    assert_int_equal(offer("Subject: a\r\n\r\n", 0, "", &field), LIST_UNSUBSCRIBE_NONE);
    assert_int_equal(field.len, 0);
    buf_free(&field);
}

static void a_field_of_the_mails_own_stays(void **state)
{
    static const char *const headers[] = {"List-Unsubscribe: <https://elsewhere.example/>\r\n\r\n", "LIST-UNSUBSCRIBE:\r\n\r\n"};
    struct buf field;

    (void)state;
    for (size_t n = 0; n < sizeof headers / sizeof *headers; n++) {
        assert_int_equal(offer(headers[n], 7, ADDRESS, &field), LIST_UNSUBSCRIBE_NONE);
        assert_int_equal(field.len, 0);
        buf_free(&field);
    }
}

/* --- mails that ask ------------------------------------------------------------------------------------ */

static enum token_result verify(void *arg, struct slice text, struct token *token)
{
    (void)arg;
    return token_verify(keys, text, slice_str(""), token);
}

static void write_recipient(char out[200], const char *form, enum token_kind kind, bool forge)
{
    struct token token = {.kind = kind, .message = INCOMING_MESSAGE};
    const char *place = strstr(form, "%s");
    char text[TOKEN_TEXT + 1];

    assert_non_null(place);
    assert_true(token_sign(keys, &token, slice_str(""), text));
    if (forge)
        text[39] = text[39] == 'a' ? 'b' : 'a';
    snprintf(out, 200, "%.*s%s%s", (int)(place - form), form, text, place + 2);
}

#define FROM_BOB "From: Bob <Bob@Client.example>\r\n"

static const struct {
    const char *header;
    const char *envelope_sender;
    const char *recipient; /* with %s for the token */
    bool forge;
    enum token_kind kind;
    const char *expected; /* "": taken; NULL: no mail to there */
} mails[] = {
    {FROM_BOB "Subject: unsubscribe\r\n\r\n", "bob@client.example", "unsubscribe+%s@example.com", false, TOKEN_UNSUBSCRIBE, ""},
    {FROM_BOB "\r\n", "bob@client.example", "Unsubscribe+%s@EXAMPLE.com", false, TOKEN_UNSUBSCRIBE, ""},
    {FROM_BOB "Auto-Submitted: auto-generated\r\n\r\n", "bob@client.example", "unsubscribe+%s@example.com", false,
     TOKEN_UNSUBSCRIBE, ""},
    {FROM_BOB "Auto-Submitted: auto-replied\r\n\r\n", "bob@client.example", "unsubscribe+%s@example.com", false,
     TOKEN_UNSUBSCRIBE, "automatic"},
    {FROM_BOB "Precedence: list\r\n\r\n", "bob@client.example", "unsubscribe+%s@example.com", false, TOKEN_UNSUBSCRIBE, "automatic"},
    {FROM_BOB "Subject: Automatic reply: unsubscribe\r\nX-Auto-Response-Suppress: All\r\n\r\n", "bob@client.example",
     "unsubscribe+%s@example.com", false, TOKEN_UNSUBSCRIBE, "automatic"},
    {FROM_BOB "Subject: x\r\n\r\n", "", "unsubscribe+%s@example.com", false, TOKEN_UNSUBSCRIBE, "automatic"},
    {FROM_BOB "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b\r\n"
              "Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; a\r\n\r\nFinal-Recipient: rfc822; a@b.example\r\n"
              "Action: failed\r\nStatus: 5.1.1\r\n\r\n--b--\r\n",
     "bob@client.example", "unsubscribe+%s@example.com", false, TOKEN_UNSUBSCRIBE, "automatic"},
    {FROM_BOB FROM_BOB "\r\n", "bob@client.example", "unsubscribe+%s@example.com", false, TOKEN_UNSUBSCRIBE, "no_from"},
    {"Subject: x\r\n\r\n", "bob@client.example", "unsubscribe+%s@example.com", false, TOKEN_UNSUBSCRIBE, "no_from"},
    {FROM_BOB "\r\n", "bob@client.example", "unsubscribe+%s@example.com", true, TOKEN_UNSUBSCRIBE, "forged"},
    {FROM_BOB "\r\n", "bob@client.example", "unsubscribe+%s@example.com", false, TOKEN_BOUNCE, NULL},
    {FROM_BOB "\r\n", "bob@client.example", "another+%s@example.com", false, TOKEN_UNSUBSCRIBE, NULL},
    {FROM_BOB "\r\n", "bob@client.example", "ununsubscribe+%s@example.com", false, TOKEN_UNSUBSCRIBE, NULL},
    {FROM_BOB "\r\n", "bob@client.example", "unsubscribe+%s@example.com.example", false, TOKEN_UNSUBSCRIBE, NULL},
    {FROM_BOB "\r\n", "bob@client.example", "unsubscribe%s@example.com", false, TOKEN_UNSUBSCRIBE, NULL},
    {FROM_BOB "\r\n", "bob@client.example", "%s@example.com", false, TOKEN_UNSUBSCRIBE, NULL},
    {FROM_BOB "\r\n", "bob@client.example", "unsubscribe+%s", false, TOKEN_UNSUBSCRIBE, NULL},
};

static void a_mail_asks_when_a_person_sent_it_to_a_good_token(void **state)
{
    struct incoming_lookup lookup = {.token = verify};

    (void)state;
    for (size_t n = 0; n < sizeof mails / sizeof *mails; n++) {
        char recipient[200];
        struct slice recipients[] = {slice_str("alice@example.com"), slice_str(recipient)};
        struct header_list headers;
        struct incoming_mail mail = {.headers = &headers, .recipient = recipients, .recipients = 2,
                                     .envelope_sender = slice_str(mails[n].envelope_sender)};
        struct unsubscribe_request request;
        bool asked;

        print_message("# mail %zu\n", n);
        write_recipient(recipient, mails[n].recipient, mails[n].kind, mails[n].forge);
        recipients[1] = slice_str(recipient);
        header_list_init(&headers);
        mail.body = slice_from(slice_str(mails[n].header), header_parse(slice_str(mails[n].header), &headers));
        asked = unsubscribe_request_read(&mail, &lookup, ADDRESS, &request);
        assert_int_equal(asked, mails[n].expected != NULL);
        if (asked)
            assert_string_equal(request.ignored ? request.ignored : "", mails[n].expected);
        if (asked && !request.ignored) {
            assert_string_equal(request.from, "bob@client.example");
            assert_true(request.message == INCOMING_MESSAGE);
        }
        assert_false(unsubscribe_request_read(&mail, &lookup, "", &request)); /* the option is empty */
        header_list_free(&headers);
    }
}

/* Why a good mail is ignored whose token is made here and verified with OTHERS, which are freed; NULL: it is taken. */
static const char *ignored_with(struct keys *others)
{
    struct incoming_lookup lookup = {.token = verify};
    struct keys *ours = keys;
    struct header_list headers;
    struct slice recipient;
    struct incoming_mail mail = {.headers = &headers, .recipient = &recipient, .recipients = 1,
                                 .envelope_sender = slice_str("bob@client.example")};
    struct unsubscribe_request request;
    char text[200];

    write_recipient(text, "unsubscribe+%s@example.com", TOKEN_UNSUBSCRIBE, false);
    recipient = slice_str(text);
    header_list_init(&headers);
    header_parse(slice_str(FROM_BOB "\r\n"), &headers);
    keys = others;
    assert_true(unsubscribe_request_read(&mail, &lookup, ADDRESS, &request));
    assert_true(request.message == INCOMING_MESSAGE);
    keys = ours;
    keys_free(others);
    header_list_free(&headers);
    return request.ignored;
}

static void an_unknown_key_may_come_later(void **state)
{
    (void)state;
    assert_string_equal(ignored_with(incoming_keys(200)), "unknown_key");
}

static void a_revoked_key_is_no_reason_to_refuse(void **state)
{
    (void)state;
    assert_null(ignored_with(incoming_keys_revoking(1)));
}

static int prepare(void **state)
{
    (void)state;
    keys = incoming_keys(1);
    return 0;
}

static int clean_up(void **state)
{
    (void)state;
    keys_free(keys);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_recipient_is_offered_a_click),
        cmocka_unit_test(several_are_offered_the_mail_alone),
        cmocka_unit_test(a_field_of_the_mails_own_stays),
        cmocka_unit_test(a_mail_asks_when_a_person_sent_it_to_a_good_token),
        cmocka_unit_test(an_unknown_key_may_come_later),
        cmocka_unit_test(a_revoked_key_is_no_reason_to_refuse),
    };

    return cmocka_run_group_tests_name("unsubscribe", tests, prepare, clean_up);
}
