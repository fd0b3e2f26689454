/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * file_type - what kind of document a file is called, and whether its bytes are that.
 *
 * Pure. A file whose bytes are something else than its name's ending says is not converted: LibreOffice would guess, and make
 * pages out of anything.
 */
#ifndef RENDER_FILE_TYPE_H
#define RENDER_FILE_TYPE_H

#include "common/slice.h"

enum file_type {
    FILE_PDF, FILE_DOC, FILE_DOCX, FILE_PPT, FILE_PPTX, FILE_ODT, FILE_ODP, FILE_XLS, FILE_XLSX, FILE_ODS,
    FILE_TYPES
};

enum file_look {
    LOOK_GOOD,
    LOOK_MISMATCH,   /* something else */
    LOOK_ENCRYPTED,  /* not without a password */
    LOOK_ZIP_BOMB,   /* would be far too much when unpacked */
    LOOK_DAMAGED     /* a part of one */
};

/* From an ending such as "docx"; FILE_TYPES for another. */
enum file_type file_type_named(const char *ending);

enum file_look file_type_look(enum file_type type, struct slice file);

/* LibreOffice's names for how such a file is read and its pages are written; NULL for a PDF. */
const char *file_type_reader(enum file_type type);
const char *file_type_writer(enum file_type type);

#endif
