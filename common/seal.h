/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * seal - bytes that without their key can neither be read nor be changed: AES-256-GCM (NIST SP 800-38D), under a nonce that is
 * drawn and stands in front. So one key is good for 2^32 seals. Any thread may call.
 */
#ifndef COMMON_SEAL_H
#define COMMON_SEAL_H

#include "common/buf.h"
#include "common/slice.h"

#include <stdbool.h>
#include <stdint.h>

enum { SEAL_KEY_BYTES = 32, SEAL_NONCE_BYTES = 12, SEAL_TAG_BYTES = 16, SEAL_BYTES = SEAL_NONCE_BYTES + SEAL_TAG_BYTES };

/* Adds TEXT, sealed as what it is ABOUT: SEAL_BYTES more than it has. False without memory or randomness. */
bool seal_close(const uint8_t key[SEAL_KEY_BYTES], struct slice about, struct slice text, struct buf *sealed);
/* Adds the text. False, and TEXT is as before, when the key or what it is about is another, or a bit has changed. */
bool seal_open(const uint8_t key[SEAL_KEY_BYTES], struct slice about, struct slice sealed, struct buf *text);

#endif
