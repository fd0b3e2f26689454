/* SPDX-License-Identifier: BSD-2-Clause */
/* the order of candidate ids, their rungs, and the limits on what is read */

#include "mail/named_ids.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* "rung:newer:id" for each candidate, a space between. */
static const char *named_ids_of(const char *mail, const char *returned, struct buf *out)
{
    struct header_list headers, of_returned;
    struct named_ids ids;

    header_list_init(&headers);
    header_list_init(&of_returned);
    header_parse(slice_str(mail), &headers);
    header_parse(slice_str(returned), &of_returned);
    assert_true(named_ids_read(&headers, returned ? &of_returned : NULL, &ids));
    buf_reset(out);
    for (size_t n = 0; n < ids.count; n++)
        buf_add_f(out, "%s%s:%zu:%s", n ? " " : "", answer_rung_name(ids.id[n].rung), ids.id[n].newer,
                  ids.id[n].text);
    header_list_free(&headers);
    header_list_free(&of_returned);
    return buf_text(out);
}

/* the shape of one; signatures are not looked at here */
#define ANCHOR "cyaqzj4jrmpyaaaabthx5cqaab7dc6idk2ib3shrlq7gcqsrgcva"

static void candidates_come_best_first(void **state)
{
    static const struct {
        const char *mail, *returned, *ids;
    } cases[] = {
        {"Subject: none\n\n", NULL, ""},
        {"In-Reply-To: <c@x>\nReferences: <a@x> <b@x> <c@x>\n\n", NULL,
         "in_reply_to:0:c@x references:1:b@x references:2:a@x"},
        {"References: <a@x>\nReferences: <b@x>\nIn-Reply-To: <d@x>\nin-reply-to: <e@x>\n\n", NULL,
         "in_reply_to:0:d@x in_reply_to:0:e@x references:0:b@x references:1:a@x"},
        {"X-Google-Original-Message-ID: <g@x>\nX-Microsoft-Original-Message-ID:\n <m@x>\n\n", NULL,
         "original_message_id:0:m@x original_message_id:0:g@x"},
        {"References: <a@x>\n\n", "Message-ID: <m@x>\nReferences: <b@x> <c@x>\nOriginal-Message-ID: <o@x>\n\n",
         "references:0:a@x returned_headers:0:o@x returned_headers:0:m@x"},
        /* a returned mail's References name mails that were delivered; only an anchor that stands last is its own */
        {"Subject: bounce\n\n", "Message-ID: <m@x>\nReferences: <b@x> <" ANCHOR "@x>\n\n",
         "returned_headers:0:m@x returned_headers:0:" ANCHOR "@x"},
        {"Subject: bounce\n\n", "Message-ID: <m@x>\nReferences: <" ANCHOR "@x> <b@x>\n\n", "returned_headers:0:m@x"},
        {"References: =?utf-8?B?PGFAeD4gPGJAeD4=?=\n\n", NULL, "references:0:b@x references:1:a@x"},
        {"Message-ID: <own@x>\n\n", NULL, ""},
    };
    struct buf out;

    (void)state;
    buf_init(&out, 100000);
    for (size_t n = 0; n < sizeof cases / sizeof cases[0]; n++)
        assert_string_equal(named_ids_of(cases[n].mail, cases[n].returned, &out), cases[n].ids);
    buf_free(&out);
}

static void limits_keep_the_newest(void **state)
{
    struct header_list headers;
    struct named_ids ids;
    struct buf mail;

    (void)state;
    buf_init(&mail, 1000000);
    buf_add_str(&mail, "In-Reply-To:");
    for (int n = 0; n < 100; n++)
        buf_add_f(&mail, " <parent%d@x>", n);
    buf_add_str(&mail, "\nReferences:");
    for (int n = 0; n < 20000; n++)
        buf_add_f(&mail, "\n <%d@x>", n);
    buf_add_str(&mail, "\n\n");
    header_list_init(&headers);
    header_parse(buf_slice(&mail), &headers);
    assert_true(named_ids_read(&headers, NULL, &ids));
    assert_int_equal(ids.count, NAMED_IDS_MAX);
    assert_string_equal(ids.id[NAMED_IDS_IN_REPLY_TO_MAX - 1].text, "parent15@x");
    assert_string_equal(ids.id[NAMED_IDS_IN_REPLY_TO_MAX].text, "19999@x");
    assert_int_equal(ids.id[NAMED_IDS_IN_REPLY_TO_MAX].newer, 0);
    header_list_free(&headers);
    buf_free(&mail);
}

static void an_id_has_a_left_and_a_right_side(void **state)
{
    struct named_id id = {.text = "a@b@c.example", .len = 13};

    (void)state;
    assert_true(slice_is(named_id_domain(&id), "c.example"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(candidates_come_best_first),
        cmocka_unit_test(limits_keep_the_newest),
        cmocka_unit_test(an_id_has_a_left_and_a_right_side),
    };

    return cmocka_run_group_tests_name("named_ids", tests, NULL, NULL);
}
