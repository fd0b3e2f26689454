/* SPDX-License-Identifier: BSD-2-Clause */
/* spool_loaded - see spool_loaded.h; one line of one length, so that a write replaces all of it */

#include "common/spool_loaded.h"
#include "common/hex.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DIGITS = 2 * SPOOL_IDENTITY_BYTES, NUMBER = 20, LINE = DIGITS + 1 + NUMBER + 1 };

int spool_loaded_open(int directory)
{
    return openat(directory, "loaded", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
}

uint64_t spool_loaded_read(int file, const uint8_t identity[SPOOL_IDENTITY_BYTES])
{
    char line[LINE + 1], digits[DIGITS + 1], *end;
    uint64_t position;

    hex_write(identity, SPOOL_IDENTITY_BYTES, digits);
    if (pread(file, line, sizeof line, 0) != LINE || memcmp(line, digits, DIGITS) != 0 || line[DIGITS] != ' ')
        return 0;
    line[LINE] = '\0';
    errno = 0;
    position = strtoull(line + DIGITS + 1, &end, 10);
    return errno == 0 && strcmp(end, "\n") == 0 ? position : 0;
}

bool spool_loaded_write(int file, const uint8_t identity[SPOOL_IDENTITY_BYTES], uint64_t position)
{
    char line[LINE + 1], digits[DIGITS + 1];

    hex_write(identity, SPOOL_IDENTITY_BYTES, digits);
    snprintf(line, sizeof line, "%s %0*" PRIu64 "\n", digits, NUMBER, position);
    return pwrite(file, line, LINE, 0) == LINE;
}
