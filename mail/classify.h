/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * classify - what kind of mail an answer is: a person's, a robot's, a report, a list's.
 *
 * A row of tests in a fixed order; the first that hits decides. It knows nothing of whom the mail refers
 * to: own mail and mail that refers to nothing of ours are told apart in mail/incoming. Pure.
 */
#ifndef MAIL_CLASSIFY_H
#define MAIL_CLASSIFY_H

#include "common/record.h"
#include "mail/header.h"
#include "mail/report.h"

struct classify_mail {
    const struct header_list *headers;
    const struct report *report;
    struct slice from; /* the author's address in its normal form; empty: unknown */
    bool null_sender;
    bool to_bounce_address; /* it was sent to a return path of ours, where no person writes */
};

struct classify_result {
    enum answer_class class_; /* ANSWER_REPLY when nothing speaks against a person */
    enum answer_confidence confidence;
};

/* False only without memory. */
bool classify(const struct classify_mail *mail, struct classify_result *result);

#endif
