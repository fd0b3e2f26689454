/* SPDX-License-Identifier: BSD-2-Clause */
/* key_edit - see key_edit.h */

#include "ctl/key_edit.h"

#include "common/date.h"
#include "common/hex.h"

static bool add_line(struct buf *out, uint8_t id, const uint8_t secret[KEY_SECRET_BYTES],
                     enum key_state state, int64_t now_us)
{
    buf_add_f(out, "key %u ", id);
    hex_add(out, secret, KEY_SECRET_BYTES);
    buf_add_f(out, " %s ", key_state_name(state));
    return date_add_exact(out, now_us);
}

bool key_edit_add(struct slice text, uint8_t id, const uint8_t secret[KEY_SECRET_BYTES], int64_t now_us,
                  struct buf *out)
{
    buf_add_slice(out, text);
    if (text.len && text.p[text.len - 1] != '\n')
        buf_add_char(out, '\n');
    return add_line(out, id, secret, KEY_VERIFIES, now_us) && buf_add_char(out, '\n');
}

/* The wish for the key that stands at LINE, or NULL. */
static const struct key_wish *wish_for(const char *line, const struct key_file *file,
                                       const struct key_wish *wishes, size_t count)
{
    for (size_t n = 0; n < count; n++)
        if (file->key[wishes[n].id].line.p == line)
            return &wishes[n];
    return NULL;
}

bool key_edit_states(struct slice text, const struct key_file *file, const struct key_wish *wishes,
                     size_t count, int64_t now_us, struct buf *out)
{
    while (text.len) {
        const struct key_wish *wish = wish_for(text.p, file, wishes, count);
        struct slice line = slice_of(text.p, slice_find_char(text, '\n'));

        if (wish) {
            const struct key_entry *entry = &file->key[wish->id];

            add_line(out, wish->id, entry->secret, wish->state, now_us);
            buf_add_str(out, entry->comment.len ? " " : "");
            buf_add_slice(out, entry->comment);
        } else {
            buf_add_slice(out, line);
        }
        text = slice_from(text, line.len);
        if (text.len)
            buf_add_char(out, '\n');
        text = slice_from(text, 1);
    }
    return !out->failed;
}

int key_edit_free_id(const struct key_file *file, const bool *used)
{
    unsigned highest = 0;

    for (unsigned id = 0; id < KEY_IDS; id++)
        if (used[id] || file->key[id].state != KEY_UNKNOWN)
            highest = id;
    for (unsigned n = 1; n <= KEY_IDS; n++) {
        unsigned id = (highest + n) % KEY_IDS;

        if (!used[id] && file->key[id].state == KEY_UNKNOWN)
            return (int)id;
    }
    return -1;
}
