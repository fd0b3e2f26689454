/* SPDX-License-Identifier: BSD-2-Clause */
#include "pixeld/form.h"

#include "common/utf8.h"

static bool decode_bytes(struct slice text, struct buf *out)
{
    for (size_t at = 0; at < text.len; at++) {
        int high, low;

        if (text.p[at] != '%') {
            buf_add_char(out, text.p[at] == '+' ? ' ' : text.p[at]);
            continue;
        }
        high = at + 2 < text.len ? ascii_hex_value(text.p[at + 1]) : -1;
        low = at + 2 < text.len ? ascii_hex_value(text.p[at + 2]) : -1;
        if (high < 0 || low < 0 || high + low == 0)
            return false;
        buf_add_char(out, (char)(high << 4 | low));
        at += 2;
    }
    return !out->failed;
}

static bool is_text(struct slice bytes)
{
    size_t len;

    while (bytes.len && (len = utf8_character(bytes)))
        bytes = slice_from(bytes, len);
    return bytes.len == 0;
}

bool form_decode(struct slice text, struct buf *out)
{
    size_t start = out->len;

    return decode_bytes(text, out) && is_text(slice_from(buf_slice(out), start));
}

bool form_field(struct slice body, const char *name, struct buf *out)
{
    while (body.len) {
        size_t end = slice_find_char(body, '&');
        struct slice pair = slice_of(body.p, end);
        size_t equals = slice_find_char(pair, '=');

        if (slice_is(slice_of(pair.p, equals), name))
            return form_decode(slice_from(pair, equals + 1), out);
        body = slice_from(body, end + 1);
    }
    return false;
}
