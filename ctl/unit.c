/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/unit.h"

#include "ctl/program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_MOST = 64, OUTPUT_MOST = 64 * 1024 };

/* "PGPASSFILE=/etc/spoor/pgpass.stamp". One with blanks is quoted, and left alone. */
static void take(struct slice setting)
{
    char text[4096];
    char *value;

    if (!slice_starts_i(setting, slice_str("PG")) || setting.len >= sizeof text)
        return;
    memcpy(text, setting.p, setting.len);
    text[setting.len] = '\0';
    value = strchr(text, '=');
    if (!value)
        return;
    *value++ = '\0';
    setenv(text, value, 0);
}

void unit_take_environment(enum conf_part part)
{
    char unit[NAME_MOST];
    const char *const argv[] = {"systemctl", "show", "--property=Environment", "--value", unit, NULL};
    struct buf output;
    struct slice rest;

    snprintf(unit, sizeof unit, part == CONF_RENDER ? "spoor-%s.service" : "spoor@%s.service", conf_part_section(part));
    buf_init(&output, OUTPUT_MOST);
    if (program_run(argv, &output) == PROGRAM_GOOD)
        for (rest = slice_trim(buf_slice(&output)); rest.len;)
            take(slice_cut(&rest, ' '));
    buf_free(&output);
}
