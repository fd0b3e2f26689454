/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * base64 - RFC 2045 6.8: decoding, and encoding in a given shape of lines.
 *
 * Readers differ about anything but alphabet, padding and white space (a list's footer behind the text, data behind
 * the padding): all that counts as damage here. Pure.
 */
#ifndef MAIL_BASE64_H
#define MAIL_BASE64_H

#include "common/buf.h"
#include "common/slice.h"

/* How the encoded lines look; what is encoded anew takes the shape of what it replaces. */
struct base64_shape {
    size_t line;      /* characters a line, 0 for a single one */
    bool crlf;        /* line breaks are CRLF, else LF */
    bool final_break; /* the last line ends in a break */
};

/* Adds the bytes to OUT. False without memory, when the text is damaged or there is none; what could be read is in OUT. */
bool base64_decode(struct slice text, struct buf *out);

struct base64_shape base64_shape_of(struct slice text);
bool base64_encode(struct slice bytes, struct base64_shape shape, struct buf *out);

#endif
