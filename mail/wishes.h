/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wishes - what a mail's own headers ask of tracking.
 *
 * Ours:  X-Spoor-Track: off | aggregate | individual | no-views | no-links, comma-separated
 * Other senders' (Mailgun, Postmark, Mandrill, SparkPost, SendGrid): honoured where they say no, for a template that
 * was written for them means the same here. Pure.
 */
#ifndef MAIL_WISHES_H
#define MAIL_WISHES_H

#include "common/record.h"
#include "mail/header.h"

struct wishes {
    enum tracking_level level;
    bool views;
    bool links;
    bool unknown;         /* X-Spoor-Track has a word that means nothing */
};

/* Starts from what WISHES holds and only ever takes away: the most restrictive wins. */
void wishes_read(const struct header_list *headers, struct wishes *wishes);

/* Is this one of our own control headers, to be removed before the mail leaves? */
bool wishes_is_control(const char *name);

#endif
