/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * copy_mail - one copy of an outgoing mail in the second pass of spoor-stamp: plan, record, apply, one log line.
 *
 * Failure policy: a copy whose body cannot be edited goes as it came, but never with X-Spoor-Pass: when the MTA does not
 * take that out, it is to try again, which loses nothing, for the mail stands in its queue.
 */
#ifndef MILTER_COPY_MAIL_H
#define MILTER_COPY_MAIL_H

#include "common/keys.h"
#include "common/recorder.h"
#include "milter/mlfi.h"
#include "milter/stamp_policy.h"

struct copy_filter {
    const struct conf *conf;
    struct keys *keys;
    struct recorder *recorder;
    struct stamp_policy *policy;
};

/* mlfi_service.finish; ARG is a struct copy_filter. */
sfsistat copy_mail_finish(void *arg, struct mlfi_message *message);

#endif
