/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * keys - the key file, and what is derived from it.
 *
 * The file's form is in key_file.h. Each token kind has a key of its own, derived by HMAC-SHA-256 of the kind's label; the
 * secrets themselves are not kept, and a program has only those that it needs. A struct keys may be used by all threads at
 * once; keys_reload() changes it under their feet safely.
 */
#ifndef COMMON_KEYS_H
#define COMMON_KEYS_H

#include "common/buf.h"
#include "common/key_file.h"
#include "common/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct keys;

enum { KEYS_MAC_BYTES = 32, KEYS_LABELS = 16, KEYS_FINGERPRINT_BYTES = 8 };

/* Labels beside the token kinds, downwards; never reuse one. */
enum {
    KEYS_LABEL_PASS = 15,       /* mail/pass */
    KEYS_LABEL_VIEW_ID = 14,    /* pixeld/view_id */
    KEYS_LABEL_FINGERPRINT = 13 /* every process has this one */
};

/* LABELS is a set of bits: with other labels this process has no key. ERROR: "FILE:LINE: why". */
struct keys *keys_load_for(const char *path, unsigned labels, struct buf *error);
struct keys *keys_load(const char *path, struct buf *error); /* for all labels */
/* On failure the old ones stay. It is one when `address` changed. */
bool keys_reload(struct keys *keys, struct buf *error);
void keys_free(struct keys *keys); /* wipes them */

/* A fresh key file, mode 0600; refuses to touch one that is there. */
bool keys_create(const char *path, struct buf *error);

uint8_t keys_signing_id(struct keys *keys);
size_t keys_count(struct keys *keys);
enum key_state keys_state(struct keys *keys, uint8_t id);
unsigned keys_generation(struct keys *keys); /* another number after each reload */
/* Tells whether two hosts have the same key under one id, and nothing else. False when there is no such key. */
bool keys_fingerprint(struct keys *keys, uint8_t id, uint8_t fingerprint[KEYS_FINGERPRINT_BYTES]);

/*
 * HMAC-SHA-256 over the PARTS in order under the key derived from key ID for LABEL (0 to KEYS_LABELS - 1).
 * KEY_UNKNOWN when there is no such key, or none for that label, or no memory: a hit is then kept and judged later, never called forged. Also for
 * a key that is revoked there is a MAC; what it says is not to be believed.
 */
enum key_state keys_mac(struct keys *keys, uint8_t id, unsigned label, const struct slice *parts, size_t count,
                        uint8_t mac[KEYS_MAC_BYTES]);
bool keys_holds(enum key_state state); /* what such a key signed is honoured */

/* HMAC-SHA-256 of an address in its normal form under the address secret. */
bool keys_address_mac(struct keys *keys, struct slice address, uint8_t mac[KEYS_MAC_BYTES]);
/* HMAC-SHA-256 of the PARTS in order under a secret for what is cached: the same on all hosts, and like `address` never another. */
bool keys_cache_mac(struct keys *keys, const struct slice *parts, size_t count, uint8_t mac[KEYS_MAC_BYTES]);
/* The first 32 bits of an address's, big-endian; 0 becomes 1, for 0 means "one of the recipients". 0 when there is no memory. */
uint32_t keys_recipient(struct keys *keys, struct slice address);

#endif
