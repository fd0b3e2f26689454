/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * quoted - where in the HTML of an answer or a forward the quoted history stands.
 *
 * Each mail program marks it in its own way; most put an element around it, Outlook only a line before it, and then
 * all that follows is history. Fed with the tags of one text in order.
 */
#ifndef MAIL_QUOTED_H
#define MAIL_QUOTED_H

#include "mail/html.h"

struct quoted {
    bool inside;
    bool to_the_end;
    char element[HTML_NAME_MAX + 1]; /* whose end tag ends the history */
    size_t depth;
};

/* Takes a tag into account. True when quoted history begins with it. */
bool quoted_step(struct quoted *quoted, const struct html_scanner *scanner, const struct html_token *token);

#endif
