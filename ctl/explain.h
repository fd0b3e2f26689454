/* SPDX-License-Identifier: BSD-2-Clause */
/* explain - what spoor-stamp does to a mail and why: one line a header field, part and link. */
#ifndef CTL_EXPLAIN_H
#define CTL_EXPLAIN_H

#include "ctl/mail_file.h"

/* Adds the lines; OBSERVE says that nothing of it would be done. False without memory. */
bool explain_plan(const struct mail_file *file, const struct outgoing_plan *plan, bool observe, struct buf *out);

#endif
