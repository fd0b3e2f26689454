/* SPDX-License-Identifier: BSD-2-Clause */
/* charset - see charset.h */

#include "mail/charset.h"

#include "common/utf8.h"

#include <iconv.h>
#include <stdint.h>
#include <stdio.h>

enum { NAME_MAX_BYTES = 40, HEADER_TEXT_MAX = 64 * 1024 };

struct named_way {
    const char *start; /* of the name, in any case */
    enum charset_way way;
};

/* The first that fits wins: names with a dangerous cousin stand before it. */
static const struct named_way named_ways[] = {
    {"utf-8", CHARSET_DIRECT},       {"utf8", CHARSET_DIRECT},        {"us-ascii", CHARSET_DIRECT},
    {"ascii", CHARSET_DIRECT},       {"ansi_x3.4", CHARSET_DIRECT},   {"iso-8859-", CHARSET_DIRECT},
    {"iso8859-", CHARSET_DIRECT},    {"iso_8859-", CHARSET_DIRECT},   {"latin", CHARSET_DIRECT},
    {"windows-125", CHARSET_DIRECT}, {"cp125", CHARSET_DIRECT},       {"windows-874", CHARSET_DIRECT},
    {"tis-620", CHARSET_DIRECT},     {"koi8-", CHARSET_DIRECT},       {"macintosh", CHARSET_DIRECT},
    {"x-mac-", CHARSET_DIRECT},      {"gb2312", CHARSET_DIRECT},      {"gbk", CHARSET_DIRECT},
    {"gb18030", CHARSET_DIRECT},     {"cp936", CHARSET_DIRECT},       {"windows-936", CHARSET_DIRECT},
    {"big5", CHARSET_DIRECT},        {"cp950", CHARSET_DIRECT},       {"euc-jp", CHARSET_DIRECT},
    {"euc-kr", CHARSET_DIRECT},      {"ks_c_5601", CHARSET_DIRECT},   {"cp949", CHARSET_DIRECT},
    {"shift_jis", CHARSET_DIRECT},   {"shift-jis", CHARSET_DIRECT},   {"sjis", CHARSET_DIRECT},
    {"cp932", CHARSET_DIRECT},       {"windows-31j", CHARSET_DIRECT}, {"iso-2022-jp", CHARSET_ISO_2022_JP},
    {"utf-16le", CHARSET_UTF_16LE},  {"utf-16be", CHARSET_UTF_16BE},  {"utf-16", CHARSET_UTF_16},
};

enum charset_way charset_way_of(struct slice name)
{
    name = slice_trim(name);
    if (slice_empty(name))
        return CHARSET_DIRECT;
    for (size_t at = 0; at < sizeof named_ways / sizeof named_ways[0]; at++)
        if (slice_starts_i(name, slice_str(named_ways[at].start)))
            return named_ways[at].way;
    return CHARSET_UNKNOWN;
}

enum charset_way charset_settle(enum charset_way way, struct slice text)
{
    if (way != CHARSET_UTF_16)
        return way;
    return text.len >= 2 && memcmp(text.p, "\xff\xfe", 2) == 0 ? CHARSET_UTF_16LE : CHARSET_UTF_16BE;
}

/* Escapes of ISO-2022-JP: "ESC ( B" and "ESC ( J" lead back to (near) ASCII, all others away from it. */
static bool mask_iso_2022_jp(struct slice text, struct buf *out)
{
    bool ascii = true;

    if (!buf_reserve(out, text.len))
        return false;
    for (size_t at = 0; at < text.len; at++) {
        if (text.p[at] == '\x1b' && at + 2 < text.len) {
            ascii = text.p[at + 1] == '(' && (text.p[at + 2] == 'B' || text.p[at + 2] == 'J');
            buf_add(out, "\x80\x80\x80", 3);
            at += 2;
        } else {
            /* a line always begins in ASCII (RFC 1468), whatever a careless writer left open */
            ascii |= text.p[at] == '\n';
            buf_add_char(out, ascii ? text.p[at] : '\x80');
        }
    }
    return !out->failed;
}

