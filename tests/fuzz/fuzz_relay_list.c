/* SPDX-License-Identifier: BSD-2-Clause */
/* any list of relays: it ends, lines count up, and what is a network stands in its line */

#include "ctl/relay_list.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct relay_list list = {.rest = slice_of((const char *)data, size)};
    struct network again;
    enum relay_line line;
    size_t before = 0;

    if (size == 0)
        return 0;
    while ((line = relay_list_next(&list)) != RELAY_END) {
        if (list.line <= before || list.text.p < (const char *)data || list.text.p + list.text.len > (const char *)data + size)
            abort();
        if (line == RELAY_NETWORK && !network_parse(list.text, &again))
            abort();
        before = list.line;
    }
    return 0;
}
