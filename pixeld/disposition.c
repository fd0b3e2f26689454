/* SPDX-License-Identifier: BSD-2-Clause */
#include "pixeld/disposition.h"

#include "common/utf8.h"

#include <string.h>

enum { NAME_MAX_BYTES = 255, ENDING_MAX_BYTES = 16 };

/* What no file system and no reader of header fields takes amiss. */
static bool is_plain(char c)
{
    return c >= 0x20 && c < 0x7f && !strchr("\"\\/:*?<>|%;", c);
}

static bool is_attr_char(char c)
{
    return ascii_is_alpha(c) || ascii_is_digit(c) || strchr("!#$&+-.^_`|~", c);
}

static void add_ascii(struct buf *out, struct slice name)
{
    while (name.len) {
        size_t bytes = utf8_character(name);

        buf_add_char(out, bytes == 1 && is_plain(name.p[0]) ? name.p[0] : '_');
        name = slice_from(name, bytes ? bytes : 1);
    }
}

static void add_percent(struct buf *out, struct slice name)
{
    for (size_t at = 0; at < name.len; at++) {
        char c = name.p[at];

        if (c && is_attr_char(c))
            buf_add_char(out, c);
        else
            buf_add_f(out, "%%%02X", (unsigned)(unsigned char)c);
    }
}

/* Cut before a character, not within one; the ending stays, for by it people know what it is. */
static void add_cut(struct buf *out, struct slice name)
{
    const char *dot = memrchr(name.p, '.', name.len);
    struct slice ending = dot ? slice_from(name, (size_t)(dot - name.p)) : slice_of(NULL, 0);
    size_t most = NAME_MAX_BYTES;

    if (name.len <= NAME_MAX_BYTES) {
        utf8_clean(name, out);
        return;
    }
    if (ending.len > ENDING_MAX_BYTES)
        ending.len = 0;
    for (most -= ending.len; most && (name.p[most] & 0xc0) == 0x80;)
        most--;
    utf8_clean(slice_of(name.p, most), out);
    utf8_clean(ending, out);
}

bool disposition_add(struct buf *out, struct slice name)
{
    struct buf cut;

    buf_init(&cut, 4 * NAME_MAX_BYTES);
    add_cut(&cut, name.len ? name : slice_str("document"));
    buf_add_str(out, "attachment; filename=\"");
    add_ascii(out, buf_slice(&cut));
    buf_add_str(out, "\"; filename*=UTF-8''");
    add_percent(out, buf_slice(&cut));
    if (cut.failed)
        out->failed = true;
    buf_free(&cut);
    return !out->failed;
}
