/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reply_text - what a person wrote in a reply, as plain UTF-8 without the quoted history.
 *
 * Taken from the plain text, or from the HTML where there is no other or nothing is left of it. Pure.
 */
#ifndef MAIL_REPLY_TEXT_H
#define MAIL_REPLY_TEXT_H

#include "mail/header.h"

enum {
    REPLY_TEXT_MAX = 16 * 1024,   /* bytes that are kept */
    REPLY_TEXT_READ = 256 * 1024  /* bytes of a part, as it is encoded, that are looked at */
};

/* OUT must be empty and have room for REPLY_TEXT_MAX. It stays empty when there is no text. False only without memory. */
bool reply_text_read(const struct header_list *headers, struct slice body, struct buf *out);

#endif
