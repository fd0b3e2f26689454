/* SPDX-License-Identifier: BSD-2-Clause */
/* when an answer's In-Reply-To gets the sender's own id back */

#include "mail/thread.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void only_the_answered_mail_gets_its_own_id_back(void **state)
{
    static const struct {
        const char *fields;
        enum answer_rung rung;
        bool direct;
        const char *own_id, *expected; /* NULL: it stays */
    } cases[] = {
        {"In-Reply-To: <signed@x>\n", RUNG_IN_REPLY_TO, true, "own@y", "<own@y>"},
        {"In-Reply-To:\n <signed@x> (a mail)\n", RUNG_IN_REPLY_TO, true, "own@y", "<own@y>"},
        {"In-Reply-To: <signed@x>\n", RUNG_IN_REPLY_TO, true, "", NULL},
        {"In-Reply-To: <OWN@y>\n", RUNG_IN_REPLY_TO, true, "own@y", NULL},
        {"In-Reply-To: <signed@x> <b@x>\n", RUNG_IN_REPLY_TO, true, "own@y", NULL},
        {"In-Reply-To: <signed@x>\nIn-Reply-To: <b@x>\n", RUNG_IN_REPLY_TO, true, "own@y", NULL},
        {"References: <signed@x>\n", RUNG_REFERENCES, true, "own@y", NULL},
        /* a relay gave the mail another id */
        {"In-Reply-To: <wire@relay>\nReferences: <own@y> <anchor@x> <wire@relay>\n", RUNG_REFERENCES, true, "own@y", "<own@y>"},
        {"In-Reply-To: <wire@relay>\nReferences: <own@y> <anchor@x>\n", RUNG_REFERENCES, true, "own@y", NULL},
        {"In-Reply-To: <b@z>\nReferences: <anchor@x> <wire@relay> <b@z>\n", RUNG_REFERENCES, false, "own@y", NULL},
        {"In-Reply-To: <b@z>\n", RUNG_QUOTED_URL, false, "own@y", NULL},
        /* what a client once wrote must stay one id */
        {"In-Reply-To: <signed@x>\n", RUNG_IN_REPLY_TO, true, "own@laptop", "<own@laptop>"},
        {"In-Reply-To: <signed@x>\n", RUNG_IN_REPLY_TO, true, "own", NULL},
        {"In-Reply-To: <signed@x>\n", RUNG_IN_REPLY_TO, true, "@y", NULL},
        {"In-Reply-To: <signed@x>\n", RUNG_IN_REPLY_TO, true, "own@", NULL},
        {"In-Reply-To: <signed@x>\n", RUNG_IN_REPLY_TO, true, "own@y@z", NULL},
        {"In-Reply-To: <signed@x>\n", RUNG_IN_REPLY_TO, true, "own@y> <b@z", NULL},
        {"In-Reply-To: <signed@x>\n", RUNG_IN_REPLY_TO, true, "own@y\r\nBcc: eve@z", NULL},
        {"In-Reply-To: <signed@x>\n", RUNG_IN_REPLY_TO, true, "\xc3\xbc@y", NULL},
    };

    (void)state;
    for (size_t n = 0; n < sizeof cases / sizeof cases[0]; n++) {
        struct incoming_verdict verdict = {.rung = cases[n].rung, .direct = cases[n].direct};
        struct header_list headers;
        struct buf field;
        bool mended;

        memcpy(verdict.own_id, cases[n].own_id, strlen(cases[n].own_id) + 1);
        header_list_init(&headers);
        header_parse(slice_str(cases[n].fields), &headers);
        buf_init(&field, 1000);
        mended = thread_mend(&headers, &verdict, &field);
        if (mended != (cases[n].expected != NULL) || (mended && !slice_is(buf_slice(&field), cases[n].expected)))
            fail_msg("case %zu: %s", n, buf_text(&field));
        buf_free(&field);
        header_list_free(&headers);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_answered_mail_gets_its_own_id_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
