/* SPDX-License-Identifier: BSD-2-Clause */
/* the files of any mail leave it as promised, whether the links stand in its pages or in one of their own */

#include "mail/rewrite_degree.h"
#include "tests/support/rewrite_check.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A file's bytes are read or refused; nothing else may happen. */
static void read_files(struct slice body, const struct document_list *list)
{
    struct buf bytes;

    for (size_t at = 0; at < list->count; at++) {
        buf_init(&bytes, body.len + 4);
        document_decode(body, &list->item[at], &bytes);
        check_that(!bytes.failed, "a file is no larger than its mail");
        buf_free(&bytes);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rewrite_settings settings = check_settings("fuzz");
    struct slice mail = slice_of((const char *)data, size), body;
    struct rewrite_result result;
    struct document_list list;
    struct header_list headers;
    const char *reason;

    settings.add_pixel = size % 2;
    settings.documents_page = size % 5 == 0;
    header_list_init(&headers);
    body = slice_from(mail, header_parse(mail, &headers));
    if (rewrite_degree_of(&headers, body, settings.body_limit, &reason) == REWRITE_BODY) {
        check_documents(&headers, body, &list, &settings);
        read_files(body, &list);
        for (size_t at = 0; at < list.count; at++)
            list.item[at].number = at % 3 == 2 ? 0 : list.item[at].number;
        check_rewrite(&headers, body, &settings, &result);
        rewrite_result_free(&result);
        document_list_free(&list);
    }
    header_list_free(&headers);
    return 0;
}
