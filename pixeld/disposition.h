/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * disposition - under which name a file of a stranger is handed out. Pure.
 */
#ifndef PIXELD_DISPOSITION_H
#define PIXELD_DISPOSITION_H

#include "common/buf.h"
#include "common/slice.h"

/* Adds the value of Content-Disposition: an attachment called NAME, in ASCII and in UTF-8 (RFC 6266, RFC 8187). */
bool disposition_add(struct buf *out, struct slice name);

#endif
