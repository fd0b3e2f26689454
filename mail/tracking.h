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
    struct tracking_document *document; /* links to documents of other mails or of the library; NULL: they are not this mail's */
    size_t documents, documents_max;
};

/* A link to a document that the mail did not bring, and the number it has in this mail; 0: none (yet). */
struct tracking_document {
    uint64_t message;
    uint16_t index;
    uint16_t number;
};

/*
 * TRACKING must outlive the settings. A link to a document of this mail gets its recipient. One of another mail, or of the
 * library, becomes this mail's where it has a number in the list; else it is noted there, and names no recipient any more.
 */
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
