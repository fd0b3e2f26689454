/* SPDX-License-Identifier: BSD-2-Clause */
/* a splice inside quoted-printable is the same splice in what it decodes to */

#include "mail/qp.h"
#include "mail/splice.h"
#include "tests/support/rewrite_check.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Between the two bytes of a line break: no tag begins or ends there. */
static bool splits_break(struct slice text, size_t at)
{
    return at > 0 && at < text.len && text.p[at] == '\n' && text.p[at - 1] == '\r';
}

/* Up to three splices from the first six bytes: how far on, and how much is taken. */
static void choose(const uint8_t *data, struct slice text, struct splice_list *list)
{
    size_t at = 0, length = text.len;

    for (size_t n = 0; n < 3; n++) {
        size_t taken;

        at += data[2 * n];
        if (at > length)
            return;
        taken = data[2 * n + 1] % 16;
        taken = taken < length - at ? taken : length - at;
        if (splits_break(text, at) || splits_break(text, at + taken))
            continue;
        splice_add(list, at, taken,
                   slice_str(data[2 * n + 1] & 16 ? "<img src=\"http://a/b\">"
                             : taken              ? ""
                                                  : "x"));
        at += taken + 1;
    }
}

static void splice_plain(const struct splice_list *list, struct slice text, struct buf *out)
{
    size_t from = 0;

    for (size_t at = 0; at < list->count; at++) {
        const struct splice *splice = &list->item[at];

        buf_add(out, text.p + from, splice->at - from);
        buf_add(out, list->texts.data + splice->text_at, splice->text_len);
        from = splice->at + splice->len;
    }
    buf_add(out, text.p + from, text.len - from);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice raw;
    struct buf decoded, expected, body, again;
    struct splice_list list;
    struct qp_map map, map_again;
    struct splice_output output = {.body = &body};

    if (size < 6)
        return 0;
    raw = slice_of((const char *)data + 6, size - 6);
    output.old = raw;
    buf_init(&decoded, size * 2);
    buf_init(&expected, size * 2 + 1000);
    buf_init(&body, size * 6 + 1000);
    buf_init(&again, size * 6 + 1000);
    splice_list_init(&list);
    check_that(qp_decode(raw, &decoded, &map), "there is memory");
    choose(data, buf_slice(&decoded), &list);
    splice_plain(&list, buf_slice(&decoded), &expected);
    check_that(splice_qp(&output, &list, 0, &map, CHARSET_DIRECT) && splice_finish(&output),
               "there is memory");
    check_that(qp_decode(buf_slice(&body), &again, &map_again), "there is memory");
    check_that(slice_eq(buf_slice(&expected), buf_slice(&again)), "decoding gives the spliced text");
    qp_map_free(&map);
    qp_map_free(&map_again);
    splice_list_free(&list);
    free(output.edit);
    buf_free(&decoded);
    buf_free(&expected);
    buf_free(&body);
    buf_free(&again);
    return 0;
}
