/* SPDX-License-Identifier: BSD-2-Clause */
/* tracking - see tracking.h */

#include "common/url.h"
#include "mail/signed_id.h"
#include "mail/tracking.h"

_Static_assert((int)REWRITE_DESTINATIONS_MAX < TOKEN_DECOY_INDEX, "no link has the decoy's index");

static bool sign(const struct tracking *tracking, enum token_kind kind, unsigned index, struct slice destination,
                 char text[TOKEN_TEXT + 1])
{
    struct token token = {
        .kind = kind,
        .message = tracking->message,
        .recipient = tracking->recipient,
        .aggregate = tracking->aggregate,
        .index = (uint16_t)index,
    };

    return index <= TOKEN_INDEX_MAX && token_sign(tracking->keys, &token, destination, text);
}

static bool add_view(void *arg, struct buf *out)
{
    const struct tracking *tracking = arg;
    char text[TOKEN_TEXT + 1];

    return sign(tracking, TOKEN_VIEW, 0, slice_str(""), text) &&
           url_add_view(out, tracking->tracking_url, text);
}

static bool add_click(void *arg, unsigned index, struct slice destination, struct buf *out)
{
    const struct tracking *tracking = arg;
    char text[TOKEN_TEXT + 1];

    return url_destination_ok(destination) && sign(tracking, TOKEN_CLICK, index, destination, text) &&
           url_add_click(out, tracking->tracking_url, text, destination);
}

/* It leads to our own site, which has nothing to say there. */
static bool add_decoy(void *arg, struct buf *out)
{
    const struct tracking *tracking = arg;

    return add_click(arg, TOKEN_DECOY_INDEX, slice_str(tracking->tracking_url), out);
}

static bool add_consent(void *arg, struct buf *out)
{
    const struct tracking *tracking = arg;
    char text[TOKEN_TEXT + 1];

    return sign(tracking, TOKEN_CONSENT, 0, slice_str(""), text) && url_add_consent(out, tracking->tracking_url, text);
}

static enum rewrite_own own_of(const struct token *token)
{
    switch (token->kind) {
    case TOKEN_VIEW:
        return REWRITE_OWN_VIEW;
    case TOKEN_CLICK:
        return token->index == TOKEN_DECOY_INDEX ? REWRITE_OWN_DECOY : REWRITE_OWN_CLICK;
    case TOKEN_CONSENT:
        return REWRITE_OWN_DECOY; /* in quoted history somebody else's: the words stay */
    default:
        return REWRITE_OWN_OTHER;
    }
}

enum token_result tracking_verify_url(struct keys *keys, const char *tracking_url, struct slice url,
                                      struct token *token, struct buf *destination)
{
    enum token_result result = TOKEN_MALFORMED;
    struct url_target target;
    struct slice path;

    if (!url_target_of(url, tracking_url, &path))
        return TOKEN_MALFORMED;
    if (url_target_parse(path, &target)) {
        result = token_verify(keys, target.token, buf_slice(&target.destination), token);
        if (result != TOKEN_MALFORMED && token->kind != target.kind)
            result = TOKEN_MALFORMED;
        if (destination && result != TOKEN_MALFORMED && result != TOKEN_FORGED)
            buf_add_slice(destination, buf_slice(&target.destination));
    }
    url_target_free(&target);
    return result;
}

/* The key may be gone from here, or revoked: the shape under our own host is enough to clean by. */
static enum rewrite_own own(void *arg, struct slice url, struct buf *destination)
{
    const struct tracking *tracking = arg;
    enum token_result result;
    struct token token;
    struct slice text;

    if (url_document_token(url, tracking->tracking_url, &text))
        return REWRITE_OWN_DOCUMENT;
    result = tracking_verify_url(tracking->keys, tracking->tracking_url, url, &token, destination);
    if (result == TOKEN_MALFORMED || result == TOKEN_FORGED)
        return REWRITE_NOT_OWN;
    return destination->failed ? REWRITE_OWN_OTHER : own_of(&token);
}

/* --- documents -------------------------------------------------------------------------------------------- */

static bool add_document(void *arg, unsigned number, struct buf *out)
{
    const struct tracking *tracking = arg;
    char text[TOKEN_TEXT + 1];

    return sign(tracking, TOKEN_DOCUMENT, number, slice_str(""), text) && url_add_document(out, tracking->tracking_url, text);
}

/* The number that the document has in this mail; 0, and noted down, when it has none. */
static uint16_t number_of(struct tracking *tracking, const struct token *token)
{
    for (size_t at = 0; at < tracking->documents; at++)
        if (tracking->document[at].message == token->message && tracking->document[at].index == token->index)
            return tracking->document[at].number;
    if (tracking->documents < tracking->documents_max)
        tracking->document[tracking->documents++] =
            (struct tracking_document){.message = token->message, .index = token->index};
    return 0;
}

/* Whose the link is in this mail. Only what was signed by us is signed anew. */
static void readdress(struct tracking *tracking, struct token *token)
{
    uint16_t number = token->message == tracking->message ? token->index : number_of(tracking, token);

    if (number) {
        token->message = tracking->message;
        token->index = number;
        token->aggregate = tracking->aggregate;
    }
    token->recipient = number ? tracking->recipient : 0;
}

/* The rest of the URL stays as it is. */
static bool address_document(void *arg, struct slice url, struct buf *out)
{
    struct tracking *tracking = arg;
    char signed_text[TOKEN_TEXT + 1];
    struct token token;
    struct slice text;

    if (!url_document_token(url, tracking->tracking_url, &text) ||
        token_verify(tracking->keys, text, slice_str(""), &token) != TOKEN_GOOD || token.kind != TOKEN_DOCUMENT)
        return false;
    readdress(tracking, &token);
    if (!token_sign(tracking->keys, &token, slice_str(""), signed_text))
        return false;
    buf_add(out, url.p, (size_t)(text.p - url.p));
    buf_add(out, signed_text, TOKEN_TEXT);
    return buf_add_slice(out, slice_from(url, (size_t)(text.p - url.p) + TOKEN_TEXT));
}

struct rewrite_urls tracking_urls(struct tracking *tracking)
{
    return (struct rewrite_urls){
        .arg = tracking,
        .view = add_view,
        .decoy = add_decoy, .consent = add_consent,
        .click = add_click,
        .document = add_document,
        .address = address_document,
        .own = own,
    };
}

bool tracking_is_anchor(void *arg, struct slice id)
{
    (void)arg;
    return signed_id_is_anchor(id);
}
