/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * byte_range - the part of a file that a request wants (RFC 9110 section 14). Pure.
 */
#ifndef PIXELD_BYTE_RANGE_H
#define PIXELD_BYTE_RANGE_H

#include "common/slice.h"

#include <stdint.h>

enum byte_range_want {
    RANGE_ALL,  /* no range, or one that need not be obeyed: several, another unit, nonsense */
    RANGE_PART,
    RANGE_NOT_SATISFIABLE
};

struct byte_range {
    uint64_t first, length;
};

/* FIELD is the value of Range, of a file with SIZE bytes. RANGE is set in any case; for RANGE_ALL it is the whole file. */
enum byte_range_want byte_range_of(struct slice field, uint64_t size, struct byte_range *range);

#endif
