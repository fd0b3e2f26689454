/* SPDX-License-Identifier: BSD-2-Clause */
#include "pixeld/markup.h"

#include <stdarg.h>
#include <string.h>

static const char *entity_of(char c)
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

void markup_text(struct buf *out, const char *text)
{
    size_t plain;

    if (!text)
        return;
    while (plain = strcspn(text, "&<>\"'"), text[plain]) {
        buf_add(out, text, plain);
        buf_add_str(out, entity_of(text[plain]));
        text += plain + 1;
    }
    buf_add(out, text, plain);
}

void markup_f(struct buf *out, const char *format, ...)
{
    va_list texts;
    const char *mark;

    va_start(texts, format);
    while ((mark = strstr(format, "%s"))) {
        buf_add(out, format, (size_t)(mark - format));
        markup_text(out, va_arg(texts, const char *));
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
