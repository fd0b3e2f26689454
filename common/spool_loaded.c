/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spool_loaded - see spool_loaded.h
 *
 * One line of one length, so that a write replaces all of it; with a checksum, for a machine that dies may leave a part
 * of the new line in the old one, and segments are given up by what stands here.
 */

#include "common/spool_loaded.h"
#include "common/crc32c.h"
#include "common/hex.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DIGITS = 2 * SPOOL_IDENTITY_BYTES, NUMBER = 20, SUM = 8, TEXT = DIGITS + 1 + NUMBER, LINE = TEXT + 1 + SUM + 1 };

int spool_loaded_open(int directory)
{
    return openat(directory, "loaded", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
}

static void write_line(char line[LINE + 1], const uint8_t identity[SPOOL_IDENTITY_BYTES], uint64_t position)
{
    char digits[DIGITS + 1];

    hex_write(identity, SPOOL_IDENTITY_BYTES, digits);
    snprintf(line, LINE + 1, "%s %0*" PRIu64, digits, NUMBER, position);
    snprintf(line + TEXT, LINE + 1 - TEXT, " %08" PRIx32 "\n", crc32c(0, line, TEXT));
}

uint64_t spool_loaded_read(int file, const uint8_t identity[SPOOL_IDENTITY_BYTES])
{
    char line[LINE + 1], expected[LINE + 1];
    uint64_t position;

    if (pread(file, line, sizeof line, 0) != LINE)
        return 0;
    line[LINE] = '\0';
    errno = 0;
    position = strtoull(line + DIGITS, NULL, 10);
    write_line(expected, identity, position);
    return errno == 0 && strcmp(line, expected) == 0 ? position : 0;
}

bool spool_loaded_write(int file, const uint8_t identity[SPOOL_IDENTITY_BYTES], uint64_t position)
{
    char line[LINE + 1];

    write_line(line, identity, position);
    return pwrite(file, line, LINE, 0) == LINE;
}
