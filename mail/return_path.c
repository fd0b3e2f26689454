/* SPDX-License-Identifier: BSD-2-Clause */
/* return_path - see return_path.h */

#include "mail/return_path.h"

#include "common/address.h"
#include "common/conf_token.h"
#include "mail/address_token.h"

_Static_assert((int)CONF_TOKEN_TEXT == (int)TOKEN_TEXT, "the configuration leaves room for another token");

/* RFC 5321 4.1.2, Dot-string: what needs quotes is not passed on by every server. */
static bool is_plain(struct slice local)
{
    bool dot = true; /* none may stand first */

    for (size_t at = 0; at < local.len; at++) {
        char c = local.p[at];

        if (c == '.' ? dot : !ascii_is_alpha(c) && !ascii_is_digit(c) && !memchr("!#$%&'*+-/=?^_`{|}~", c, 19))
            return false;
        dot = c == '.';
    }
    return !dot;
}

bool return_path_serves(const struct conf_list *local_domains, struct slice address)
{
    struct slice domain = address_domain(address);

    return domain.len && is_plain(slice_of(address.p, address.len - domain.len - 1)) &&
           conf_list_has_domain(local_domains, domain) && slice_empty(address_token(address, TOKEN_BOUNCE));
}

bool return_path_add(struct buf *out, const char *form, struct keys *keys, uint64_t message, uint32_t recipient)
{
    struct token token = {.kind = TOKEN_BOUNCE, .message = message, .recipient = recipient};
    size_t plus = slice_find_i(slice_str(form), CONF_TOKEN);
    char text[TOKEN_TEXT + 1];

    return plus != (size_t)-1 && token_sign(keys, &token, slice_str(""), text) &&
           buf_add_slice(out, slice_of(form, plus + 1)) && buf_add_str(out, text) &&
           buf_add_str(out, form + plus + strlen(CONF_TOKEN) - 1);
}
