/* SPDX-License-Identifier: BSD-2-Clause */
/* any kept list of who is forgotten; then any text and any record, as one that names somebody in the list */

#include "common/forgotten.h"
#include "common/kept_text.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char list[] = "salt\t00\nnumber\t1\n"
                           "digest\t0000000000000000000000000000000000000000000000000000000000000000\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_of((const char *)data, size);
    struct forgotten *any, *one = forgotten_parse(slice_str(list));
    struct slice found;
    struct buf out;

    if (size == 0 || !one) {
        forgotten_let_go(one);
        return 0;
    }
    buf_init(&out, RECORD_BYTES_MAX);
    any = kept_text_of("forgotten", text, &found) ? forgotten_parse(found) : forgotten_parse(text);
    if (any) {
        forgotten_has(any, text);
        forgotten_missing(any, one, &out);
        buf_reset(&out);
        if (forgotten_censor(any, text, &out) && out.len == 0)
            abort();
    }
    buf_reset(&out);
    forgotten_censor(one, text, &out);
    for (unsigned kind = 0; kind <= RECORD_BEACON; kind++)
        forgotten_record(one, (uint8_t)kind, text, &out);
    buf_free(&out);
    forgotten_let_go(any);
    forgotten_let_go(one);
    return 0;
}
