/* SPDX-License-Identifier: BSD-2-Clause */
/* organisation - see organisation.h; a group is kept as its domains with a blank between each two */

#include "common/organisation.h"

static struct slice next_domain(struct slice *rest)
{
    const char *blank = rest->len ? memchr(rest->p, ' ', rest->len) : NULL;
    size_t len = blank ? (size_t)(blank - rest->p) : rest->len;
    struct slice domain = slice_of(rest->p, len);

    *rest = slice_from(*rest, blank ? len + 1 : len);
    return domain;
}

static bool group_has(const char *group, struct slice domain)
{
    struct slice rest = slice_str(group);

    while (rest.len)
        if (slice_eq_i(next_domain(&rest), domain))
            return true;
    return false;
}

bool organisation_has_both(const struct conf_list *groups, const struct conf_list *ours, struct slice one, struct slice other)
{
    if (!conf_list_has_domain(ours, one) || !conf_list_has_domain(ours, other))
        return false;
    for (size_t n = 0; n < groups->count; n++)
        if (group_has(groups->item[n], one))
            return group_has(groups->item[n], other);
    return slice_eq_i(one, other);
}

static bool check_domain(const struct conf_list *groups, const struct conf_list *ours, struct slice domain, size_t group,
                         struct buf *why)
{
    if (!conf_list_has_domain(ours, domain)) {
        buf_add_f(why, "organisation names %.*s, which is not in local_domains", SLICE_ARG(domain));
        return false;
    }
    for (size_t before = 0; before < group; before++) {
        if (!group_has(groups->item[before], domain))
            continue;
        buf_add_f(why, "organisation has %.*s in two groups", SLICE_ARG(domain));
        return false;
    }
    return true;
}

bool organisation_check(const struct conf_list *groups, const struct conf_list *ours, struct buf *why)
{
    for (size_t n = 0; n < groups->count; n++) {
        struct slice rest = slice_str(groups->item[n]);

        while (rest.len)
            if (!check_domain(groups, ours, next_domain(&rest), n, why))
                return false;
    }
    return true;
}
