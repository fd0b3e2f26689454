/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * delimiter - edits that would end a part where none ended (RFC 2046 5.1.1).
 *
 * Where text stands that looks like a delimiter but for what is taken out before it, the line becomes one: readers would
 * see other parts than whoever checked the mail before. Pure.
 */
#ifndef MAIL_DELIMITER_H
#define MAIL_DELIMITER_H

#include "mail/mime.h"
#include "mail/rewrite_terms.h"

/* Is a line of the new body that an edit has changed a delimiter of the old body's tree? */
bool delimiter_arises(const struct mime_tree *tree, struct slice body, const struct rewrite_result *result);

#endif
