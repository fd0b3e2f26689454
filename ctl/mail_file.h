/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mail_file - a mail in a file, seen as a milter sees it on the wire, and put back with its edits.
 *
 * The file may end its lines with CRLF or LF; what is written has the same ends. Bytes that no edit
 * touches come out as they went in.
 */
#ifndef CTL_MAIL_FILE_H
#define CTL_MAIL_FILE_H

#include "common/buf.h"
#include "mail/header.h"
#include "mail/outgoing.h"

struct mail_file {
    struct buf raw;
    struct header_list headers;
    size_t body_at;  /* offset in raw */
    bool lf;         /* lines end with LF alone */
    struct buf body; /* with CRLF */
};

/* All of a file, as far as BYTES takes it; "-" is stdin. */
bool mail_file_bytes(const char *path, struct buf *bytes, struct buf *error);

/* PATH "-" is stdin. Free it in any case. */
bool mail_file_read(const char *path, struct mail_file *file, struct buf *error);
void mail_file_free(struct mail_file *file);

/* The mail as it would be sent. */
bool mail_file_apply(const struct mail_file *file, const struct outgoing_plan *plan, struct buf *out);

#endif
