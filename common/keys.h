/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * keys - the key file, and what is derived from it.
 *
 * The file is text, one entry a line, `#` begins a comment:
 *     address HEX      64 hex digits; never rotates; keys of recipients are made with it
 *     key ID HEX       ID 0 to 255 once, 64 hex digits; the first signs, all verify
 * It must not be readable by others (mode 0640 or less). Each token kind has a key of its own, derived
 * by HMAC-SHA-256 of the kind's label; the secrets themselves are not kept. A struct keys may be used by all
 * threads at once; keys_reload() changes it under their feet safely. OpenSSL is used by keys.c alone.
 */
#ifndef COMMON_KEYS_H
#define COMMON_KEYS_H

#include "common/buf.h"
#include "common/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct keys;

enum { KEYS_MAC_BYTES = 32, KEYS_SECRET_BYTES = 32, KEYS_LABELS = 16 };

/* Labels beside the token kinds, downwards; never reuse one. 15: mail/pass. */
enum { KEYS_LABEL_VIEW_ID = 14 }; /* pixeld/view_id */

struct keys *keys_load(const char *path, struct buf *error); /* "FILE:LINE: why" */
/* On failure the old ones stay. It is one when `address` changed. */
bool keys_reload(struct keys *keys, struct buf *error);
void keys_free(struct keys *keys); /* wipes them */

/* A fresh key file, mode 0600; refuses to touch one that is there. */
bool keys_create(const char *path, struct buf *error);

uint8_t keys_signing_id(struct keys *keys);
size_t keys_count(struct keys *keys);
bool keys_has(struct keys *keys, uint8_t id);

/*
 * HMAC-SHA-256 over the PARTS in order under the key derived from key ID for LABEL (0 to KEYS_LABELS - 1).
 * False when there is no such key, or no memory: a hit is then kept and judged later, never called forged.
 */
bool keys_mac(struct keys *keys, uint8_t id, unsigned label, const struct slice *parts, size_t count,
              uint8_t mac[KEYS_MAC_BYTES]);

/* HMAC-SHA-256 of an address in its normal form under the address secret. */
bool keys_address_mac(struct keys *keys, struct slice address, uint8_t mac[KEYS_MAC_BYTES]);
/* Its first 32 bits, big-endian; 0 becomes 1, for 0 means "one of the recipients". 0 when there is no memory. */
uint32_t keys_recipient(struct keys *keys, struct slice address);

/* Plain SHA-256 and random bytes, here because OpenSSL is. False when it has no memory or no randomness. */
bool keys_sha256(const struct slice *parts, size_t count, uint8_t digest[32]);
bool keys_random(void *bytes, size_t len);
bool keys_equal(const void *a, const void *b, size_t len); /* in constant time */

#endif
