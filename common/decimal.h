/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * decimal - numbers in texts that others wrote.
 */
#ifndef COMMON_DECIMAL_H
#define COMMON_DECIMAL_H

#include "common/slice.h"

#include <stdint.h>

/* All of TEXT as a decimal number of at most MOST; false for anything else, as for no digit. Leading zeros are no harm. */
bool decimal_read(struct slice text, uint64_t most, uint64_t *number);

#endif
