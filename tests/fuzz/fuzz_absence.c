/* SPDX-License-Identifier: BSD-2-Clause */
/* the date of an absence in any bytes: three lines are the mail's date, the subject and the text */

#include "mail/absence.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct slice take_line(struct slice *rest)
{
    const char *newline = rest->len ? memchr(rest->p, '\n', rest->len) : NULL;
    struct slice line = slice_of(rest->p, newline ? (size_t)(newline - rest->p) : rest->len);

    *rest = slice_from(*rest, line.len + 1);
    return line;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = slice_of((const char *)data, size);
    struct absence_mail mail = {.date = take_line(&rest)};
    char until[ABSENCE_DATE];

    mail.subject = take_line(&rest);
    mail.text = rest;
    if (absence_until(&mail, until) ? strlen(until) != ABSENCE_DATE - 1 || until[4] != '-' : until[0] != '\0')
        abort();
    return 0;
}
