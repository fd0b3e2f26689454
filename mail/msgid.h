/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * msgid - the identifiers in Message-ID, In-Reply-To and References, as they are and as they should be.
 *
 * RFC 5322 3.6.4 says <left@right>; the wild has folds, commas, comments, missing and doubled brackets and
 * changed case. Identifiers are handled without brackets. Pure.
 */
#ifndef MAIL_MSGID_H
#define MAIL_MSGID_H

#include "common/buf.h"
#include "common/sent_id.h"
#include "common/slice.h"

enum { MSGID_MAX = SENT_ID_MAX, MSGID_LIST_MAX = 200, REFERENCES_MAX = 2000 /* bytes; Brevo and Mailgun refuse header blocks over 4 KB */ };

struct msgid_list { /* slices into the header value it was read from */
    struct slice id[MSGID_LIST_MAX];
    size_t count;
};

/*
 * Adds the ids of a header value in their order; ids already there (case-folded) are not added again. In a full
 * list the first and the newest stay. Comments are skipped; RFC 2047 words are for the caller to decode. Linear
 * in the value's size.
 */
void msgid_list_read(struct slice value, struct msgid_list *list);

/* Strict: one <dot-atom@FQDN> (RFC 5322 3.2.3; at least two labels), nothing else. What Gmail and Outlook leave alone. */
bool msgid_valid(struct slice value);

/*
 * References for a mail: what it had, each id followed by its TWIN where there is one, then, when not empty, further ids
 * (the parent, its twin, the client's own id that was replaced) and our ANCHOR, each once, one id a line ("\n\t"
 * between), under REFERENCES_MAX: the first id, the newest anchor and the last eight stay; our older anchors (is_anchor
 * says so) go first, then the middle.
 */
struct references_request {
    struct slice old;                /* the header's value; empty: none */
    struct slice more[3];            /* in the order to add, before the anchor, and never dropped; empty ones are skipped */
    struct slice anchor;
    bool (*is_anchor)(void *arg, struct slice id);
    struct slice (*twin)(void *arg, struct slice id); /* empty: none; must live as long as OLD. NULL: there are none */
    void *arg;
};
bool references_build(const struct references_request *request, struct buf *out);

#endif
