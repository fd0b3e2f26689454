/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report - what a machine says about a mail: delivery status (RFC 3464), disposition (RFC 8098), feedback
 * (RFC 5965), all as multipart/report (RFC 6522), and an answer to a meeting (RFC 5546).
 *
 * The internationalised forms (message/global-*, RFC 6533) count as the plain ones. A report that a person
 * attached as message/rfc822 is not looked into: that mail is the person's. Pure.
 */
#ifndef MAIL_REPORT_H
#define MAIL_REPORT_H

#include "mail/header.h"

enum report_kind { REPORT_NONE, REPORT_DELIVERY, REPORT_DISPOSITION, REPORT_FEEDBACK, REPORT_MEETING };
/* RFC 3464 2.3.3; relayed and expanded count as delivered. */
enum report_action { ACTION_UNKNOWN, ACTION_FAILED, ACTION_DELAYED, ACTION_DELIVERED };

struct report {
    enum report_kind kind;
    enum report_action action;   /* the worst of all recipients */
    char status[16];             /* of that recipient: "5.1.1"; "" unknown */
    const char *disposition;     /* displayed, deleted, dispatched, processed; NULL unknown; static */
    bool complaint;              /* a feedback report that complains: not "not-spam", not "auth-failure" */
    struct header_list returned; /* header of the mail it is about, and Original-Message-ID of a disposition */
};

/* False only without memory. Free REPORT in any case. */
bool report_read(const struct header_list *headers, struct slice body, struct report *report);
void report_free(struct report *report);

/* For a bounce that is no report: Message-ID and References that stand in its text, into REPORT->returned. */
void report_read_text(struct slice body, struct report *report);

#endif
