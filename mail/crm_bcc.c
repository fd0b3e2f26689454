/* SPDX-License-Identifier: BSD-2-Clause */
/* crm_bcc - see crm_bcc.h */

#include "mail/crm_bcc.h"

#include <stdio.h>

struct entry {
    struct slice whom; /* empty: everybody */
    struct slice address;
};

static struct entry entry_of(const char *item)
{
    struct slice text = slice_str(item);
    size_t blank = slice_find_char(text, ' ');

    if (blank == text.len)
        return (struct entry){.address = text};
    return (struct entry){slice_of(text.p, blank), slice_from(text, blank + 1)};
}

/* 3: by address, 2: by domain, 1: whoever it is, 0: not at all */
static int fit(struct slice whom, struct slice person)
{
    if (slice_empty(whom))
        return 1;
    if (slice_eq(whom, person))
        return 3;
    return slice_eq(whom, address_domain(person)) ? 2 : 0;
}

static bool stays_in_the_house(const struct conf *conf, const struct crm_bcc_mail *mail)
{
    for (size_t at = 0; at < mail->recipients; at++) {
        char recipient[ADDRESS_MAX + 1];

        if (!address_normal_text(mail->recipient[at], recipient) ||
            !conf_list_has_domain(&conf->local_domains, address_domain(slice_str(recipient))))
            return false;
    }
    return true;
}

static bool is_recipient(const struct crm_bcc_mail *mail, const char *address)
{
    for (size_t at = 0; at < mail->recipients; at++) {
        char recipient[ADDRESS_MAX + 1];

        if (address_normal_text(mail->recipient[at], recipient) && strcmp(recipient, address) == 0)
            return true;
    }
    return false;
}

bool crm_bcc_choose(const struct conf *conf, const struct crm_bcc_mail *mail, char address[ADDRESS_MAX + 1])
{
    int best = 0;

    for (size_t n = 0; n < conf->stamp.crm_bcc.count; n++) {
        struct entry entry = entry_of(conf->stamp.crm_bcc.item[n]);
        int by_owner = fit(entry.whom, mail->owner), by_sender = fit(entry.whom, mail->sender);
        int fits = by_owner > by_sender ? by_owner : by_sender;

        if (fits <= best || entry.address.len > ADDRESS_MAX)
            continue;
        best = fits;
        snprintf(address, ADDRESS_MAX + 1, "%.*s", SLICE_ARG(entry.address));
    }
    return best && !is_recipient(mail, address) && (conf->stamp.crm_bcc_local || !stays_in_the_house(conf, mail));
}

bool crm_bcc_is(const struct conf *conf, struct slice recipient)
{
    char address[ADDRESS_MAX + 1];

    if (conf->stamp.crm_bcc.count == 0 || !address_normal_text(recipient, address))
        return false;
    for (size_t n = 0; n < conf->stamp.crm_bcc.count; n++)
        if (slice_is(entry_of(conf->stamp.crm_bcc.item[n]).address, address))
            return true;
    return false;
}
