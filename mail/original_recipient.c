/* SPDX-License-Identifier: BSD-2-Clause */
/* original_recipient - see original_recipient.h */

#include "mail/original_recipient.h"

enum { XTEXT_PER_BYTE = 3 /* "+2B" */ };

static bool take_type(struct slice *text, const char *type)
{
    if (!slice_starts_i(*text, slice_str(type)))
        return false;
    *text = slice_from(*text, strlen(type));
    return true;
}

/* RFC 3461 4: "+" and two digits stand for a byte. */
static bool decode(struct slice xtext, struct buf *out)
{
    for (size_t at = 0; at < xtext.len; at++) {
        int high, low;

        if (xtext.p[at] != '+') {
            buf_add_char(out, xtext.p[at]);
            continue;
        }
        if (xtext.len - at < XTEXT_PER_BYTE || (high = ascii_hex_value(xtext.p[at + 1])) < 0 ||
            (low = ascii_hex_value(xtext.p[at + 2])) < 0)
            return false;
        buf_add_char(out, (char)(high << 4 | low));
        at += XTEXT_PER_BYTE - 1;
    }
    return !out->failed;
}

bool original_recipient_read(struct slice parameter, char address[ADDRESS_MAX + 1])
{
    struct buf text;
    bool found;

    address[0] = '\0';
    if (!take_type(&parameter, "rfc822;") && !take_type(&parameter, "utf-8;"))
        return false;
    buf_init(&text, ADDRESS_MAX + 1);
    found = decode(parameter, &text) && address_normal_text(buf_slice(&text), address);
    buf_free(&text);
    return found;
}
