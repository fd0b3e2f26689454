/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * incoming_tokens - keys of a test, and tests/corpus/incoming read with their signed ids in place.
 *
 * The corpus's README.md says what the placeholders mean. Every function fails the running test when it cannot.
 */
#ifndef TESTS_UNIT_INCOMING_TOKENS_H
#define TESTS_UNIT_INCOMING_TOKENS_H

#include "common/buf.h"
#include "common/keys.h"
#include "common/token.h"

#define INCOMING_MESSAGE UINT64_C(1234567890123)
#define INCOMING_RECIPIENT "bob@client.example"
#define INCOMING_TRACKING_URL "https://t.example.com"
#define INCOMING_DESTINATION "https://www.example.org/offer?id=1"

/* Fixed keys in a file that is gone again; KEY_ID signs. */
struct keys *incoming_keys(unsigned key_id);
/* The same, but KEY_ID is revoked and another signs. */
struct keys *incoming_keys_revoking(unsigned key_id);

/* The token for a placeholder's WORD; half of it for WORD.1 and WORD.2. */
void incoming_token(struct keys *keys, const char *word, char text[TOKEN_TEXT + 1]);

/* TEXT with every @TOKEN:WORD@ replaced. */
void incoming_fill(struct keys *keys, struct slice text, struct buf *out);

#endif
