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

enum { REPORT_RECIPIENTS_MAX = 64, REPORT_STATUS = 16 };

struct report_recipient {
    enum report_action action;
    char status[REPORT_STATUS]; /* "5.1.1"; "" unknown */
    char *address;              /* as we named it, when the report tells, else as it was in the end; "" none; owned */
    char *final;                /* as it was in the end; "" the same; owned */
};

struct report {
    enum report_kind kind;
    enum report_action action;   /* the worst of all recipients, until report_choose() */
    char status[REPORT_STATUS];  /* of that recipient */
    struct report_recipient *recipient; /* the first REPORT_RECIPIENTS_MAX whom it names; owned */
    size_t recipients;
    size_t worst;                /* index of the one that action and status are of */
    const char *disposition;     /* displayed, deleted, dispatched, processed; NULL unknown; static */
    bool complaint;              /* a feedback report that complains: not "not-spam", not "auth-failure" */
    struct header_list returned; /* header of the mail it is about, and Original-Message-ID of a disposition */
};

/* False only without memory. Free REPORT in any case. */
bool report_read(const struct header_list *headers, struct slice body, struct report *report);
void report_free(struct report *report);

/*
 * For a bounce that is no report: Message-ID and References that stand in its text, into REPORT->returned; the
 * recipients of X-Failed-Recipients (Exim, Gmail) and of qmail's "<address>:" lines; a status code. False only
 * without memory.
 */
bool report_read_text(const struct header_list *headers, struct slice body, struct report *report);

/* Lets the report speak of the worst of those recipients for whom COUNTS is true; of all when COUNTS is NULL. */
void report_choose(struct report *report, const bool *counts);

/* May the mail never arrive, however often it is sent? 5.2.2 is a full mailbox: it may be empty tomorrow. */
bool report_status_is_hard(const char *status);

#endif
