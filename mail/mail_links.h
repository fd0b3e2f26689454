/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mail_links - the links of one mail: which are ours, what becomes of each, and the list of them all.
 *
 * What the HTML and the text parts of a mail share: one numbering of destinations, one list for the result.
 * Pure. A false return is always for want of memory.
 */
#ifndef MAIL_MAIL_LINKS_H
#define MAIL_MAIL_LINKS_H

#include "mail/destination.h"
#include "mail/rewrite_terms.h"

#include <stdint.h>

struct mail_links {
    const struct rewrite_settings *settings;
    struct rewrite_result *result; /* links are added here */
    size_t size;                   /* allocated of them */
    struct destination_table destinations;
    struct slice unsubscribe; /* the List-Unsubscribe fields, unfolded */
};

bool mail_links_full(const struct mail_links *links);

/* Adds one to the list. Its text is cut when it is very long. */
bool mail_links_add(struct mail_links *links, struct rewrite_link link, struct slice url);

/* Could this be a URL of ours? Saves asking about all others. */
bool mail_links_begins_as_ours(const struct mail_links *links, struct slice url);

/* What it is; DESTINATION is emptied, then holds a click's. */
enum rewrite_own mail_links_own(const struct mail_links *links, struct slice url, struct buf *destination);

/* The URL of a document as it is for this mail's recipient, into OUT, emptied before. False: it stays as it is. */
bool mail_links_address(struct mail_links *links, struct slice url, struct buf *out);

struct link_place {
    bool foreign; /* it holds a reference to a character that is no ASCII */
    bool quoted;  /* stands in quoted history */
    bool was_ours; /* URL is the destination of a link of ours */
};

/* What can be said without marks and visible text. LINK_WRAPPED: nothing stands against it. */
enum rewrite_fate mail_links_judge(const struct mail_links *links, struct slice url, struct link_place place);

/*
 * The tracked URL into OUT, emptied before; one longer than MOST has no room. Returns the index, 0 when the
 * link stays; FATE is set.
 */
unsigned mail_links_wrap(struct mail_links *links, struct slice url, size_t most, struct buf *out,
                         enum rewrite_fate *fate);

#endif
