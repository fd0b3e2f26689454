/* SPDX-License-Identifier: BSD-2-Clause */
#include "pixeld/markup.h"

#include "common/utf8.h"

static const char *reference_for(char c)
{
    switch (c) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '"': return "&quot;";
    case '\'': return "&#39;";
    default: return NULL;
    }
}

/* C0 and C1 controls and DEL, of which HTML allows no other than tab, line feed and form feed. */
static bool is_control(struct slice character)
{
    unsigned char first = (unsigned char)character.p[0];

    if (character.len == 2)
        return first == 0xc2 && (unsigned char)character.p[1] < 0xa0;
    return character.len == 1 && (first == 0x7f || (first < 0x20 && first != '\t' && first != '\n'));
}

bool markup_add_text(struct buf *out, struct slice text)
{
    while (text.len) {
        size_t bytes = text.p[0] == '\0' ? 1 : utf8_character(text);
        struct slice character = slice_of(text.p, bytes ? bytes : 1);
        const char *reference = reference_for(text.p[0]);

        if (bytes == 0)
            buf_add_str(out, "\xef\xbf\xbd");
        else if (reference)
            buf_add_str(out, reference);
        else if (!is_control(character))
            buf_add_slice(out, character);
        text = slice_from(text, character.len);
    }
    return !out->failed;
}
