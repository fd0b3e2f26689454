/* SPDX-License-Identifier: BSD-2-Clause */
/* parts lie inside the body and their parents, whatever the bytes */

#include "mail/mime.h"
#include "tests/support/rewrite_check.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice mail = slice_of((const char *)data, size), body;
    struct header_list headers;
    struct mime_tree tree;

    header_list_init(&headers);
    body = slice_from(mail, header_parse(mail, &headers));
    check_that(mime_scan(&headers, body, &tree), "there is memory");
    for (size_t at = 0; at < tree.count; at++) {
        const struct mime_part *part = &tree.part[at];

        check_that(part->at <= body.len && part->len <= body.len - part->at, "a part lies in the body");
        check_that(part->parent < (int)at, "parents come first");
        if (part->parent != MIME_NO_PARENT &&
            part->len) { /* an empty one may begin where its parent's delimiter does */
            const struct mime_part *parent = &tree.part[part->parent];

            check_that(part->at >= parent->at && part->at + part->len <= parent->at + parent->len,
                       "a part lies in its parent");
        }
    }
    mime_tree_free(&tree);
    header_list_free(&headers);
    return 0;
}
