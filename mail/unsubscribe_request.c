/* SPDX-License-Identifier: BSD-2-Clause */
/* unsubscribe_request - see unsubscribe_request.h */

#include "mail/unsubscribe_request.h"

#include "mail/address_token.h"
#include "mail/classify.h"
#include "mail/report.h"

static bool find_token(const struct incoming_mail *mail, const char *address, struct slice *token)
{
    for (size_t n = 0; n < mail->recipients; n++)
        if (address_token_of(mail->recipient[n], TOKEN_UNSUBSCRIBE, address, token))
            return true;
    return false;
}

/* ANSWER_NONE without memory. */
static enum answer_class class_of(const struct incoming_mail *mail, const char *from)
{
    struct classify_result result = {.class_ = ANSWER_NONE};
    struct report report;

    if (report_read(mail->headers, mail->body, &report)) {
        struct classify_mail kind = {
            .headers = mail->headers,
            .report = &report,
            .from = slice_str(from),
            .null_sender = slice_empty(mail->envelope_sender),
        };

        if (!classify(&kind, &result))
            result.class_ = ANSWER_NONE;
    }
    report_free(&report);
    return result.class_;
}

static const char *reason_to_ignore(const struct incoming_mail *mail, enum token_result result,
                                    const struct unsubscribe_request *request)
{
    if (result != TOKEN_GOOD && result != TOKEN_REVOKED) /* as behind a link: see pixeld/unsubscribe.h */
        return result == TOKEN_UNKNOWN_KEY ? "unknown_key" : "forged";
    if (!request->from[0])
        return "no_from";
    switch (class_of(mail, request->from)) {
    case ANSWER_REPLY:
    case ANSWER_MACHINE: /* RFC 3834: auto-generated says a program that does what its user wishes */
        return NULL;
    case ANSWER_NONE:
        return "memory";
    default:
        return "automatic";
    }
}

bool unsubscribe_request_read(const struct incoming_mail *mail, const struct incoming_lookup *lookup, const char *address,
                              struct unsubscribe_request *request)
{
    struct token token = {.message = 0};
    enum token_result result;
    struct slice text;

    *request = (struct unsubscribe_request){.ignored = NULL};
    if (!find_token(mail, address, &text))
        return false;
    result = lookup->token(lookup->site, text, &token);
    request->message = token.message;
    request->recipient = token.recipient;
    incoming_author(mail->headers, request->from);
    request->ignored = reason_to_ignore(mail, result, request);
    return true;
}
