/* SPDX-License-Identifier: BSD-2-Clause */
/* pixel - see pixel.h */

#include "mail/pixel.h"

bool pixel_write(struct slice url, size_t blanks, struct buf *markup)
{
    static const char *const attributes[] = {"width=\"1\"", "height=\"1\"", "alt=\"\"",
                                             "style=\"border:0;width:1px;height:1px\""};
    size_t left = sizeof attributes / sizeof attributes[0];

    buf_add_str(markup, "<img src=\"");
    buf_add_slice(markup, url);
    buf_add_char(markup, '"');
    for (size_t at = 0; at < sizeof attributes / sizeof attributes[0]; at++) {
        size_t share = blanks / left--; /* of each line, which so stays below SPLICE_LINE_MAX */

        buf_add_f(markup, "%s%*s%s", share ? "\n" : "", (int)share + 1, "", attributes[at]);
        blanks -= share;
    }
    return buf_add_char(markup, '>');
}

bool pixel_write_decoy(struct slice url, struct buf *markup)
{
    buf_add_str(markup, "<a href=\"");
    buf_add_slice(markup, url);
    return buf_add_str(markup, "\" aria-hidden=\"true\" tabindex=\"-1\"></a>");
}

bool pixel_write_footer(struct slice url, const char *text, struct buf *markup)
{
    buf_add_str(markup, "<p style=\"font-size:small\"><a href=\"");
    buf_add_slice(markup, url);
    return buf_add_f(markup, "\">\n%s</a></p>\n", text);
}
