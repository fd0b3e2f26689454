/* SPDX-License-Identifier: BSD-2-Clause */
/* signed_id - see signed_id.h */

#include "mail/signed_id.h"

bool signed_id_add(struct keys *keys, struct token *token, struct slice domain, struct buf *out)
{
    char text[TOKEN_TEXT + 1];

    return token_sign(keys, token, slice_str(""), text) && buf_add_str(out, text) && buf_add_char(out, '@') &&
           buf_add_slice(out, domain);
}

struct slice signed_id_token(struct slice id)
{
    size_t at = slice_find_char(id, '@');

    return slice_of(id.p, at < id.len ? at : 0);
}

bool signed_id_may_hold(const struct token *token)
{
    return token->kind == TOKEN_MESSAGE_ID || token->kind == TOKEN_ANCHOR;
}

bool signed_id_is_shaped(struct slice id)
{
    struct token token;

    return token_parse(signed_id_token(id), &token);
}

bool signed_id_is_anchor(struct slice id)
{
    struct token token;

    return token_parse(signed_id_token(id), &token) && token.kind == TOKEN_ANCHOR;
}

bool signed_id_is_of(struct keys *keys, struct slice id, uint64_t message)
{
    struct token token;

    return token_verify(keys, signed_id_token(id), slice_str(""), &token) == TOKEN_GOOD &&
           token.kind == TOKEN_MESSAGE_ID && token.message == message;
}
