/* SPDX-License-Identifier: BSD-2-Clause */
/* any bytes as a header block, and each value as words, mailbox and parameters */

#include "tests/support/rewrite_check.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_value(const char *value)
{
    struct header_params *params = header_params_new(slice_str(value));
    struct buf out;

    buf_init(&out, 1024 * 1024);
    header_decode_words(slice_str(value), &out);
    buf_reset(&out);
    check_that(!header_mailbox(slice_str(value), &out) || memchr(out.data, '@', out.len),
               "an address has an at sign");
    check_that(params != NULL, "there is memory");
    header_params_get(params, "charset");
    header_params_free(params);
    buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice mail = slice_of((const char *)data, size);
    struct header_list list;

    header_list_init(&list);
    check_that(header_parse(mail, &list) <= size, "the body begins inside");
    for (size_t at = 0; at < list.count; at++)
        read_value(list.field[at].value);
    header_list_free(&list);
    return 0;
}
