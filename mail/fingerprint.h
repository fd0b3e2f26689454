/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fingerprint - what two copies of one mail have in common, also when they come by different ways or at different times.
 *
 * SHA-256 of its Message-ID, or of From, Date, Subject and In-Reply-To without one. Pure.
 */
#ifndef MAIL_FINGERPRINT_H
#define MAIL_FINGERPRINT_H

#include "mail/header.h"

#include <stdint.h>

/* The mail's own Message-ID without brackets, "" for none; to be freed. NULL without memory. */
char *fingerprint_message_id(const struct header_list *headers);

/* MESSAGE_ID as given by the function above. False when hashing fails. */
bool fingerprint(const struct header_list *headers, const char *message_id, uint8_t digest[32]);

#endif
