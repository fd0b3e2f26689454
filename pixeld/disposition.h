/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * disposition - how a file of a stranger is handed out: as what, and under which name. Pure.
 */
#ifndef PIXELD_DISPOSITION_H
#define PIXELD_DISPOSITION_H

#include "common/buf.h"
#include "common/slice.h"

/* The media type of a spoor.document.file_type; that of mere bytes for one we do not know. */
const char *disposition_media_type(struct slice file_type);

/* Is that one of slides, which people look at for longer without moving a finger? */
bool disposition_is_slides(struct slice file_type);

/* Adds the value of Content-Disposition: an attachment called NAME, in ASCII and in UTF-8 (RFC 6266, RFC 8187). */
bool disposition_add(struct buf *out, struct slice name);

#endif
