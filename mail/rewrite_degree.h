/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rewrite_degree - how much of a mail may be changed without breaking what its sender has sealed: from its headers, the
 * structure of its body, and inline PGP. Pure.
 */
#ifndef MAIL_REWRITE_DEGREE_H
#define MAIL_REWRITE_DEGREE_H

#include "mail/header.h"
#include "mail/mime.h"
#include "mail/rewrite_terms.h"

/* *REASON is a static word, NULL when all may be changed: "signed", "body_limit", ... Without memory: the headers at the most. */
enum rewrite_degree rewrite_degree_of(const struct header_list *headers, struct slice body, size_t body_limit,
                                      const char **reason);
/* The same, with the tree that it was read from, which is to be freed in any case. False without memory. */
bool rewrite_degree_judge(const struct header_list *headers, struct slice body, size_t body_limit, struct mime_tree *tree,
                          enum rewrite_degree *degree, const char **reason);

#endif
