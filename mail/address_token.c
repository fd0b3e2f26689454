/* SPDX-License-Identifier: BSD-2-Clause */
/* address_token - see address_token.h */

#include "mail/address_token.h"

static size_t last_at(struct slice address)
{
    size_t at = address.len;

    while (at > 0 && address.p[at - 1] != '@')
        at--;
    return at;
}

struct slice address_token(struct slice address, enum token_kind kind)
{
    size_t at = last_at(address), plus;
    struct token token;
    struct slice text;

    if (at < TOKEN_TEXT + 2) /* +TOKEN@ */
        return slice_of("", 0);
    plus = at - TOKEN_TEXT - 2;
    text = slice_of(address.p + plus + 1, TOKEN_TEXT);
    if (address.p[plus] != '+' || !token_parse(text, &token) || token.kind != kind)
        return slice_of("", 0);
    return text;
}

bool address_token_of(struct slice address, enum token_kind kind, const char *ours, struct slice *token)
{
    size_t left = last_at(slice_str(ours));

    *token = address_token(address, kind);
    if (slice_empty(*token) || left == 0)
        return false;
    return slice_eq_i(slice_of(address.p, (size_t)(token->p - address.p) - 1), slice_of(ours, left - 1)) &&
           slice_eq_i(slice_from(address, last_at(address)), slice_str(ours + left));
}
