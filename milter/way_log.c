/* SPDX-License-Identifier: BSD-2-Clause */
/* way_log - see way_log.h */

#include "milter/way_log.h"

#include "common/log.h"

void way_log(const struct way *way)
{
    struct buf text;

    if (!log_wants(LOG_DEBUG))
        return;
    buf_init(&text, 2000);
    way_print(way, &text);
    log_debug("way: %s", buf_text(&text));
    buf_free(&text);
}
