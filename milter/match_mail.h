/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * match_mail - one incoming mail in spoor-match: judge, record, clean the quoted text, one log line.
 *
 * Failure policy: whatever fails, the mail goes on as it came; only edits that had begun and could not
 * be handed over make the MTA try again.
 */
#ifndef MILTER_MATCH_MAIL_H
#define MILTER_MATCH_MAIL_H

#include "milter/match_filter.h"

/* mlfi_service.finish; ARG is a struct match_filter. */
sfsistat match_mail_finish(void *arg, struct mlfi_message *message);

#endif
