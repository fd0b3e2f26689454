/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * match - which of our mails a mail refers to, and by what.
 *
 * Best evidence first: a signed one of the ids it names, an id that was kept and is known, our return path among the
 * recipients, and last, as it means reading the text, one of our URLs there. Pure but for the questions asked.
 */
#ifndef MAIL_MATCH_H
#define MAIL_MATCH_H

#include "mail/incoming_lookup.h"
#include "mail/named_ids.h"
#include "mail/way.h"

struct match {
    enum answer_rung rung;
    struct token token;  /* of a kept id: the message alone */
    struct slice domain; /* right side of the id, which it points into; empty: no id matched */
    size_t newer;        /* ids to its right in References */
    bool kept;
    bool forged; /* something of our shape did not verify, matched or not */
};

/* False when nothing matched; `forged` is set in any case, and what was looked for is noted in WAY. */
bool match_find(const struct incoming_mail *mail, const struct incoming_lookup *lookup, const struct named_ids *ids,
                struct match *match, struct way *way);

/* Is this an answer to that very mail, not to one further down its thread? */
bool match_is_direct(const struct match *match);

/* Did nothing match but an anchor that stands last? From the anchor's own domain that is the tracked mail itself. */
bool match_is_itself(const struct match *match);

/* Was the mail sent to a return path of our shape, signed or not? No person writes there. */
bool match_to_bounce_address(const struct incoming_mail *mail);

#endif
