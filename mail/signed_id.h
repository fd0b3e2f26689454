/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * signed_id - a Message-ID of ours, TOKEN@DOMAIN without brackets: all that knows what such an id looks like. Pure.
 *
 * Of a mail there are two: the one that may stand in its Message-ID, and the anchor in its References.
 */
#ifndef MAIL_SIGNED_ID_H
#define MAIL_SIGNED_ID_H

#include "common/buf.h"
#include "common/keys.h"
#include "common/token.h"

/* Adds the id that TOKEN makes; its key_id is set. False without memory. */
bool signed_id_add(struct keys *keys, struct token *token, struct slice domain, struct buf *out);

/* What may be a token in ID; empty without an @. */
struct slice signed_id_token(struct slice id);
/* Does a token of this kind stand in such ids? */
bool signed_id_may_hold(const struct token *token);

/* By its form, whoever signed it. */
bool signed_id_is_shaped(struct slice id);
bool signed_id_is_anchor(struct slice id);

/* Did we sign it, as the Message-ID of MESSAGE? */
bool signed_id_is_of(struct keys *keys, struct slice id, uint64_t message);

#endif
