/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * charset - what a charset means for splicing into it, and conversion of header texts to UTF-8.
 *
 * Measured over every character of the BMP: in the direct charsets no byte of a multibyte character is one
 * of < > " ' & = /, so markup is found by scanning bytes. Pure but for iconv's own tables.
 */
#ifndef MAIL_CHARSET_H
#define MAIL_CHARSET_H

#include "common/buf.h"
#include "common/slice.h"

enum charset_way {
    CHARSET_DIRECT,      /* bytes are scanned as they are */
    CHARSET_ISO_2022_JP, /* scanned with the two-byte state masked */
    CHARSET_UTF_16LE,    /* scanned narrowed; the byte order is told by the name or by a mark */
    CHARSET_UTF_16BE,
    CHARSET_UTF_16, /* the byte order mark decides; without one big endian (RFC 2781 4.3) */
    CHARSET_UNKNOWN /* left alone */
};

/* NAME as the charset parameter gives it; empty means us-ascii. */
enum charset_way charset_way_of(struct slice name);

/*
 * The bytes with everything masked that is no ASCII in this charset, one byte out for each byte
 * (ISO-2022-JP) or for each unit of two (UTF-16) in. WAY is never DIRECT, UNKNOWN or UTF_16 here.
 */
bool charset_mask(enum charset_way way, struct slice text, struct buf *out);

/* For UTF_16: what the first two bytes say. Other ways come back as they are. */
enum charset_way charset_settle(enum charset_way way, struct slice text);

/* ASCII text in this charset. */
bool charset_add_ascii(enum charset_way way, struct slice ascii, struct buf *out);

/* Text of a header to UTF-8. False when the charset is not known or the text is not valid in it; OUT then
 * unchanged. */
bool charset_to_utf8(struct slice name, struct slice text, struct buf *out);

/* Adds UTF-8 text in that charset (empty: us-ascii), with "_" for what it lacks; all but ASCII is that where it is not known. */
bool charset_from_utf8(struct slice name, struct slice text, struct buf *out);

#endif
