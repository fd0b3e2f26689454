/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * incoming_site - the questions of struct incoming_lookup that configuration and keys alone answer. Pure.
 */
#ifndef MAIL_INCOMING_SITE_H
#define MAIL_INCOMING_SITE_H

#include "common/conf.h"
#include "common/keys.h"
#include "mail/incoming.h"

struct incoming_site {
    const struct conf *conf;
    struct keys *keys;
};

/* SITE must outlive LOOKUP. What needs the cache or the database stays unanswered, NULL. */
void incoming_site_lookup(struct incoming_site *site, struct incoming_lookup *lookup);

#endif
