/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * named_ids - the ids by which a mail may refer to one of ours, best evidence first, each with its rung.
 *
 * In-Reply-To, then References from the right (RFC 5322 3.6.4: the newest stands last), then the headers in
 * which Outlook.com and Gmail keep an id they replaced, then the headers of a mail that a report returns.
 * Ids are copies, as encoded words (RFC 2047, wrong there but common) have to be decoded. Pure.
 */
#ifndef MAIL_NAMED_IDS_H
#define MAIL_NAMED_IDS_H

#include "common/record.h"
#include "mail/header.h"
#include "mail/msgid.h"

enum {
    NAMED_IDS_MAX = 64,
    NAMED_IDS_BYTES_MAX = 32 * 1024, /* read of one field; long threads have had 20 KB */
    NAMED_IDS_IN_REPLY_TO_MAX = 16,  /* so that References still gets a place */
    NAMED_IDS_RETURNED_MAX = 8,      /* of each field of a returned header */
};

struct named_id {
    char text[MSGID_MAX + 1]; /* no brackets, as written */
    size_t len;
    enum answer_rung rung;
    size_t newer; /* ids to its right in References */
};

struct named_ids {
    struct named_id id[NAMED_IDS_MAX];
    size_t count;
};

/* RETURNED: the header of the mail that a report is about, or NULL. False without memory; LADDER then holds what was read. */
bool named_ids_read(const struct header_list *headers, const struct header_list *returned, struct named_ids *ids);

struct slice named_id_text(const struct named_id *id);
/* What stands behind the last @ of an id. */
struct slice named_id_domain(const struct named_id *id);

#endif
