/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pass - X-Spoor-Pass: what the first pass of spoor-stamp tells the second about a mail, signed.
 *
 *     X-Spoor-Pass: v=1; k=KEY; m=MESSAGE; t=TIME; l=LEVEL; d=WORD,...; o=OWNER; s=MAC
 *
 * The MAC (128 bits of HMAC-SHA-256 under a key of its own) covers all that stands before it, without white space, and
 * the Message-ID under which the mail goes: the field is of no use in another mail. Nothing in it is about a recipient,
 * for each copy carries it. Pure.
 */
#ifndef MAIL_PASS_H
#define MAIL_PASS_H

#include "common/keys.h"
#include "common/record.h"

#define PASS_HEADER "X-Spoor-Pass"

enum {
    PASS_LIFE_S = 7 * 24 * 3600, /* an MTA gives a mail up after 5 days */
    PASS_AHEAD_S = 3600          /* clocks of two servers that differ */
};

struct pass {
    uint64_t message;
    int64_t time_s; /* when the first pass was; since 1970 UTC */
    enum tracking_level level;
    bool body;      /* it may be edited */
    bool views;     /* with an image */
    bool links;     /* with tracked links */
    bool unsubscribe; /* a copy with one recipient may offer him a way out */
    struct slice owner;
};

/* The field's value, folded with "\n\t". False, with VALUE empty, without memory or for an owner that is too long. */
bool pass_write(struct keys *keys, const struct pass *pass, struct slice message_id, struct buf *value);

/*
 * NULL when VALUE was made by pass_write() for that Message-ID, not too long ago; else a static word: "forged_pass",
 * "old_pass", "unknown_key" or "memory", and PASS is not to be trusted. The owner is a slice of TEXT, which is emptied.
 */
const char *pass_read(struct keys *keys, struct slice value, struct slice message_id, int64_t now_s, struct pass *pass,
                      struct buf *text);

#endif
