/* SPDX-License-Identifier: BSD-2-Clause */
/* document_block - see document_block.h */

#include "mail/document_block.h"
#include "common/utf8.h"

#include <inttypes.h>

#define FONT "font-family:Arial,Helvetica,sans-serif"
#define BORDER "border:1px solid #808080"

static void add_upper(const char *text, struct buf *out)
{
    for (; *text; text++)
        buf_add_char(out, *text >= 'a' && *text <= 'z' ? (char)(*text - 'a' + 'A') : *text);
}

/* "812 bytes", "34 KB", "1.2 MB": as file managers round it. */
static void add_size(uint64_t bytes, struct buf *out)
{
    uint64_t tenths = (bytes * 10 + (1 << 19)) >> 20;

    if (bytes < 1000)
        buf_add_f(out, "%" PRIu64 " bytes", bytes);
    else if (bytes < 1000 * 1024)
        buf_add_f(out, "%" PRIu64 " KB", (bytes + 512) >> 10);
    else if (tenths < 100)
        buf_add_f(out, "%" PRIu64 ".%" PRIu64 " MB", tenths / 10, tenths % 10);
    else
        buf_add_f(out, "%" PRIu64 " MB", (bytes + (1 << 19)) >> 20);
}

/* The code point of a valid UTF-8 sequence of LEN bytes. */
static unsigned long code_point(const char *p, size_t len)
{
    unsigned long code = (unsigned char)*p & (0xFFU >> (len + 1));

    for (size_t at = 1; at < len; at++)
        code = code << 6 | ((unsigned char)p[at] & 0x3F);
    return code;
}

static void add_escaped(const char *name, struct buf *out)
{
    struct slice rest = slice_str(name);

    while (rest.len) {
        size_t len = utf8_character(rest);

        if (len > 1)
            buf_add_f(out, "&#%lu;", code_point(rest.p, len));
        else if (*rest.p == '&')
            buf_add_str(out, "&amp;");
        else if (*rest.p == '<')
            buf_add_str(out, "&lt;");
        else if (*rest.p == '>')
            buf_add_str(out, "&gt;");
        else
            buf_add_char(out, *rest.p);
        rest = slice_from(rest, len ? len : 1);
    }
}

static void add_row(const struct document_link *link, struct buf *out)
{
    buf_add_str(out, "\n<tr><td style=\"" BORDER ";padding:8px 12px;text-align:center;vertical-align:middle;" FONT
                     ";\nfont-size:12px;line-height:20px;font-weight:bold\">");
    add_upper(link->document->type, out);
    buf_add_str(out, "</td>\n<td style=\"" BORDER ";padding:8px 16px 8px 12px;vertical-align:middle;" FONT
                     ";\nfont-size:14px;line-height:20px;word-break:break-word\">\n<a href=\"");
    buf_add_str(out, link->url);
    buf_add_str(out, "\"\n style=\"color:inherit;font-weight:bold;text-decoration:underline\"\n>");
    add_escaped(link->document->name, out);
    buf_add_str(out, "</a><br>\n<span style=\"font-size:12px\">");
    add_size(link->document->bytes, out);
    buf_add_str(out, "</span></td></tr>");
}

void document_block_html(const struct document_link *link, size_t links, struct buf *out)
{
    buf_add_str(out, "\n<table role=\"presentation\" border=\"0\" cellspacing=\"0\" cellpadding=\"0\""
                     "\n style=\"margin:16px 0;border-collapse:collapse\">");
    for (size_t at = 0; at < links; at++)
        add_row(&link[at], out);
    buf_add_str(out, "\n</table>\n");
}

static void add_plain_name(const char *name, bool utf8, struct buf *out)
{
    struct slice rest = slice_str(name);

    while (rest.len) {
        size_t len = utf8_character(rest);

        if (len > 1 && !utf8)
            buf_add_char(out, '_');
        else
            buf_add(out, rest.p, len ? len : 1);
        rest = slice_from(rest, len ? len : 1);
    }
}

void document_block_text(const struct document_link *link, size_t links, bool utf8, struct buf *out)
{
    for (size_t at = 0; at < links; at++) {
        if (at)
            buf_add_str(out, "\r\n");
        add_plain_name(link[at].document->name, utf8, out);
        buf_add_str(out, " (");
        add_upper(link[at].document->type, out);
        buf_add_str(out, ", ");
        add_size(link[at].document->bytes, out);
        buf_add_f(out, "):\r\n%s", link[at].url);
    }
}

/* Every newline of what splices want becomes a line break. */
static void add_lines(struct slice text, const char *line_break, struct buf *out)
{
    while (text.len) {
        size_t len = slice_find_char(text, '\n');

        buf_add(out, text.p, len);
        if (len < text.len)
            buf_add_str(out, line_break);
        text = slice_from(text, len + 1);
    }
}

void document_block_page(struct slice block, struct slice extra, const char *line_break, struct buf *out)
{
    add_lines(slice_str("<!DOCTYPE html>\n<html><body>"), line_break, out);
    add_lines(block, line_break, out);
    add_lines(extra, line_break, out);
    add_lines(slice_str("\n</body></html>\n"), line_break, out);
}
