/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * detach - takes the files out of a mail that have left it, and says in the mail where they are.
 *
 * The links go into the first page of HTML and the first plain text. Where a mail has neither, or its caller says so, a
 * page of their own takes the first file's place. Used by rewrite.c. Pure; false is always for want of memory.
 */
#ifndef MAIL_DETACH_H
#define MAIL_DETACH_H

#include "mail/mime.h"
#include "mail/splice.h"

struct detach {
    const struct rewrite_settings *settings;
    const struct mime_tree *tree;
    int html, text;  /* the parts that get the links; MIME_NO_PARENT: none */
    bool page;       /* they have a page of their own */
    struct buf block_html, block_text, block_utf8;
};

/* The texts of the links. Free it in any case. */
bool detach_prepare(struct detach *detach, const struct rewrite_settings *settings, const struct mime_tree *tree);
void detach_free(struct detach *detach);

/* Is the part at INDEX a file that leaves? */
bool detach_leaves(const struct detach *detach, size_t index);
/* Would it be a multipart without parts, which RFC 2046 does not know? Then it goes with what is in it. */
bool detach_empties(const struct detach *detach, size_t index);
/* Does it become the page? */
bool detach_is_page(const struct detach *detach, size_t index);

/* Takes the part out, with its delimiter. What becomes the page has PIXEL in it. */
bool detach_part(const struct detach *detach, struct splice_output *output, size_t index, struct slice pixel);

/* What goes into the part at INDEX, whose content is CONTENT; empty: nothing. */
struct slice detach_block(const struct detach *detach, size_t index, struct slice content);

/* Bytes that go. */
size_t detach_bytes(const struct detach *detach);

#endif
