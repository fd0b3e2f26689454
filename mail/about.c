/* SPDX-License-Identifier: BSD-2-Clause */
/* about - see about.h */

#include "mail/about.h"

struct asking {
    const struct incoming_lookup *lookup;
    const struct token *token;
    size_t asked;
};

/* The key in the token answers for a mail to one; otherwise the database must. */
static bool is_recipient(struct asking *asking, const char *address)
{
    const struct incoming_lookup *lookup = asking->lookup;
    const struct token *token = asking->token;
    struct original original = {.relation = RELATION_UNKNOWN};

    if (!address[0])
        return false;
    if (token->recipient && lookup->recipient_key(lookup->site, slice_str(address)) == token->recipient)
        return true;
    if (!lookup->original || asking->asked == ABOUT_ASKED_MAX)
        return false;
    asking->asked++;
    lookup->original(lookup->arg, token->message, slice_str(address), &original);
    return original.relation == RELATION_RECIPIENT;
}

/* ABOUT gets the spelling that is a recipient's, else the one we used. A forwarded mail has two. */
static void name(struct asking *asking, const struct report_recipient *recipient, struct about *about)
{
    char final[ADDRESS_MAX + 1];

    address_normal_text(slice_str(recipient->address), about->address);
    address_normal_text(slice_str(recipient->final), final);
    about->effect = is_recipient(asking, about->address);
    if (!about->effect && is_recipient(asking, final)) {
        memcpy(about->address, final, sizeof about->address);
        about->effect = true;
    }
}

void about_choose(const struct incoming_lookup *lookup, const struct token *token, struct report *report,
                  struct about *about)
{
    struct asking asking = {.lookup = lookup, .token = token};
    bool counts[REPORT_RECIPIENTS_MAX] = {false}, any = false;

    about->address[0] = '\0';
    about->effect = false;
    for (size_t n = 0; n < report->recipients; n++) {
        name(&asking, &report->recipient[n], about);
        counts[n] = about->effect;
        any = any || counts[n];
    }
    if (!report->recipients)
        return;
    report_choose(report, any ? counts : NULL);
    asking.asked = 0;
    name(&asking, &report->recipient[report->worst], about);
}
