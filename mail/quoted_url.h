/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * quoted_url - our own URLs in the text of a mail: what is left when a program drops every id.
 *
 * Looks into the text parts, plain and HTML, also of a mail that is returned or attached, and into URLs that a
 * link scanner has put, percent-encoded, into one of its own. A text that does not hold the host costs a search for
 * that one string, or for its two halves when it is quoted-printable; only base64 is decoded to be searched. Pure
 * but for the caller's question.
 */
#ifndef MAIL_QUOTED_URL_H
#define MAIL_QUOTED_URL_H

#include "mail/header.h"

enum { QUOTED_URLS_MAX = 64 /* asked about in one mail */ };

struct quoted_url_search {
    const char *tracking_url;
    /* Is that one of ours? The first that is ends the search. It begins with tracking_url. */
    bool (*is_ours)(void *arg, struct slice url);
    void *arg;
};

/* False when none was found; also without memory, for a rung less is no reason to fail. */
bool quoted_url_find(const struct header_list *headers, struct slice body, const struct quoted_url_search *search);

#endif
