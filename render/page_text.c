/* SPDX-License-Identifier: BSD-2-Clause */
/* page_text - see page_text.h */

#include "render/page_text.h"

#include "common/utf8.h"

enum { CHARACTER_MOST = 5 /* bytes, a blank before it counted */ };

/* U+0080 to U+009F */
static bool is_control(struct slice character)
{
    if (character.len == 1)
        return (unsigned char)character.p[0] < 0x20 || character.p[0] == 0x7F;
    return character.len == 2 && character.p[0] == '\xC2' && (unsigned char)character.p[1] < 0xA0;
}

/* U+202A to U+202E, U+2066 to U+2069 */
static bool turns_direction(struct slice character)
{
    unsigned char last;

    if (character.len != 3 || character.p[0] != '\xE2')
        return false;
    last = (unsigned char)character.p[2];
    return (character.p[1] == '\x80' && last >= 0xAA && last <= 0xAE) ||
           (character.p[1] == '\x81' && last >= 0xA6 && last <= 0xA9);
}

/* The next character; what belongs to none is U+FFFD. */
static struct slice next_character(struct slice *rest)
{
    size_t len = utf8_character(*rest);
    struct slice character = len ? slice_of(rest->p, len) : slice_str("\xEF\xBF\xBD");

    if (!len && rest->p[0] == '\0')
        character = slice_of(rest->p, 1);
    *rest = slice_from(*rest, len ? len : 1);
    return character;
}

static bool is_blank(struct slice character)
{
    return character.len == 1 && (character.p[0] == ' ' || character.p[0] == '\t');
}

static bool is_break(struct slice character)
{
    return character.len == 1 && (character.p[0] == '\n' || character.p[0] == '\f');
}

bool page_text_clean(struct slice text, struct buf *out)
{
    size_t start = out->len;
    int breaks = 2; /* that stand already: none at the beginning, never three */
    bool blank = false;

    while (text.len && !out->failed && out->len - start <= PAGE_TEXT_MOST - CHARACTER_MOST) {
        struct slice character = next_character(&text);

        if (is_break(character)) {
            blank = false;
            if (breaks++ < 2)
                buf_add_char(out, '\n');
        } else if (is_blank(character)) {
            blank = breaks == 0;
        } else if (!is_control(character) && !turns_direction(character)) {
            if (blank)
                buf_add_char(out, ' ');
            buf_add_slice(out, character);
            blank = false;
            breaks = 0;
        }
    }
    while (out->len > start && out->data[out->len - 1] == '\n')
        out->data[--out->len] = '\0';
    return !out->failed;
}
