/* SPDX-License-Identifier: BSD-2-Clause */
/* decimal - see decimal.h */

#include "common/decimal.h"

bool decimal_read(struct slice text, uint64_t most, uint64_t *number)
{
    uint64_t value = 0;

    for (size_t at = 0; at < text.len; at++) {
        if (!ascii_is_digit(text.p[at]) || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(text.p[at] - '0'), &value))
            return false;
    }
    *number = value;
    return text.len > 0 && value <= most;
}
