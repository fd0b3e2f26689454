/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * view_id - one opening of a document, signed, so that nobody can make up what he has read.
 *
 * The page of the viewer carries it and its script sends it back. In hex: key id (1 byte), time in ms since 1970 (8),
 * document (8), nonce (16), and 16 bytes of an HMAC-SHA-256 (RFC 2104) over these and the token's fields, under a key derived
 * for this alone: so it is good for one link and nothing else. Numbers are big-endian.
 */
#ifndef PIXELD_VIEW_ID_H
#define PIXELD_VIEW_ID_H

#include "common/keys.h"
#include "common/record_document.h"
#include "common/token.h"

enum { VIEW_ID_BYTES = 1 + 8 + 8 + VIEW_BYTES + 16, VIEW_ID_TEXT = 2 * VIEW_ID_BYTES };
enum { VIEW_ID_VALID_MS = 24 * 3600 * 1000 };

struct view_id {
    int64_t time_ms; /* when the page was made */
    uint64_t document;
    uint8_t nonce[VIEW_BYTES];
};

/* With a new nonce. TEXT has room for VIEW_ID_TEXT characters and a NUL. False without randomness or key. */
bool view_id_make(struct keys *keys, const struct token *token, uint64_t document, int64_t now_ms, char text[VIEW_ID_TEXT + 1]);

/* False for what was not made here for this token, and after VIEW_ID_VALID_MS. */
bool view_id_read(struct keys *keys, const struct token *token, struct slice text, int64_t now_ms, struct view_id *id);

#endif
