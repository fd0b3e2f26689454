/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * digest - SHA-256, alone (FIPS 180-4) and under a key (HMAC, RFC 2104), and random bytes: by OpenSSL.
 *
 * From any thread; each keeps contexts of its own until it ends. PARTS are taken one behind the other. False, with the result
 * undefined, when there is no memory or no randomness.
 */
#ifndef COMMON_DIGEST_H
#define COMMON_DIGEST_H

#include "common/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DIGEST_BYTES = 32 };

bool digest_sha256(const struct slice *parts, size_t count, uint8_t digest[DIGEST_BYTES]);
/* Many in a row under one SECRET are cheaper. */
bool digest_hmac(const uint8_t secret[DIGEST_BYTES], const struct slice *parts, size_t count, uint8_t mac[DIGEST_BYTES]);
bool digest_random(void *bytes, size_t len);
bool digest_equal(const void *a, const void *b, size_t len); /* in constant time */

#endif
