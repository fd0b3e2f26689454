/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * original_recipient - to whom a mail was sent before an alias changed that: the ORCPT of its RCPT (RFC 3461 4.2). Pure.
 */
#ifndef MAIL_ORIGINAL_RECIPIENT_H
#define MAIL_ORIGINAL_RECIPIENT_H

#include "common/address.h"

/*
 * "rfc822;team@example.net", in xtext, or "utf-8;..." (RFC 6533 3). ADDRESS gets the normal form; false with "" for another
 * type and for what is no address.
 */
bool original_recipient_read(struct slice parameter, char address[ADDRESS_MAX + 1]);

#endif
