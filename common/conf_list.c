/* SPDX-License-Identifier: BSD-2-Clause */
/* conf_list - see conf_list.h */

#include "common/conf_list.h"

bool conf_list_has_domain(const struct conf_list *list, struct slice domain)
{
    for (size_t n = 0; n < list->count; n++)
        if (slice_is_i(domain, list->item[n]))
            return true;
    return false;
}
