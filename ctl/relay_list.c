/* SPDX-License-Identifier: BSD-2-Clause */
/* relay_list - see relay_list.h */

#include "ctl/relay_list.h"

static struct slice next_line(struct relay_list *list)
{
    const char *end = memchr(list->rest.p, '\n', list->rest.len);
    struct slice line = slice_of(list->rest.p, end ? (size_t)(end - list->rest.p) : list->rest.len);

    list->rest = slice_from(list->rest, line.len + (end != NULL));
    list->line++;
    return slice_trim(line);
}

enum relay_line relay_list_next(struct relay_list *list)
{
    while (list->rest.len) {
        struct slice line = next_line(list);
        const char *comma;

        if (slice_empty(line))
            continue;
        comma = memchr(line.p, ',', line.len);
        list->text = comma ? slice_of(line.p, (size_t)(comma - line.p)) : line;
        if (comma && network_parse(list->text, &list->network))
            return RELAY_NETWORK;
        list->text = line;
        return RELAY_BAD;
    }
    return RELAY_END;
}
