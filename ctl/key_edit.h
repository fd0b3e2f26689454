/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * key_edit - changes in the text of a key file: what is not changed stays byte for byte. Pure.
 *
 * OUT must have been given room for KEY_FILE_MAX, so that no copy of a secret stays behind. Times are
 * microseconds since 1970. False when the text gets too long.
 */
#ifndef CTL_KEY_EDIT_H
#define CTL_KEY_EDIT_H

#include "common/key_file.h"

/* A new key, which verifies, behind all others. */
bool key_edit_add(struct slice text, uint8_t id, const uint8_t secret[KEY_SECRET_BYTES], int64_t now_us,
                  struct buf *out);

struct key_wish {
    uint8_t id; /* of a key in FILE */
    enum key_state state;
};
/* FILE is what was read from TEXT. The comment of a line stays. */
bool key_edit_states(struct slice text, const struct key_file *file, const struct key_wish *wishes,
                     size_t count, int64_t now_us, struct buf *out);

/* An id that was never used, -1: all were. USED has KEY_IDS places; those of FILE need not be marked there. */
int key_edit_free_id(const struct key_file *file, const bool *used);

#endif
