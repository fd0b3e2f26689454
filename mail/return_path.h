/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * return_path - an envelope sender of our own for each tracked mail, NAME+TOKEN@DOMAIN (RFC 5321 4.1.1.2).
 *
 * What comes back there names its mail although it may quote nothing of it. Pure but for the keys.
 */
#ifndef MAIL_RETURN_PATH_H
#define MAIL_RETURN_PATH_H

#include "common/conf.h"
#include "common/keys.h"
#include "common/token.h"

/*
 * May ADDRESS give way to a return path of ours, and get back what comes there? A plain ASCII address of a local
 * domain, so that every mail can be handed on to it; and no return path itself, so that nothing goes in a circle.
 */
bool return_path_serves(const struct conf_list *local_domains, struct slice address);

/* Adds FORM, which is stamp.bounce_address, with a token for that mail; RECIPIENT 0: it went to several. */
bool return_path_add(struct buf *out, const char *form, struct keys *keys, uint64_t message, uint32_t recipient);

#endif
