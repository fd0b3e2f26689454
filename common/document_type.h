/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * document_type - the types of documents that can be shown: one table for all programs.
 *
 * Another one is a row here, one in render/file_type.c (by what its bytes are known, who reads it), and a word in
 * spoor.document.file_type. Pure.
 */
#ifndef COMMON_DOCUMENT_TYPE_H
#define COMMON_DOCUMENT_TYPE_H

#include "common/slice.h"

enum document_type {
    DOCUMENT_PDF, DOCUMENT_DOC, DOCUMENT_DOCX, DOCUMENT_PPT, DOCUMENT_PPTX, DOCUMENT_ODT, DOCUMENT_ODP, DOCUMENT_XLS,
    DOCUMENT_XLSX, DOCUMENT_ODS,
    DOCUMENT_TYPES
};

/* From the ending of a name, such as "docx", in any case; DOCUMENT_TYPES for another. */
enum document_type document_type_of(struct slice ending);

/* Of all three TYPE may be DOCUMENT_TYPES, which is mere bytes without an ending. */
const char *document_type_ending(enum document_type type); /* also the word in spoor.document.file_type */
const char *document_type_media_type(enum document_type type);
bool document_type_is_slides(enum document_type type); /* people look at those for longer without moving a finger */

extern const char document_type_endings[]; /* all, as a phrase */

#endif
