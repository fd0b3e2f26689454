/* SPDX-License-Identifier: BSD-2-Clause */
/* node - see node.h; the file `node` holds the identity in hex and the number */

#include "common/file_replace.h"
#include "common/hex.h"
#include "common/message_id.h"
#include "common/node.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HEX = 2 * SPOOL_IDENTITY_BYTES, LINE_MAX_BYTES = HEX + 16 };

static const char file_name[] = "node";

static bool read_line(const char *directory, char line[LINE_MAX_BYTES + 1])
{
    int folder = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int file = folder < 0 ? -1 : openat(folder, file_name, O_RDONLY | O_CLOEXEC);
    ssize_t len = file < 0 ? -1 : read(file, line, LINE_MAX_BYTES);

    if (file >= 0)
        close(file);
    if (folder >= 0)
        close(folder);
    line[len > 0 ? len : 0] = '\0';
    return len > 0;
}

int node_read(const char *directory, const uint8_t identity[SPOOL_IDENTITY_BYTES])
{
    char line[LINE_MAX_BYTES + 1];
    char hex[HEX + 1];
    char *end;
    long node;

    hex_write(identity, SPOOL_IDENTITY_BYTES, hex);
    if (!read_line(directory, line) || strncmp(line, hex, HEX) != 0 || line[HEX] != ' ')
        return NODE_UNKNOWN;
    node = strtol(line + HEX + 1, &end, 10);
    return end > line + HEX + 1 && strcmp(end, "\n") == 0 && node >= 0 && node <= NODE_MAX ? (int)node : NODE_UNKNOWN;
}

bool node_keep(const char *directory, const uint8_t identity[SPOOL_IDENTITY_BYTES], int node)
{
    char hex[HEX + 1];
    char line[LINE_MAX_BYTES + 1];
    int folder = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int file, len;
    bool kept;

    if (folder < 0)
        return false;
    hex_write(identity, SPOOL_IDENTITY_BYTES, hex);
    len = snprintf(line, sizeof line, "%s %d\n", hex, node);
    file = file_replace_begin(folder, file_name);
    kept = file >= 0 && file_replace_commit(folder, file_name, file, slice_of(line, (size_t)len));
    close(folder);
    return kept;
}
