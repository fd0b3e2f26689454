/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log_siblings - the older files of a log, oldest first: those beside it whose names begin with its own and a dot or a
 * hyphen, as logrotate, newsyslog and "postfix logrotate" name them.
 */
#ifndef DELIVERY_LOG_SIBLINGS_H
#define DELIVERY_LOG_SIBLINGS_H

#include "delivery/log_head.h"

struct log_siblings {
    char **path; /* owned */
    size_t count;
};

/* By the time of their last change. False: errno says why the folder cannot be read. */
bool log_siblings_find(struct log_siblings *siblings, const char *path);
void log_siblings_free(struct log_siblings *siblings);

/* Leaves out all that are older than the one HEAD fits; false, with all left, when it fits none. */
bool log_siblings_since(struct log_siblings *siblings, const struct log_head *head, uint64_t offset);

#endif
