/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * file_type - whether a document is what it is called, and who reads it.
 *
 * Pure. A file whose bytes are something else than its name's ending says is not converted: LibreOffice would guess, and make
 * pages out of anything.
 */
#ifndef RENDER_FILE_TYPE_H
#define RENDER_FILE_TYPE_H

#include "common/document_type.h"

enum file_look {
    LOOK_GOOD,
    LOOK_MISMATCH,   /* something else */
    LOOK_ENCRYPTED,  /* not without a password */
    LOOK_ZIP_BOMB,   /* would be far too much when unpacked */
    LOOK_DAMAGED     /* a part of one */
};

enum file_look file_type_look(enum document_type type, struct slice file);

/* LibreOffice's names for how such a file is read and its pages are written; NULL for a PDF. */
const char *file_type_reader(enum document_type type);
const char *file_type_writer(enum document_type type);

#endif
