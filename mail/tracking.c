/* SPDX-License-Identifier: BSD-2-Clause */
/* tracking - see tracking.h */

#include "common/url.h"
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

static enum rewrite_own own_of(const struct token *token)
{
    switch (token->kind) {
    case TOKEN_VIEW:
        return REWRITE_OWN_VIEW;
    case TOKEN_CLICK:
        return token->index == TOKEN_DECOY_INDEX ? REWRITE_OWN_DECOY : REWRITE_OWN_CLICK;
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
        if (destination && (result == TOKEN_GOOD || result == TOKEN_UNKNOWN_KEY))
            buf_add_slice(destination, buf_slice(&target.destination));
    }
    url_target_free(&target);
    return result;
}

/* A key that was retired long ago may be gone from here: the shape under our own host is enough to clean by. */
static enum rewrite_own own(void *arg, struct slice url, struct buf *destination)
{
    const struct tracking *tracking = arg;
    struct token token;
    enum token_result result = tracking_verify_url(tracking->keys, tracking->tracking_url, url, &token, destination);

    if (result != TOKEN_GOOD && result != TOKEN_UNKNOWN_KEY)
        return REWRITE_NOT_OWN;
    return destination->failed ? REWRITE_OWN_OTHER : own_of(&token);
}

struct rewrite_urls tracking_urls(struct tracking *tracking)
{
    return (struct rewrite_urls){.arg = tracking, .view = add_view, .decoy = add_decoy, .click = add_click, .own = own};
}

bool tracking_is_anchor(void *arg, struct slice id)
{
    struct token token;
    const char *at = memchr(id.p, '@', id.len);

    (void)arg;
    return at && token_parse(slice_of(id.p, (size_t)(at - id.p)), &token) && token.kind == TOKEN_ANCHOR;
}
