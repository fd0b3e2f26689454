/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * splice - what changes in a text, and how it is carried into the encoded bytes around that text.
 *
 * A splice takes LEN bytes at AT away and puts its own text there. A break is a place where a line may be
 * broken without a change to the page; it is used only when a 7bit or 8bit line would become too long.
 * The texts of splices are ASCII, but for UTF-8 in a part of that charset. A lone newline in one is a line break in 7bit and
 * 8bit, where lines must stay short, and nothing in the other encodings; CRLF is the text's line break in all of them.
 * Offsets are those of the decoded text.
 */
#ifndef MAIL_SPLICE_H
#define MAIL_SPLICE_H

#include "common/buf.h"
#include "common/slice.h"
#include "mail/charset.h"
#include "mail/rewrite_terms.h"

enum { SPLICE_LINE_MAX = 990 }; /* RFC 5322 2.1.1 allows 998; some count the line break */

struct splice {
    size_t at, len;
    size_t text_at, text_len; /* in the list's texts */
    size_t order;             /* of addition from 1, for splices at one place; 0 comes before all */
    bool is_break;
};

struct splice_list {
    struct splice *item;
    size_t count, size;
    struct buf texts;
    bool failed; /* no memory: the list is not to be used */
};

void splice_list_init(struct splice_list *list);
void splice_list_free(struct splice_list *list);
void splice_add(struct splice_list *list, size_t at, size_t len, struct slice text);
void splice_add_break(struct splice_list *list, size_t at);

/* Takes a tag away; neighbours go as one. Its line breaks go too and join two lines, so one may be broken there. */
void splice_remove(struct splice_list *list, size_t at, size_t len);

/* An insertion of its own into TEXT; where something was taken out right beside it, in that one's place. */
void splice_insert(struct splice_list *list, struct slice text, size_t at, struct slice added);

/* Sorts by place. Call once, when all are added. */
bool splice_settle(struct splice_list *list);

/* A new body in the making: the old one with edits in rising order. */
struct splice_output {
    struct slice old;
    size_t taken; /* of the old body */
    struct buf *body;
    struct rewrite_edit *edit;
    size_t edits, size;
};

/* The edit's text is what is added to the body between begin and end. */
bool splice_begin(struct splice_output *output, size_t at, size_t removed);
void splice_end(struct splice_output *output);
bool splice_finish(struct splice_output *output);

/* Carries the list into the part of the old body at AT: bytes as they are, quoted-printable, base64. False
 * without memory. */
bool splice_identity(struct splice_output *output, const struct splice_list *list, size_t at, size_t len);
struct qp_map;
bool splice_qp(struct splice_output *output, const struct splice_list *list, size_t at, struct qp_map *map,
               enum charset_way way);
bool splice_base64(struct splice_output *output, const struct splice_list *list, size_t at, size_t len,
                   struct buf *decoded /* is freed */, enum charset_way way);

#endif
