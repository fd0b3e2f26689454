/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * document_block - what stands in a mail where its files were: in HTML, in plain text, and as a page of its own.
 *
 * In HTML a table with inline styles: no picture, no colour of its own but a border that shows on light and dark, so that
 * mail programs may turn their colours; Outlook lays out tables only. Texts are as splices want them: a lone newline may
 * vanish, CRLF is a line break. HTML is ASCII. Pure; a failed OUT stays failed.
 */
#ifndef MAIL_DOCUMENT_BLOCK_H
#define MAIL_DOCUMENT_BLOCK_H

#include "mail/document.h"

struct document_link { /* one line of the block */
    const struct document *document;
    const char *url;
};

void document_block_html(const struct document_link *link, size_t links, struct buf *out);

/* UTF8: the part's charset shows names as they are; else what is no ASCII becomes "_". */
void document_block_text(const struct document_link *link, size_t links, bool utf8, struct buf *out);

/* A whole page with BLOCK, as made above, and EXTRA behind it: US-ASCII, 7bit, lines ending with LINE_BREAK. */
void document_block_page(struct slice block, struct slice extra, const char *line_break, struct buf *out);

#endif
