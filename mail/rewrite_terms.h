/* SPDX-License-Identifier: BSD-2-Clause */
/* rewrite_terms - in what the rewriter's files speak: what is asked of it, and what became of each byte, link and part. */
#ifndef MAIL_REWRITE_TERMS_H
#define MAIL_REWRITE_TERMS_H

#include "common/buf.h"
#include "common/slice.h"
#include "mail/document.h"

#include <stdbool.h>

/* Distinct destinations that are wrapped, and links that are listed in a mail; what is beyond stays as it is. */
enum { REWRITE_DESTINATIONS_MAX = 2000, REWRITE_LINKS_MAX = 10000 };

/* What a URL of ours in a mail turned out to be. */
enum rewrite_own { REWRITE_NOT_OWN, REWRITE_OWN_VIEW, REWRITE_OWN_CLICK, REWRITE_OWN_DECOY, REWRITE_OWN_DOCUMENT, REWRITE_OWN_OTHER };

/* How the rewriter gets URLs; the caller knows tokens, this code does not. `arg` comes back in each call. */
struct rewrite_urls {
    void *arg;
    /* Adds the pixel's URL; false: no pixel. */
    bool (*view)(void *arg, struct buf *out);
    /* Adds the URL of the link that no person follows; false: none. */
    bool (*decoy)(void *arg, struct buf *out);
    /* Adds the URL at which the recipient stops tracking; false: none. */
    bool (*consent)(void *arg, struct buf *out);
    /* Adds the tracked URL of link INDEX (from 1, one a distinct destination); false: this link stays. */
    bool (*click)(void *arg, unsigned index, struct slice destination, struct buf *out);
    /* Adds the URL of the file with that NUMBER. */
    bool (*document)(void *arg, unsigned number, struct buf *out);
    /* URL is one of a document, of this mail or another: adds what stands there for this mail's recipient. NULL: all stay. */
    bool (*address)(void *arg, struct slice url, struct buf *out);
    /* Is this a signed URL of ours? For a click also the destination, percent-decoded, into OUT. */
    enum rewrite_own (*own)(void *arg, struct slice url, struct buf *destination);
};

/* Texts of the caller, in lower case; they live as long as the settings. */
struct rewrite_patterns {
    char *const *item;
    size_t count;
};

struct rewrite_settings {
    struct rewrite_urls urls;
    const char *tracking_url; /* no trailing slash; a URL that does not begin with it is not ours */
    bool add_pixel;
    bool add_decoy;   /* beside each pixel at the end of a page a link that no person sees */
    const char *consent_text; /* at the end of a page, before decoy and pixel, a link says this, in HTML; NULL: none */
    bool consent_in_text; /* and at the end of a plain text that is shown without a page */
    bool track_links; /* in HTML */
    bool text_links;  /* in plain text too, where the reader sees the long URL */
    struct rewrite_patterns sensitive; /* a URL that holds one stays; "*" is any run of characters */
    struct rewrite_patterns untracked; /* hosts whose links stay; "*.example.com": all below it */
    bool clean;        /* take our old pixels and decoys out and unwrap our old links */
    const struct document *document; /* those with a number leave the mail: links take their places */
    size_t documents;
    bool documents_page; /* the links get a page of their own, whatever pages the mail has */
    size_t body_limit; /* bytes; above it the body stays */
    /* Unsubscribe URLs named in List-Unsubscribe are found in the headers by the rewriter itself. */
};

/* What may be done to a mail at all (DESIGN: three degrees). */
enum rewrite_degree {
    REWRITE_BODY,    /* all */
    REWRITE_HEADERS, /* headers may change, the body may not: signed, encrypted, inline PGP, too large */
    REWRITE_NOTHING  /* not even a header: header protection (RFC 9788), unparsable header */
};

struct rewrite_edit {
    size_t at;      /* offset in the old body */
    size_t removed; /* bytes of the old body that go */
    size_t added;   /* bytes of the new body that come */
    size_t new_at;  /* where they begin in the new body */
};

enum rewrite_fate { /* of a link */
                    LINK_WRAPPED,
                    LINK_UNWRAPPED, /* was ours, in quoted text */
                    LINK_OPTED_OUT, /* a vendor's mark says no */
                    LINK_UNSUBSCRIBE,
                    LINK_TEXT_IS_URL, /* mail programs warn of fraud when text and target differ */
                    LINK_OWN,         /* ours and not in quoted text */
                    LINK_QUOTED,      /* someone else's, in quoted history */
                    LINK_NOT_HTTP,    /* mailto:, tel:, #fragment, relative, ... */
                    LINK_UNSIGNABLE,  /* http but outside what we sign: userinfo, control bytes, too long */
                    LINK_SENSITIVE,   /* password reset, verification, magic link */
                    LINK_EXCLUDED,    /* its domain is not tracked */
                    LINK_NOT_ASKED,   /* would be wrapped, but links are not tracked in this mail */
                    LINK_TOO_MANY,    /* beyond REWRITE_DESTINATIONS_MAX */
                    LINK_NO_ROOM      /* its line of a 7bit or 8bit part would pass 998 bytes */
};

struct rewrite_link {
    unsigned index; /* from 1 when wrapped, else 0 */
    unsigned part;
    enum rewrite_fate fate;
    char *destination; /* decoded, owned by the result, NUL-terminated */
};

struct rewrite_part {
    size_t at, len; /* the part's content in the old body */
    char *type;       /* "text/html"; owned */
    const char *done; /* static words: "edited", "unchanged", "detached", or why not: "attachment", "charset", "opaque", ... */
    unsigned pixels, links, cleaned;
};

struct rewrite_result {
    enum rewrite_degree degree;
    const char *reason; /* static word when degree is not REWRITE_BODY, or when the body stays: "signed",
                           "no_html", ... */
    bool changed;       /* body differs from the input; else `body` is empty */
    struct buf body;
    struct rewrite_edit *edit;
    size_t edits;
    struct rewrite_link *link;
    size_t links; /* all that were seen */
    struct rewrite_part *part;
    size_t parts;
    unsigned pixels, wrapped, cleaned;
    unsigned detached;     /* files that left the mail */
    unsigned documents;    /* links to documents that stood in it */
    bool documents_hidden; /* their links found no page or text that everybody sees: to be done again with documents_page */
};

#endif
