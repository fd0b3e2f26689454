/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * key_file - the text of the key file, read and checked.
 *
 * One entry a line, `#` begins a comment:
 *     address HEX                    64 hex digits; never rotates; keys of recipients are made with it
 *     key ID HEX [STATE [SINCE]]     ID 0 to 255, once in the file; 64 hex digits
 * STATE is `verifies`, `signs`, `retired` (verifies, and never signs again) or `revoked` (what it signed is
 * not honoured any more); SINCE is when that began, in UTC: 2026-11-30T12:00:00Z. At most one key says
 * `signs`. When none does, the first without a state signs; the others without one verify. The file must not
 * be readable by others (mode 0640 or less). No line ever goes: tokens name their key by its id alone.
 */
#ifndef COMMON_KEY_FILE_H
#define COMMON_KEY_FILE_H

#include "common/buf.h"
#include "common/slice.h"

#include <stdbool.h>
#include <stdint.h>

enum { KEY_IDS = 256, KEY_SECRET_BYTES = 32, KEY_FILE_MAX = 256 * 1024 };

enum key_state { KEY_UNKNOWN /* there is no such key */, KEY_VERIFIES, KEY_SIGNS, KEY_RETIRED, KEY_REVOKED };

struct key_entry {
    enum key_state state;
    struct slice line;    /* all of it but the newline; into the text */
    struct slice since;   /* into the text; empty when it does not say */
    struct slice comment; /* into the text, from its `#` on; empty when there is none */
    uint8_t secret[KEY_SECRET_BYTES];
};

struct key_file {
    struct key_entry key[KEY_IDS];
    size_t count;
    uint8_t signing_id;
    uint8_t address[KEY_SECRET_BYTES];
};

/* "verifies" and its kin; "unknown". */
const char *key_state_name(enum key_state state);

/* FILE is large, and points into TEXT. On failure ERROR gets "PATH:LINE: why". Wipe FILE in either case. */
bool key_file_read(struct slice text, const char *path, struct key_file *file, struct buf *error);
void key_file_wipe(struct key_file *file);

/* The text of a file that strangers cannot read; releasing wipes it. False with "PATH: why": TEXT is NULL. */
bool key_file_load(const char *path, struct slice *text, struct buf *error);
void key_file_release(struct slice *text);

#endif
