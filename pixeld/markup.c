/* SPDX-License-Identifier: BSD-2-Clause */
#include "pixeld/markup.h"

#include "common/utf8.h"

#include <stdarg.h>

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

void markup_f(struct buf *out, const char *format, ...)
{
    va_list texts;
    const char *mark;

    va_start(texts, format);
    while ((mark = strstr(format, "%s"))) {
        buf_add(out, format, (size_t)(mark - format));
        markup_add_text(out, slice_str(va_arg(texts, const char *)));
        format = mark + 2;
    }
    va_end(texts);
    buf_add_str(out, format);
}

void markup_argument(struct buf *out, const char *text)
{
    for (; text && *text; text++)
        if (ascii_is_alpha(*text) || ascii_is_digit(*text) || strchr("-._~", *text))
            buf_add_char(out, *text);
        else
            buf_add_f(out, "%%%02X", (unsigned char)*text);
}

void markup_csv(struct buf *out, const char *text)
{
    buf_add_char(out, '"');
    if (text && *text && strchr("=+-@\t\r", *text))
        buf_add_char(out, '\'');
    for (; text && *text; text++) {
        if (*text == '"')
            buf_add_char(out, '"');
        buf_add_char(out, *text);
    }
    buf_add_char(out, '"');
}
