/* SPDX-License-Identifier: BSD-2-Clause */
/* incoming_site - see incoming_site.h */

#include "common/organisation.h"
#include "mail/incoming_site.h"
#include "mail/tracking.h"

static enum token_result verify_token(void *arg, struct slice text, struct token *token)
{
    struct incoming_site *site = arg;

    return token_verify(site->keys, text, slice_str(""), token);
}

static enum token_result verify_url(void *arg, struct slice url, struct token *token)
{
    struct incoming_site *site = arg;

    return tracking_verify_url(site->keys, site->conf->tracking_url, url, token, NULL);
}

static uint32_t recipient_key(void *arg, struct slice address)
{
    struct incoming_site *site = arg;

    return keys_recipient(site->keys, address);
}

static bool is_colleague(void *arg, struct slice domain, struct slice sender)
{
    const struct conf *conf = ((struct incoming_site *)arg)->conf;

    return sender.len ? organisation_has_both(&conf->organisation, &conf->local_domains, domain, sender)
                      : conf_list_has_domain(&conf->local_domains, domain);
}

void incoming_site_lookup(struct incoming_site *site, struct incoming_lookup *lookup)
{
    *lookup = (struct incoming_lookup){
        .site = site,
        .token = verify_token,
        .url = verify_url,
        .tracking_url = site->conf->tracking_url,
        .recipient_key = recipient_key,
        .is_colleague = is_colleague,
    };
}
