/* SPDX-License-Identifier: BSD-2-Clause */
/* policy_file - policy for a dry run: the file that spoor-stamp keeps beside its spool, or what spoor.policy_lines() gives. */
#ifndef CTL_POLICY_FILE_H
#define CTL_POLICY_FILE_H

#include "common/policy.h"

/* NULL with ERROR; a line that is none is an error here. */
struct policy *policy_file_read(const char *path, struct buf *error);

#endif
