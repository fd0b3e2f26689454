/* SPDX-License-Identifier: BSD-2-Clause */
/* outgoing_ours - whose mail it is: the first step of the ladder, see outgoing.h */

#include "common/address.h"
#include "mail/outgoing_work.h"

#include <strings.h>

bool outgoing_from(const struct header_list *headers, struct buf *address)
{
    const char *from = header_value(headers, "From");
    struct buf mailbox;
    bool found;

    buf_init(&mailbox, HEADER_BYTES_MAX);
    found = from && header_mailbox(slice_str(from), &mailbox) && address_normalize(buf_slice(&mailbox), address);
    buf_free(&mailbox);
    return found;
}

/* Mail that has passed another hand, or goes to many by a list, is not a person's or a tool's own sending. */
static const char *passed_on(const struct header_list *headers)
{
    for (size_t at = 0; at < headers->count; at++) {
        const char *name = headers->field[at].name;

        if (strncasecmp(name, "Resent-", 7) == 0)
            return "resent";
        if (strcasecmp(name, "List-Id") == 0 || strcasecmp(name, "List-Post") == 0)
            return "list";
        if (strncasecmp(name, "ARC-", 4) == 0)
            return "arc";
    }
    return NULL;
}

/* Who is said to have the login, or the login; without one From, for the network was trusted; whichever of them is an address. */
static bool find_owner(const struct outgoing_mail *mail, const struct policy *policy, struct slice sender, struct buf *owner)
{
    if (mail->login.len)
        return address_normalize(policy_owner(policy, mail->login), owner) || address_normalize(mail->login, owner) ||
               address_normalize(mail->envelope_sender, owner) || address_normalize(sender, owner);
    return address_normalize(sender, owner) || address_normalize(mail->envelope_sender, owner);
}

const char *outgoing_not_ours(const struct outgoing_mail *mail, const struct outgoing_settings *settings, struct buf *owner)
{
    struct buf sender;
    const char *reason = NULL;

    buf_init(&sender, ADDRESS_MAX);
    outgoing_from(mail->headers, &sender);
    if (mail->assume_ours)
        reason = NULL;
    else if (!mail->login.len && !mail->from_submit_network)
        reason = "not_submitted";
    else if (!sender.len)
        reason = "no_from";
    else if (!conf_list_has_domain(&settings->conf->local_domains, address_domain(buf_slice(&sender))))
        reason = "foreign_from";
    else
        reason = passed_on(mail->headers);
    if (!reason)
        find_owner(mail, settings->policy, buf_slice(&sender), owner);
    buf_free(&sender);
    return reason;
}

