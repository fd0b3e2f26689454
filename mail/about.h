/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * about - whom a delivery report or a complaint is about, and whether that counts.
 *
 * Whoever has seen a signed id can write a report with it. So a report may stop and suppress only recipients of
 * that very mail; what it says of others is recorded without effect. Pure but for the questions asked.
 */
#ifndef MAIL_ABOUT_H
#define MAIL_ABOUT_H

#include "mail/incoming_lookup.h"
#include "mail/report.h"

enum { ABOUT_ASKED_MAX = 16 /* addresses of one report that the database is asked about */ };

struct about {
    char address[ADDRESS_MAX + 1]; /* normal form; "" when nobody is named */
    bool effect;                   /* is a recipient of the mail in TOKEN */
};

/* Lets REPORT speak of the worst of those it names who are recipients, or of the worst of all when none is. */
void about_choose(const struct incoming_lookup *lookup, const struct token *token, struct report *report,
                  struct about *about);

#endif
