/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * conf_list - the texts of an option that takes several. Pure.
 *
 * Read-only once the configuration is loaded; struct conf owns the texts.
 */
#ifndef COMMON_CONF_LIST_H
#define COMMON_CONF_LIST_H

#include "common/slice.h"

#include <stdbool.h>
#include <stddef.h>

struct conf_list {
    char **item;
    size_t count;
};

/* Is DOMAIN (A-label, any case) in the list? */
bool conf_list_has_domain(const struct conf_list *list, struct slice domain);

#endif
