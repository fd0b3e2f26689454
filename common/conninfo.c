/* SPDX-License-Identifier: BSD-2-Clause */
/* conninfo - see conninfo.h */

#include "common/conninfo.h"

#include <string.h>

static const char mask[] = "***";

/* The first byte behind a value of the form that libpq reads: quoted, or up to a space or `&`. */
static const char *skip_value(const char *at)
{
    bool quoted = *at == '\'';

    if (quoted)
        at++;
    while (*at && (quoted ? *at != '\'' : !strchr(" &", *at)))
        at += *at == '\\' && at[1] ? 2 : 1;
    return quoted && *at ? at + 1 : at;
}

/* Where the value begins when "password =" stands at AT, else NULL. */
static const char *value_of_password(const char *at)
{
    if (strncmp(at, "password", strlen("password")) != 0)
        return NULL;
    at += strlen("password");
    at += strspn(at, " ");
    if (*at++ != '=')
        return NULL;
    return at + strspn(at, " ");
}

/* In "scheme://user:password@host/..." the password, as START and END; false when there is none. */
static bool find_in_authority(const char *conninfo, const char **start, const char **end)
{
    const char *authority = strstr(conninfo, "://"), *at = NULL, *colon;

    if (!authority)
        return false;
    authority += strlen("://");
    for (const char *c = authority; *c && !strchr("/?", *c); c++)
        if (*c == '@')
            at = c;
    colon = at ? memchr(authority, ':', (size_t)(at - authority)) : NULL;
    *start = colon ? colon + 1 : NULL;
    *end = at;
    return colon != NULL;
}

bool conninfo_add_masked(struct buf *out, const char *conninfo)
{
    const char *start = NULL, *end = NULL, *value;

    if (!find_in_authority(conninfo, &start, &end))
        start = NULL;
    for (const char *at = conninfo; *at;) {
        if (at == start) {
            buf_add_str(out, mask);
            at = end;
        } else if ((value = value_of_password(at))) {
            buf_add(out, at, (size_t)(value - at));
            buf_add_str(out, mask);
            at = skip_value(value);
        } else {
            buf_add_char(out, *at++);
        }
    }
    return !out->failed;
}
