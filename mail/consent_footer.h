/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * consent_footer - where a plain text says that its mail is tracked, and the link by which its recipient stops that.
 *
 * One text says so: the first that can, of those that are shown in place of the page, or where there is no page, which says so
 * itself. Where a text should have and cannot (unknown charset, signed, damaged, without words) the next one that can does, whatever
 * it is shown beside. The parts are asked for in order. Pure; false is always for want of memory.
 */
#ifndef MAIL_CONSENT_FOOTER_H
#define MAIL_CONSENT_FOOTER_H

#include "mail/mime.h"
#include "mail/rewrite_terms.h"

struct consent_footer {
    const struct rewrite_settings *settings;
    const struct mime_tree *tree;
    struct slice body; /* that the tree was made of */
    int page;          /* the first that can be edited; MIME_NO_PARENT: none */
    bool wanted;       /* no text has it yet */
    bool passed_over;  /* a text that should have it */
    struct buf text;
};

void consent_footer_begin(struct consent_footer *footer, const struct rewrite_settings *settings, const struct mime_tree *tree,
                          struct slice body, int page);
void consent_footer_free(struct consent_footer *footer);

/* What goes behind the text at INDEX, until the next call; empty: nothing. */
bool consent_footer_write(struct consent_footer *footer, size_t index, struct slice *text);
/* What became of it there. */
void consent_footer_settle(struct consent_footer *footer, size_t index, bool shown);

#endif
