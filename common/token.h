/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * token - what stands in our URLs and Message-IDs, and its signature.
 *
 * 32 bytes, big-endian: version and kind (4 bits each), key id (8), message id (64), recipient key (32),
 * aggregate (1), index (15), MAC (128 bits of HMAC-SHA-256, RFC 2104 section 5). The MAC covers a label, those fields, a 16-bit
 * length and the destination's bytes. Written as 52 characters of lower-case base32 (RFC 4648
 * alphabet, no padding); read without regard to case. The four bits left over must be zero: one token
 * has one spelling. All functions may be called by any thread.
 */
#ifndef COMMON_TOKEN_H
#define COMMON_TOKEN_H

#include "common/keys.h"
#include "common/slice.h"

#include <stdbool.h>
#include <stdint.h>

enum { TOKEN_VERSION = 1, TOKEN_BYTES = 32, TOKEN_TEXT = 52 };
enum { TOKEN_INDEX_MAX = 0x7fff };
enum { TOKEN_DECOY_INDEX = TOKEN_INDEX_MAX }; /* of a click: the link that no person sees; in the database spoor.is_decoy() */
enum { DESTINATION_MAX = 1500 }; /* bytes; above it a link is not tracked */

enum { TOKEN_CONTENT_MAX = (1 << 22) - 1 }; /* a document's message up to here is no mail but an entry of the library, spoor.content */

enum token_kind { /* also the label of the derived key (15: mail/pass); numbers are on the wire, never reuse one */
    TOKEN_VIEW = 1,
    TOKEN_CLICK = 2,
    TOKEN_DOCUMENT = 3,
    TOKEN_UNSUBSCRIBE = 4,
    TOKEN_MESSAGE_ID = 5,
    TOKEN_ANCHOR = 6,
    TOKEN_BOUNCE = 7, /* in a return path of our own: LEFT+TOKEN@domain */
    TOKEN_CONSENT = 8 /* where a recipient stops tracking */
};

/* The labels of all kinds, for keys_load_for(). */
enum { TOKEN_LABELS = (2 << TOKEN_CONSENT) - (1 << TOKEN_VIEW) };

struct token {
    enum token_kind kind;
    uint8_t key_id;     /* set by token_sign() */
    uint64_t message;
    uint32_t recipient; /* 0: one of the recipients */
    bool aggregate;     /* a hit is counted, but neither address nor program of who made it is kept */
    uint16_t index;     /* of the link or document, from 1 to TOKEN_INDEX_MAX; else 0 */
};

enum token_result {
    TOKEN_GOOD,
    TOKEN_MALFORMED,   /* not of our shape: wrong length, alphabet, version or kind */
    TOKEN_UNKNOWN_KEY, /* of our shape; the key is not here (yet) */
    TOKEN_FORGED,      /* of our shape; the MAC is wrong */
    TOKEN_REVOKED      /* the MAC is right, but others may have the key: who made it is not known */
};

/* Signs with the key that does; TEXT gets TOKEN_TEXT characters and a NUL. False when signing fails. */
bool token_sign(struct keys *keys, struct token *token, struct slice destination, char text[TOKEN_TEXT + 1]);

/* Fields are set for everything but TOKEN_MALFORMED. The kind is not compared: the caller asks token->kind. */
enum token_result token_verify(struct keys *keys, struct slice text, struct slice destination, struct token *token);

/* The shape alone, without keys, for decode and for finding candidates. */
bool token_parse(struct slice text, struct token *token);

const char *token_kind_name(enum token_kind kind);

#endif
