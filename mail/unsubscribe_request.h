/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unsubscribe_request - a mail to LEFT+TOKEN@domain, where people unsubscribe by mail.
 *
 * The token tells which mail it is about; From tells who wants no more, and whether that is a recipient of that mail is asked
 * of the database. Somebody to whom the mail was forwarded is none: then the token tells, if it went to a single one, as in the
 * link for one click. What a mail program sends by itself at its user's wish counts; reports, receipts and automatic replies do
 * not. Pure but for the question of the token.
 */
#ifndef MAIL_UNSUBSCRIBE_REQUEST_H
#define MAIL_UNSUBSCRIBE_REQUEST_H

#include "mail/incoming.h"

struct unsubscribe_request {
    const char *ignored;        /* static word: why nothing follows; NULL: it is to be taken */
    uint64_t message;           /* of the token, also of one that is ignored */
    uint32_t recipient;         /* key in the token, which went to that one alone; 0: to several */
    char from[ADDRESS_MAX + 1]; /* normal form; "" nobody that can be read */
};

/* Is the mail one to ADDRESS ("left@domain", normal form) with a token of our shape? */
bool unsubscribe_request_read(const struct incoming_mail *mail, const struct incoming_lookup *lookup, const char *address,
                              struct unsubscribe_request *request);

#endif
