/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stamp_mail - one outgoing mail in spoor-stamp: plan, ask about its campaign, record, apply, one log line.
 *
 * Failure policy: whatever fails before the first edit is sent, the mail goes untouched; once editing has
 * begun the MTA is told to try again, for a half-edited mail must not leave.
 */
#ifndef MILTER_STAMP_MAIL_H
#define MILTER_STAMP_MAIL_H

#include "milter/stamp_filter.h"

/* mlfi_service.finish; ARG is a struct stamp_filter. */
sfsistat stamp_mail_finish(void *arg, struct mlfi_message *message);

#endif
