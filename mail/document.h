/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * document - the files of a mail that may leave it: which they are, what they are called, and their bytes.
 *
 * Only what a person has attached counts: a named file of a listed type, right in a multipart/mixed or the whole of the
 * mail. What is shown in place, signed, encrypted, part of an invitation or of a forwarded message stays. Pure.
 */
#ifndef MAIL_DOCUMENT_H
#define MAIL_DOCUMENT_H

#include "common/buf.h"
#include "common/slice.h"
#include "mail/header.h"
#include "mail/mime.h"

#include <stdint.h>

enum {
    DOCUMENTS_MAX = 50,        /* of one mail; more stay attached */
    DOCUMENT_NAME_MAX = 180,   /* bytes; such a name has room on one line, whatever it is escaped to */
    DOCUMENT_TYPE_MAX = 4
};

struct document {
    unsigned part;   /* its index in the mail */
    size_t at, len;  /* its content there */
    enum mime_encoding encoding;
    unsigned number; /* its link's, from 1; 0: it stays attached */
    uint64_t bytes;  /* of the file; before it is decoded about */
    char type[DOCUMENT_TYPE_MAX + 1];
    char name[DOCUMENT_NAME_MAX + 1]; /* UTF-8, without folder and control characters; never empty */
    char *content_type;               /* that the mail gives; owned by the list */
};

struct document_list {
    struct document item[DOCUMENTS_MAX];
    size_t count;
};

struct document_choice { /* what is asked of a file; texts in lower case */
    char *const *type; /* endings of names, without the dot */
    size_t types;
    bool (*wanted)(void *arg, struct slice name, uint64_t bytes);
    void *arg;
    uint64_t smallest, largest; /* bytes */
};

/* The files that may go, in the mail's order. False without memory; free the list in any case. */
bool document_find(const struct header_list *headers, struct slice body, const struct document_choice *choice,
                   struct document_list *list);
void document_list_free(struct document_list *list);

/* The file's bytes. False when they are damaged or there is no memory: OUT->failed tells which. */
bool document_decode(struct slice body, const struct document *document, struct buf *out);

/* Makes the name of a file from what a mail gives: its last piece, valid UTF-8, nothing that turns the text around. */
void document_name(struct slice given, char name[DOCUMENT_NAME_MAX + 1]);

/* Does the whole NAME fit the pattern? "*" is any run of characters, "?" one; case does not count. */
bool document_name_fits(struct slice name, struct slice pattern);

#endif
