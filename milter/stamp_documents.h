/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stamp_documents - puts the files of a mail into the database before they leave it.
 *
 * Failure policy: whatever fails or takes too long, the file stays attached. At most two uploads go on at once, so that
 * large files take neither the memory nor the database from other mail; a mail that waits for its turn waits in its own time.
 */
#ifndef MILTER_STAMP_DOCUMENTS_H
#define MILTER_STAMP_DOCUMENTS_H

#include "mail/outgoing.h"
#include "milter/stamp_filter.h"

struct stamp_documents {
    struct stamp_filter *filter;
    int64_t until_ms; /* CLOCK_MONOTONIC; begins with the first file */
};

/* For struct outgoing_settings. */
bool stamp_documents_store(struct stamp_documents *documents, const struct outgoing_file *file);
/* Within database_timeout, as every question about a mail. */
void stamp_documents_carry(const struct stamp_filter *filter, const struct record_message *mail, unsigned first,
                           struct tracking_document *document, size_t count);

#endif
