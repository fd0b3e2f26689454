/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * list_unsubscribe - how the readers of a campaign's mail can get no more: List-Unsubscribe (RFC 2369) and
 * List-Unsubscribe-Post (RFC 8058), for one body as it leaves.
 *
 * The page and its one click are for a body that goes to a single recipient who is named, for its token stands for that one.
 * A body for several offers the mail alone, where From decides. A mail with a List-Unsubscribe of its own keeps that. Pure but
 * for the keys.
 */
#ifndef MAIL_LIST_UNSUBSCRIBE_H
#define MAIL_LIST_UNSUBSCRIBE_H

#include "common/keys.h"
#include "mail/header.h"

#define LIST_UNSUBSCRIBE_ONE_CLICK "List-Unsubscribe=One-Click" /* the value of List-Unsubscribe-Post */

struct list_unsubscribe {
    struct keys *keys;
    const char *tracking_url;
    const char *address; /* spoor.conf's unsubscribe_address; "": nobody unsubscribes by mail */
    uint64_t message;
    uint32_t recipient;  /* key of the only one who gets this body; 0: there are several, or nobody may be named */
};

enum list_unsubscribe_offer { LIST_UNSUBSCRIBE_NONE, LIST_UNSUBSCRIBE_BY_MAIL, LIST_UNSUBSCRIBE_BY_CLICK };

/*
 * What a mail with these HEADERS is given; FIELD gets the value of List-Unsubscribe, folded with "\n\t", unless that is
 * nothing. With BY_CLICK List-Unsubscribe-Post goes along. FIELD has failed without memory.
 */
enum list_unsubscribe_offer list_unsubscribe_make(const struct list_unsubscribe *wanted, const struct header_list *headers,
                                                  struct buf *field);

#endif
