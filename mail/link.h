/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * link - what a link in a mail is, before it is decided whether it is tracked.
 *
 * Pure questions about one href, its visible text and the marks on its tag.
 */
#ifndef MAIL_LINK_H
#define MAIL_LINK_H

#include "common/buf.h"
#include "common/slice.h"
#include "mail/html.h"
#include "mail/rewrite_terms.h"

/*
 * The URL that a browser makes of an attribute's value: references decoded, blanks at the ends and TAB, CR,
 * LF anywhere taken out. FOREIGN tells that it holds a reference to a character that is no ASCII.
 */
bool link_url(struct slice value, struct buf *out, bool *foreign);

bool link_is_http(struct slice url);

/* "https+notrack://...": how long the scheme's "+notrack" and what stands before it are, 0 when it is none.
 */
size_t link_notrack(struct slice url, struct slice *scheme);

/* Mail programs warn of fraud when a text that is a URL leads elsewhere. */
bool link_text_is_url(struct slice text);

/* Leaving a list must work without us. URL and TEXT are those of one link; either may be empty. */
bool link_is_unsubscribe(struct slice url, struct slice text);

/* A secret in the URL lets in whoever holds it: it should not pass through further hands. */
bool link_holds_pattern(struct slice url, const struct rewrite_patterns *patterns);

/* Is its host one of DOMAINS? "*.example.com" is every host below example.com. */
bool link_host_in(struct slice url, const struct rewrite_patterns *domains);

enum link_mark {
    LINK_MARK_NONE,
    LINK_MARK_STAYS, /* says no; data-* may stand in any page */
    LINK_MARK_GOES,  /* says no; not HTML, so it is taken out */
    LINK_MARK_UNSUBSCRIBE
};
enum link_mark link_mark_of(const struct html_attribute *attribute);

#endif
