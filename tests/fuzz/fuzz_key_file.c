/* SPDX-License-Identifier: BSD-2-Clause */
/* any text as a key file: one that is taken has a key that signs, and stays good through every change that
 * spoorctl makes */

#include "ctl/key_edit.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool read_text(struct slice text, struct key_file *file)
{
    struct buf error;
    bool read;

    buf_init(&error, 1000);
    read = key_file_read(text, "keys", file, &error);
    if (!read && !error.failed && error.len == 0)
        abort();
    buf_free(&error);
    return read;
}

static void change(struct slice text, const struct key_file *file, uint8_t id)
{
    const struct key_wish wishes[] = {{file->signing_id, KEY_VERIFIES}, {id, KEY_SIGNS}};
    static struct key_file after;
    struct buf out;

    buf_init(&out, KEY_FILE_MAX);
    if (id != file->signing_id && key_edit_states(text, file, wishes, 2, 0, &out)) {
        if (!read_text(buf_slice(&out), &after) || after.signing_id != id || after.count != file->count)
            abort();
    }
    buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const bool used[KEY_IDS];
    static struct key_file file, after;
    struct slice text = slice_of((const char *)data, size);
    int free_id;
    struct buf out;

    if (!read_text(text, &file))
        return 0;
    if (file.key[file.signing_id].state != KEY_SIGNS)
        abort();
    for (unsigned id = 0; id < KEY_IDS; id++)
        if (file.key[id].state != KEY_UNKNOWN)
            change(text, &file, (uint8_t)id);
    free_id = key_edit_free_id(&file, used);
    buf_init(&out, KEY_FILE_MAX);
    if (free_id >= 0 && key_edit_add(text, (uint8_t)free_id, file.address, 0, &out)) {
        if (!read_text(buf_slice(&out), &after) || after.key[free_id].state != KEY_VERIFIES ||
            after.count != file.count + 1)
            abort();
    }
    buf_free(&out);
    return 0;
}
