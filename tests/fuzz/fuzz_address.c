/* SPDX-License-Identifier: BSD-2-Clause */
/* any text as an address: the normal form of a normal form is itself, and holds no control bytes */

#include "common/address.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf once, twice;

    buf_init(&once, 1000);
    buf_init(&twice, 1000);
    if (address_normalize(slice_of((const char *)data, size), &once)) {
        if (!address_normalize(buf_slice(&once), &twice) || !slice_eq(buf_slice(&once), buf_slice(&twice)))
            abort();
        for (size_t at = 0; at < once.len; at++)
            if ((unsigned char)once.data[at] < 0x20)
                abort();
    } else if (once.len) {
        abort();
    }
    buf_free(&once);
    buf_free(&twice);
    return 0;
}
