/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * original - what is known of a mail of ours that was answered, as far as it concerns whoever answered.
 */
#ifndef COMMON_ORIGINAL_H
#define COMMON_ORIGINAL_H

#include "common/address.h"
#include "common/sent_id.h"

#include <stdbool.h>

/* What an address is to the mail. */
enum relation {
    RELATION_UNKNOWN, /* could not be asked, or the mail is not known (yet) */
    RELATION_NONE,
    RELATION_RECIPIENT,
    RELATION_OWNER /* its sender, too */
};

struct original {
    enum relation relation;
    bool same_domain;             /* the address shares its domain with a recipient */
    char sender[ADDRESS_MAX + 1]; /* "" unknown */
    char own_id[SENT_ID_MAX + 1]; /* the Message-ID by which the sender's program knows it; "" */
};

#endif
