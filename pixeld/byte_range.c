/* SPDX-License-Identifier: BSD-2-Clause */
#include "pixeld/byte_range.h"

enum { DIGITS_MAX = 18 };

/* Beyond DIGITS_MAX is beyond any file. */
static bool read_position(struct slice digits, uint64_t *position)
{
    uint64_t value = 0;

    if (digits.len == 0)
        return false;
    for (size_t at = 0; at < digits.len; at++) {
        if (!ascii_is_digit(digits.p[at]))
            return false;
        value = at < DIGITS_MAX ? value * 10 + (uint64_t)(digits.p[at] - '0') : UINT64_MAX;
    }
    *position = value;
    return true;
}

static enum byte_range_want the_last(uint64_t wanted, uint64_t size, struct byte_range *range)
{
    if (wanted == 0 || size == 0)
        return RANGE_NOT_SATISFIABLE;
    range->length = wanted < size ? wanted : size;
    range->first = size - range->length;
    return RANGE_PART;
}

enum byte_range_want byte_range_of(struct slice field, uint64_t size, struct byte_range *range)
{
    static const struct slice unit = SLICE_TEXT("bytes=");
    struct slice set = slice_trim(slice_from(field, unit.len)), digits;
    uint64_t first, last = UINT64_MAX;
    size_t dash = slice_find_char(set, '-');

    *range = (struct byte_range){.first = 0, .length = size};
    if (!slice_starts_i(field, unit) || dash == set.len || slice_find_char(set, ',') < set.len)
        return RANGE_ALL;
    digits = slice_from(set, dash + 1);
    if (digits.len && !read_position(digits, &last))
        return RANGE_ALL;
    if (dash == 0)
        return digits.len ? the_last(last, size, range) : RANGE_ALL;
    if (!read_position(slice_of(set.p, dash), &first) || first > last)
        return RANGE_ALL;
    if (first >= size)
        return RANGE_NOT_SATISFIABLE;
    range->first = first;
    range->length = (last < size ? last + 1 : size) - first;
    return RANGE_PART;
}
