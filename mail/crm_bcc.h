/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * crm_bcc - to which address of a CRM a blind copy of a mail goes, such as that of Email to Salesforce. Pure.
 *
 * stamp.crm_bcc has an address for all senders, or one behind a sender's address or domain; the most exact one counts.
 */
#ifndef MAIL_CRM_BCC_H
#define MAIL_CRM_BCC_H

#include "common/address.h"
#include "common/conf.h"

struct crm_bcc_mail {
    struct slice owner, sender; /* normal form */
    const struct slice *recipient; /* as the MTA gives them */
    size_t recipients;
};

/* False when none is wanted: no entry fits, it is a recipient already, or the mail stays in the house. */
bool crm_bcc_choose(const struct conf *conf, const struct crm_bcc_mail *mail, char address[ADDRESS_MAX + 1]);

/* Is this the address of a CRM? Its copy is nobody's to be tracked. */
bool crm_bcc_is(const struct conf *conf, struct slice recipient);

#endif
