/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * address - a mail address in the form in which two spellings of one are equal.
 *
 * No angle brackets, source route or needless quotes; ASCII lower case; the domain as A-label (RFC 5890,
 * by libidn2, used here alone); +tag kept. RFC 5321 4.1.2 and 2.4: we do fold the local part, as every
 * large receiver does.
 */
#ifndef COMMON_ADDRESS_H
#define COMMON_ADDRESS_H

#include "common/buf.h"
#include "common/slice.h"

enum { ADDRESS_MAX = 320 }; /* bytes of a local part and a domain, RFC 5321 4.5.3.1 */

/* OUT gets the normal form. False, with OUT empty, for the null sender and for what is no address. */
bool address_normalize(struct slice address, struct buf *out);

/* The same into a text; false with "" also for one longer than ADDRESS_MAX. */
bool address_normal_text(struct slice address, char text[ADDRESS_MAX + 1]);

/* Behind the last @, or empty. */
struct slice address_domain(struct slice address);

/* A domain as A-label in lower case; false when it is none. */
bool address_domain_normalize(struct slice domain, struct buf *out);

#endif
