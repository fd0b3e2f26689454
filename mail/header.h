/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * header - a mail's header fields, and how to read the structured ones.
 *
 * A list owns copies of its names and values. Values are kept as libmilter gives them: one leading
 * space already gone, folds as "\n" and the white space of the next line; header_parse() turns the
 * CRLF of a file into the same form. Names compare without regard to case (RFC 5322 1.2.2).
 * Pure: no I/O, no clock. A list is used by one thread at a time.
 */
#ifndef MAIL_HEADER_H
#define MAIL_HEADER_H

#include "common/buf.h"
#include "common/slice.h"

/* Above these a mail is passed on untouched: 5,000 fields have been seen, and one field of 100 KB. */
enum { HEADER_FIELDS_MAX = 10000, HEADER_BYTES_MAX = 4 * 1024 * 1024 };

struct header_field {
    char *name;  /* NUL-terminated */
    char *value; /* NUL-terminated; a NUL in the mail ends it, as libmilter does */
};

struct header_list {
    struct header_field *field;
    size_t count;
    size_t size;  /* allocated */
    size_t bytes; /* of all names and values */
    bool failed;  /* a field was dropped for want of memory or above a limit */
};

void header_list_init(struct header_list *list);
void header_list_free(struct header_list *list);
/* Copies both. False without memory or above a limit, and then the list has `failed`. */
bool header_list_add(struct header_list *list, const char *name, const char *value);

/*
 * The header block of a mail or part (CRLF or LF) into LIST. Returns the offset of the body's first
 * byte. A line that is no field ends the block, as Postfix does: it belongs to the body.
 */
size_t header_parse(struct slice mail, struct header_list *list);

/*
 * The same without a list: the field at *AT, its value raw with folds and leading space, and *AT moves behind
 * it. False at the end of the block; *AT is then where the body begins. `clean` tells a block that ended in
 * an empty line or with the bytes from one that ended in a line that is no field.
 */
struct header_line {
    struct slice name, value;
    bool clean;
};
bool header_next(struct slice mail, size_t *at, struct header_line *line);

/* The NTH field of that name from the top, counted from 0, or NULL; header_value() gives its text or NULL. */
const struct header_field *header_find(const struct header_list *list, const char *name, size_t nth);
const char *header_value(const struct header_list *list, const char *name);
size_t header_count(const struct header_list *list, const char *name);

/* Folds out (a line break before white space vanishes), comments kept. */
bool header_unfold(struct slice value, struct buf *out);

/* RFC 2047 encoded words decoded to UTF-8 as far as the charset is utf-8, us-ascii or an ISO-8859/windows
 * one; else kept. */
bool header_decode_words(struct slice value, struct buf *out);
/* A field as a person reads it: unfolded, decoded, cut to MOST bytes at the end of a character. Adds nothing when it is missing. */
bool header_text(const struct header_list *headers, const char *name, size_t most, struct buf *out);

/*
 * The address of the first mailbox in a From, Sender or Return-Path value, without brackets, comments and
 * display name; false when there is none. Groups and several authors: the first.
 */
bool header_mailbox(struct slice value, struct buf *address);
/* The same, mailbox by mailbox: *FROM begins at 0 and moves on. */
bool header_mailbox_next(struct slice value, size_t *from, struct buf *address);

/* A Content-Type, Content-Disposition or kin: its value in lower case, then parameters. */
struct header_params;                                        /* opaque */
struct header_params *header_params_new(struct slice value); /* NULL without memory */
void header_params_free(struct header_params *params);
const char *header_params_value(const struct header_params *params); /* "text/html"; "" when unreadable */
bool header_params_doubtful(const struct header_params *params); /* a parameter twice, no value, bad syntax */
/* RFC 2231 forms (continuations, charset) decoded; RFC 2047 words, wrong but common, too. NULL when it is not
 * there. */
const char *header_params_get(const struct header_params *params, const char *name);

#endif
