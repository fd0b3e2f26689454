/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mail_record - notes down in the spool what was done to a mail.
 *
 * False when it could not be: logged once a minute, and the caller lets such mail go without a record. From any thread.
 */
#ifndef MILTER_MAIL_RECORD_H
#define MILTER_MAIL_RECORD_H

#include "common/buf.h"
#include "common/recorder.h"

#include <stdbool.h>

/* On the disk when true. */
bool mail_record_write(struct recorder *recorder, enum record_kind kind, const struct buf *payload);
/* On the disk with the next one: of several that belong together only the last goes by mail_record_write(). */
bool mail_record_write_ahead(struct recorder *recorder, enum record_kind kind, const struct buf *payload);

#endif
