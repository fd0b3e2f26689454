/* SPDX-License-Identifier: BSD-2-Clause */
/* scripts - what runs inside the sandbox, and the profile that LibreOffice starts from there. */
#ifndef RENDER_SCRIPTS_H
#define RENDER_SCRIPTS_H

#define SCRIPT_DOCUMENT "/in/document" /* its place there, before the dot and ending */
#define SCRIPT_PROFILE "/home/profile/user/registrymodifications.xcu"

/* $1 ending, $2 reader, $3 writer with its options: the document becomes a PDF on stdout. */
extern const char script_office[];
/* $1 how many pages: what pdfinfo says of the PDF and its first pages. */
extern const char script_info[];
/* $1 $2 $3: number, width and height of the first page, and so on: page_stream.h. */
extern const char script_pages[];

/* No macro, no reference to anything outside the document: LibreOffice would fetch pictures from URLs and files. */
extern const char script_profile[];

#endif
