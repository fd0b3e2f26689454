/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log_head - by what a log file is known again, after it was renamed, copied or compressed: its first bytes.
 *
 * As long as nothing has been read of it, by its inode.
 */
#ifndef DELIVERY_LOG_HEAD_H
#define DELIVERY_LOG_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

enum { LOG_HEAD_MAX = 4096 };

struct log_head {
    uint32_t bytes; /* how many, LOG_HEAD_MAX at most */
    uint32_t sum;   /* CRC-32C of them */
    uint64_t device;
    uint64_t inode;
};

void log_head_begin(struct log_head *head, const struct stat *status);
/* LEN bytes at OFFSET were read; called for all bytes from the file's beginning in their order. */
void log_head_add(struct log_head *head, uint64_t offset, const char *bytes, size_t len);

/* Is the file at PATH, which may be compressed, this one, with OFFSET bytes or more? */
bool log_head_fits(const struct log_head *head, const char *path, uint64_t offset);

#endif
