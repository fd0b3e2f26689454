/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * organisation - which of our domains belong to one organisation.
 *
 * Each domain of local_domains is an organisation by itself, but for those that `organisation` groups. On a server for many
 * customers an answer from another customer's domain is an answer; that must hold without any setting. Pure.
 */
#ifndef COMMON_ORGANISATION_H
#define COMMON_ORGANISATION_H

#include "common/buf.h"
#include "common/conf_list.h"

/* GROUPS is the option of that name, OURS local_domains. Are both domains ours and of one organisation? A-labels, any case. */
bool organisation_has_both(const struct conf_list *groups, const struct conf_list *ours, struct slice one, struct slice other);

/* False when a group names a domain that is not ours, or that another group has; WHY gets which. */
bool organisation_check(const struct conf_list *groups, const struct conf_list *ours, struct buf *why);

#endif
