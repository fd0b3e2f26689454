/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bookmark - how far a log was read: which file, and how many bytes of it.
 */
#ifndef DELIVERY_BOOKMARK_H
#define DELIVERY_BOOKMARK_H

#include "common/buf.h"
#include "delivery/log_head.h"

struct bookmark {
    struct log_head head;
    uint64_t offset;
};

/* False with ERROR when there is one that is none; *FOUND tells whether there is one at all. */
bool bookmark_read(int directory, const char *name, struct bookmark *bookmark, bool *found, struct buf *error);
/* False: errno says why. */
bool bookmark_write(int directory, const char *name, const struct bookmark *bookmark);

#endif
