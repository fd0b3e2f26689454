/* SPDX-License-Identifier: BSD-2-Clause */
/* any log: what is read of a line lies in it, and the sums and their report take it */

#include "ctl/observation.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_inside(struct slice line, struct slice part)
{
    if (part.len && (part.p < line.p || part.p + part.len > line.p + line.len))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct observed_sums *sums = observed_sums_new();
    struct slice rest = slice_of((const char *)data, size);
    struct observation seen;
    struct buf text;

    while (sums && rest.len) {
        struct slice line = slice_cut(&rest, '\n');

        if (!observation_read(line, &seen))
            continue;
        check_inside(line, seen.queue_id);
        check_inside(line, seen.from);
        check_inside(line, seen.added);
        check_inside(line, seen.reason);
        observed_sums_add(sums, &seen);
    }
    if (sums) {
        buf_init(&text, 1 << 20);
        observed_sums_report(sums, &text);
        if (text.failed)
            abort();
        buf_free(&text);
    }
    observed_sums_free(sums);
    return 0;
}
