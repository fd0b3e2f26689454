/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stamp_apply - hands a plan's edits to the MTA.
 *
 * False when the MTA did not take one: a half-edited mail must not leave, so it is to be tried again.
 */
#ifndef MILTER_STAMP_APPLY_H
#define MILTER_STAMP_APPLY_H

#include "mail/outgoing.h"

#include <libmilter/mfapi.h>

#include <stdbool.h>

/* All of them, the body last and at once: Postfix loses a mail whose filter dies in the middle of a replacement. */
bool stamp_apply(SMFICTX *ctx, const struct outgoing_plan *plan);
/* Only those that are due even when nothing else may be done. */
bool stamp_apply_controls(SMFICTX *ctx, const struct outgoing_plan *plan);

#endif
