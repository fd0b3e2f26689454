/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * url - the URLs we put into mails, made and read back.
 *
 *     TRACKING_URL/o/TOKEN.gif             a view
 *     TRACKING_URL/c/TOKEN/DESTINATION     a click; the destination percent-encoded, inside the MAC
 *     TRACKING_URL/d/TOKEN                 a document; what follows, /d/TOKEN/REST, is its viewer's
 *     TRACKING_URL/u/TOKEN                 unsubscribe
 *     TRACKING_URL/s/TOKEN                 stop tracking
 * What we make holds only [A-Za-z0-9:/._%~-]: valid in any HTML quoting, and quoted-printable needs no
 * escape in it. The destination's slashes are encoded too: a browser folds "/../" and a proxy "//" in a path, and
 * the MAC would no longer fit. Reading decodes percent signs exactly once and leaves out a query string: what stands
 * behind a plain `?` was added by others. Pure.
 */
#ifndef COMMON_URL_H
#define COMMON_URL_H

#include "common/buf.h"
#include "common/token.h"

/* May this be signed and redirected to? http or https, no userinfo, a host, no byte below 0x21, no 0x7F, ASCII, at most
 * DESTINATION_MAX bytes. */
bool url_destination_ok(struct slice url);

/* The token of a document's URL, whatever follows it: a page, or what others have added. False: it is none. */
bool url_document_token(struct slice url, const char *tracking_url, struct slice *token);

bool url_add_view(struct buf *out, const char *tracking_url, const char *token);
bool url_add_document(struct buf *out, const char *tracking_url, const char *token);
bool url_add_unsubscribe(struct buf *out, const char *tracking_url, const char *token);
bool url_add_consent(struct buf *out, const char *tracking_url, const char *token);
bool url_add_click(struct buf *out, const char *tracking_url, const char *token, struct slice destination);

/* A request target or the part of a URL behind tracking_url: "/o/....gif". */
struct url_target {
    enum token_kind kind; /* as the path says; the token's own kind must agree */
    struct slice token;   /* into the target */
    struct buf destination; /* decoded once; clicks only */
    struct slice rest;  /* documents only: behind the slash that follows the token; not decoded */
};
/* False when it is no path of ours or the destination is badly encoded. Free the destination in any case. */
bool url_target_parse(struct slice target, struct url_target *out);
void url_target_free(struct url_target *target);

/* The path of a URL that begins with tracking_url (scheme and host without regard to case); false when it does not. */
bool url_target_of(struct slice url, const char *tracking_url, struct slice *target);

#endif
