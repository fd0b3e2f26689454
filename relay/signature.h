/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * signature - HMAC-SHA256 (RFC 2104) and RS256 (RFC 7518 3.3) in base64; in relay/ the only user of OpenSSL.
 *
 * Secrets stand in files, are held in memory alone and are wiped. Errors name the file, never what is in it.
 */
#ifndef RELAY_SIGNATURE_H
#define RELAY_SIGNATURE_H

#include "common/buf.h"

#include <stdint.h>

struct signature_key; /* an RSA key */
/* PEM. NULL with WHY. */
struct signature_key *signature_key_read(const char *path, struct buf *why);
void signature_key_free(struct signature_key *key);
/* Adds base64url without padding. */
bool signature_rs256(const struct signature_key *key, struct slice text, struct buf *out);

enum { SIGNATURE_SECRET_MIN = 24, SIGNATURE_SECRET_MAX = 64 }; /* bytes, by the Standard Webhooks convention */
struct signature_secret {
    uint8_t bytes[SIGNATURE_SECRET_MAX];
    size_t len;
};
/* A file with whsec_BASE64, or BASE64 alone. */
bool signature_secret_read(const char *path, struct signature_secret *secret, struct buf *why);
void signature_secret_wipe(struct signature_secret *secret);
/* Adds base64. */
bool signature_hmac(const struct signature_secret *secret, struct slice text, struct buf *out);

/* Adds base64url without padding (RFC 7515 2). */
bool signature_add_base64url(struct slice bytes, struct buf *out);

#endif