bool charset_mask(enum charset_way way, struct slice text, struct buf *out)
{
    size_t low = way == CHARSET_UTF_16LE ? 0 : 1;

    if (way == CHARSET_ISO_2022_JP)
        return mask_iso_2022_jp(text, out);
    if (!buf_reserve(out, text.len / 2))
        return false;
    for (size_t at = 0; at + 1 < text.len; at += 2) {
        char high_byte = text.p[at + 1 - low], low_byte = text.p[at + low];

        buf_add_char(out, high_byte == 0 && (unsigned char)low_byte < 0x7f ? low_byte : '\x80');
    }
    return !out->failed;
}

bool charset_add_ascii(enum charset_way way, struct slice ascii, struct buf *out)
{
    if (way == CHARSET_DIRECT || way == CHARSET_ISO_2022_JP)
        return buf_add_slice(out, ascii);
    for (size_t at = 0; at < ascii.len; at++) {
        if (way == CHARSET_UTF_16BE)
            buf_add_char(out, '\0');
        buf_add_char(out, ascii.p[at]);
        if (way == CHARSET_UTF_16LE)
            buf_add_char(out, '\0');
    }
    return !out->failed;
}

/* Some converters keep a letter back, for an accent may follow it: the call without text has them give it. */
static bool convert(iconv_t way, struct slice text, struct buf *out)
{
    char *in = (char *)(uintptr_t)text.p, *to;
    size_t left = text.len, room = text.len * 4, size = room;

    if (!buf_reserve(out, room))
        return false;
    to = out->data + out->len;
    if (iconv(way, &in, &left, &to, &room) == (size_t)-1 || left || iconv(way, NULL, NULL, &to, &room) == (size_t)-1) {
        out->data[out->len] = '\0';
        return false;
    }
    out->len += size - room;
    out->data[out->len] = '\0';
    return true;
}

/* One character; "_" where the charset has none for it, or WAY is none. */
static bool convert_character(iconv_t way, struct slice character, struct buf *out)
{
    if (character.len == 1 && (unsigned char)*character.p < 0x80)
        return buf_add_slice(out, character);
    if (way != (iconv_t)-1 && convert(way, character, out))
        return true;
    if (way != (iconv_t)-1)
        iconv(way, NULL, NULL, NULL, NULL);
    return buf_add_char(out, '_');
}

bool charset_from_utf8(struct slice name, struct slice text, struct buf *out)
{
    char to[NAME_MAX_BYTES] = "us-ascii";
    iconv_t way;

    name = slice_trim(name);
    if (name.len && name.len < sizeof to && !memchr(name.p, '/', name.len) && charset_way_of(name) == CHARSET_DIRECT)
        snprintf(to, sizeof to, "%.*s", SLICE_ARG(name));
    way = iconv_open(to, "UTF-8");
    while (text.len && !out->failed) {
        size_t len = utf8_character(text);

        convert_character(way, slice_of(text.p, len ? len : 1), out);
        text = slice_from(text, len ? len : 1);
    }
    if (way != (iconv_t)-1)
        iconv_close(way);
    return !out->failed;
}

bool charset_to_utf8(struct slice name, struct slice text, struct buf *out)
{
    char from[NAME_MAX_BYTES];
    iconv_t way;
    bool done;

    if (name.len >= sizeof from || text.len > HEADER_TEXT_MAX || memchr(name.p, '/', name.len))
        return false;
    snprintf(from, sizeof from, "%.*s", SLICE_ARG(name));
    if (charset_way_of(name) != CHARSET_DIRECT && charset_way_of(name) != CHARSET_ISO_2022_JP)
        return false;
    way = iconv_open("UTF-8", from);
    if (way == (iconv_t)-1)
        return false;
    done = convert(way, text, out);
    iconv_close(way);
    return done;
}
