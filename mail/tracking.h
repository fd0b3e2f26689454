/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tracking - the rewriter's URLs, made of tokens.
 *
 * Joins mail/rewrite, which knows no tokens, with common/token and common/url. Pure but for the keys.
 */
#ifndef MAIL_TRACKING_H
#define MAIL_TRACKING_H

#include "common/keys.h"
#include "common/token.h"
#include "mail/rewrite.h"

struct tracking {
    struct keys *keys;
    const char *tracking_url;
    uint64_t message;
    uint32_t recipient; /* 0: one of the recipients */
    bool aggregate;     /* hits leave no trace of who made them */
};

/* TRACKING must outlive the settings. */
struct rewrite_urls tracking_urls(struct tracking *tracking);

/*
 * Verifies a URL of ours with the destination in it. MALFORMED too for what is no URL of ours, and where path and
 * token disagree about the kind. The destination of a click that may be ours is added to
 * DESTINATION unless that is NULL.
 */
enum token_result tracking_verify_url(struct keys *keys, const char *tracking_url, struct slice url,
                                      struct token *token, struct buf *destination);

/* Is this the local part of an id that we signed into References (its shape; the MAC is not looked at)? */
bool tracking_is_anchor(void *arg, struct slice id);

#endif
