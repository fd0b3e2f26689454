/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * address_token - the token in an address of our own: LEFT+TOKEN@domain. Pure.
 */
#ifndef MAIL_ADDRESS_TOKEN_H
#define MAIL_ADDRESS_TOKEN_H

#include "common/token.h"

/* What stands between the last + of the local part and the @, by its shape; empty when it is no token of that kind. */
struct slice address_token(struct slice address, enum token_kind kind);

/* Is this OURS ("left@domain", normal form) with a token of that kind? TOKEN gets it, by its shape. */
bool address_token_of(struct slice address, enum token_kind kind, const char *ours, struct slice *token);

#endif
