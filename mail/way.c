/* SPDX-License-Identifier: BSD-2-Clause */
/* way - see way.h */

#include "mail/way.h"

void way_note(struct way *way, const char *name, const char *said)
{
    if (way->steps == WAY_MOST)
        return;
    way->step[way->steps].name = name;
    way->step[way->steps].said = said;
    way->steps++;
}

bool way_print(const struct way *way, struct buf *out)
{
    for (size_t n = 0; n < way->steps; n++)
        buf_add_f(out, "%s%s%s%s", n ? ", " : "", way->step[n].name, way->step[n].said ? ": " : "",
                  way->step[n].said ? way->step[n].said : "");
    return !out->failed;
}
