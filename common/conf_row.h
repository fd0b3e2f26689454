/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * conf_row - one option of spoor.conf: how its text becomes a field of struct conf, and text again.
 *
 * Durations need a unit (ms s min h d), sizes may have one (KB MB GB, powers of 1,024). A value never holds
 * control bytes. For the configuration's own files.
 */
#ifndef COMMON_CONF_ROW_H
#define COMMON_CONF_ROW_H

#include "common/buf.h"
#include "common/conf_list.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum conf_type {
    CONF_TEXT,         /* char * */
    CONF_JOINED,       /* char *; a list in the file, joined with commas */
    CONF_LIST,         /* struct conf_list */
    CONF_BOOL,         /* bool; yes, no, true, false */
    CONF_INTEGER,      /* int64_t, as the five below */
    CONF_OCTAL,
    CONF_MILLISECONDS,
    CONF_SECONDS,
    CONF_SIZE,         /* bytes */
    CONF_PRIORITY,     /* syslog's */
    CONF_CHOICE        /* an enum: which word of `words` */
};

/* OUT gets the value in the form in which it is kept; false when it is none. */
typedef bool conf_normalizer(struct slice text, struct buf *out);

struct conf_row {
    const char *section;       /* "" for the top */
    const char *name;
    enum conf_type type;
    const char *initial;       /* the default, in the file's own words; of a list, separated by commas */
    int64_t least, most;       /* of numbers, in the unit of the field */
    const char *const *words;  /* of a choice, NULL behind the last */
    conf_normalizer *normalize; /* of a text and of each item of a list; NULL takes all */
    const char *wanted;        /* what normalize wants, for the message */
    const char *help;
    size_t offset;             /* in struct conf, or in that of a section that may come several times: OF, below */
    unsigned needed_by;        /* bit 1 << enum conf_part: whom an empty one stops */
};

/* Is TEXT a value of this option? For a list: one item of it. WHY gets what is wrong. */
bool conf_row_check(const struct conf_row *row, const char *text, struct buf *why);

/* Sets the field to the default, to TEXTS (checked before), or to nothing. False when memory is short. */
bool conf_row_set_default(const struct conf_row *row, void *of);
bool conf_row_set(const struct conf_row *row, void *of, const char *const *texts, size_t count);
void conf_row_clear(const struct conf_row *row, void *of);
bool conf_row_is_empty(const struct conf_row *row, const void *of); /* a text or list of nothing */
bool conf_row_is_list(const struct conf_row *row); /* in the file */

/* The value as the file would have it, quoted; and what it may be ("1ms to 10min"). */
bool conf_row_add_value(const struct conf_row *row, const void *of, struct buf *out);
bool conf_row_add_range(const struct conf_row *row, struct buf *out);

/* Quoted so that libconfuse reads the same text back. */
bool conf_row_add_quoted(struct buf *out, const char *text);

#endif
