/* SPDX-License-Identifier: BSD-2-Clause */
/* match - see match.h */

#include "mail/address_token.h"
#include "mail/match.h"
#include "mail/quoted_url.h"
#include "mail/signed_id.h"

struct matching {
    const struct incoming_mail *mail;
    const struct incoming_lookup *lookup;
    const struct named_ids *ids;
    struct match *match;
    const struct named_id *own_anchor; /* an anchor that stands last in References */
    struct token own_token;
};

/* Who has a revoked key can have made it, so it is no evidence. */
static bool is_forged(enum token_result result)
{
    return result == TOKEN_FORGED || result == TOKEN_REVOKED;
}

static void take_id(struct match *match, const struct named_id *id)
{
    match->rung = id->rung;
    match->domain = named_id_domain(id);
    match->newer = id->newer;
}

/*
 * spoor-stamp puts a mail's anchor last into its References. So an anchor that stands last is this mail's own,
 * when its author's mail passed spoor-stamp too; in any other answer the id of the answered mail stands behind its anchor.
 */
static bool is_last_anchor(const struct named_id *id, const struct token *token)
{
    return id->rung == RUNG_REFERENCES && id->newer == 0 && token->kind == TOKEN_ANCHOR;
}

/* The mail's own anchor is passed over and remembered: what it answers stands further up. */
static bool find_signed(struct matching *matching)
{
    const struct incoming_lookup *lookup = matching->lookup;
    struct match *match = matching->match;
    size_t own = 0;

    for (size_t n = 0; n < matching->ids->count; n++) {
        const struct named_id *id = &matching->ids->id[n];
        struct token token;
        enum token_result result = lookup->token(lookup->site, signed_id_token(named_id_text(id)), &token);

        match->forged = match->forged || is_forged(result);
        if (result != TOKEN_GOOD || !signed_id_may_hold(&token))
            continue;
        if (is_last_anchor(id, &token)) {
            matching->own_anchor = id;
            matching->own_token = token;
            own++;
            continue;
        }
        if (matching->own_anchor && token.message == matching->own_token.message) {
            own++; /* its own id beside its own anchor */
            continue;
        }
        match->token = token;
        take_id(match, id);
        match->newer -= match->newer < own ? match->newer : own;
        return true;
    }
    return false;
}

static bool find_own_anchor(struct matching *matching)
{
    if (!matching->own_anchor)
        return false;
    matching->match->token = matching->own_token;
    take_id(matching->match, matching->own_anchor);
    return true;
}

/* The first ids that are not of our shape. */
static size_t list_foreign(const struct named_ids *ids, struct sent_id *foreign, const struct named_id **from)
{
    size_t count = 0;

    for (size_t n = 0; n < ids->count && count < INCOMING_KEPT_MAX; n++) {
        if (signed_id_is_shaped(named_id_text(&ids->id[n])))
            continue;
        from[count] = &ids->id[n];
        foreign[count++] = (struct sent_id){.id = named_id_text(&ids->id[n])};
    }
    return count;
}

/* An id that its mail program chose and we left: known to cache and database only. */
static bool find_kept(struct matching *matching)
{
    const struct incoming_lookup *lookup = matching->lookup;
    struct match *match = matching->match;
    const struct named_id *from[INCOMING_KEPT_MAX];
    struct sent_id foreign[INCOMING_KEPT_MAX];
    size_t count = lookup->kept_ids ? list_foreign(matching->ids, foreign, from) : 0;

    if (!count)
        return false;
    lookup->kept_ids(lookup->arg, foreign, count);
    for (size_t n = 0; n < count; n++) {
        if (!foreign[n].message || (matching->own_anchor && foreign[n].message == matching->own_token.message))
            continue; /* unknown, or the mail's own id beside its own anchor */
        match->token = (struct token){.message = foreign[n].message};
        take_id(match, from[n]);
        match->kept = true;
        return true;
    }
    return false;
}

bool match_to_bounce_address(const struct incoming_mail *mail)
{
    for (size_t n = 0; n < mail->recipients; n++)
        if (!slice_empty(address_token(mail->recipient[n], TOKEN_BOUNCE)))
            return true;
    return false;
}

static bool find_bounce_address(struct matching *matching)
{
    const struct incoming_lookup *lookup = matching->lookup;
    struct match *match = matching->match;

    for (size_t n = 0; n < matching->mail->recipients; n++) {
        struct slice text = address_token(matching->mail->recipient[n], TOKEN_BOUNCE);
        enum token_result result =
            slice_empty(text) ? TOKEN_MALFORMED : lookup->token(lookup->site, text, &match->token);

        match->forged = match->forged || is_forged(result);
        if (result == TOKEN_GOOD) {
            match->rung = RUNG_BOUNCE_ADDRESS;
            return true;
        }
    }
    return false;
}

/* A link of the library is no mail's. */
static bool names_mail(const struct token *token)
{
    return token->kind == TOKEN_VIEW || token->kind == TOKEN_CLICK ||
           (token->kind == TOKEN_DOCUMENT && token->message > TOKEN_CONTENT_MAX);
}

/* A click that a program cut short looks forged, so only a view may be called that. */
static bool is_ours(void *arg, struct slice url)
{
    struct matching *matching = arg;
    const struct incoming_lookup *lookup = matching->lookup;
    struct match *match = matching->match;
    enum token_result result = lookup->url(lookup->site, url, &match->token);

    if (is_forged(result) && match->token.kind == TOKEN_VIEW)
        match->forged = true;
    return result == TOKEN_GOOD && names_mail(&match->token);
}

static bool find_quoted_url(struct matching *matching)
{
    struct quoted_url_search search = {
        .tracking_url = matching->lookup->tracking_url, .is_ours = is_ours, .arg = matching};

    if (!matching->lookup->url || !quoted_url_find(matching->mail->headers, matching->mail->body, &search))
        return false;
    matching->match->rung = RUNG_QUOTED_URL;
    return true;
}

bool match_find(const struct incoming_mail *mail, const struct incoming_lookup *lookup, const struct named_ids *ids,
                struct match *match, struct way *way)
{
    static const struct {
        const char *name;
        bool (*find)(struct matching *matching);
    } evidence[] = {
        {"signed_id", find_signed},   {"kept_id", find_kept},       {"bounce_address", find_bounce_address},
        {"own_anchor", find_own_anchor}, {"quoted_url", find_quoted_url},
    };
    struct matching matching = {.mail = mail, .lookup = lookup, .ids = ids, .match = match};
    bool found = false;

    *match = (struct match){.rung = RUNG_NONE};
    for (size_t n = 0; n < sizeof evidence / sizeof *evidence && !found; n++) {
        bool forged = match->forged;

        found = evidence[n].find(&matching);
        way_note(way, evidence[n].name, found ? answer_rung_name(match->rung) : match->forged && !forged ? "forged" : NULL);
    }
    return found;
}

bool match_is_direct(const struct match *match)
{
    switch (match->rung) {
    case RUNG_IN_REPLY_TO:
        return true;
    case RUNG_REFERENCES: /* behind the anchor stands the answered mail's own id */
        return match->newer == 0 || (match->newer == 1 && match->token.kind == TOKEN_ANCHOR);
    default:
        return false;
    }
}

bool match_is_itself(const struct match *match)
{
    return match->rung == RUNG_REFERENCES && match->newer == 0 && match->token.kind == TOKEN_ANCHOR;
}
