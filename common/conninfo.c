/* SPDX-License-Identifier: BSD-2-Clause */
/* conninfo - see conninfo.h */

#include "common/conninfo.h"

#include "common/slice.h"

#include <libpq-fe.h>
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

/* The keyword at AT with the spaces around it; NEXT gets the first byte of its value. Empty when none stands there. */
static struct slice read_keyword(const char *at, const char **next)
{
    const char *start = at + strspn(at, " \t\n"), *end = start + strcspn(start, " \t\n=");
    const char *equals = end + strspn(end, " \t\n");

    if (*equals != '=')
        return slice_of("", 0);
    *next = equals + 1 + strspn(equals + 1, " \t\n");
    return slice_of(start, (size_t)(end - start));
}

/* Do the words of "KEYWORD=VALUE ..." name a user, or a service, which may name one? */
static bool words_name_user(const char *conninfo)
{
    struct slice keyword;

    while ((keyword = read_keyword(conninfo, &conninfo)).len) {
        if (slice_is(keyword, "user") || slice_is(keyword, "service"))
            return true;
        conninfo = skip_value(conninfo);
    }
    return false;
}

/* A user in the query of a URL counts more than one in its authority, so only the latter is looked at. */
static bool add_to_url(struct buf *out, const char *conninfo, const char *authority, const char *role)
{
    size_t length = strcspn(authority, "/?");
    bool has_at = memchr(authority, '@', length) != NULL;
    bool names_user = has_at && !strchr(":@", *authority);

    buf_add(out, conninfo, (size_t)(authority - conninfo));
    if (!names_user)
        buf_add_f(out, "%s%s", role, has_at ? "" : "@");
    return buf_add_str(out, authority);
}

bool conninfo_add_with_role(struct buf *out, const char *conninfo, const char *role)
{
    const char *mark = strstr(conninfo, "://");

    if (strncmp(conninfo, "postgres", strlen("postgres")) == 0 && mark)
        return add_to_url(out, conninfo, mark + strlen("://"), role);
    if (!words_name_user(conninfo))
        buf_add_f(out, "user=%s ", role);
    return buf_add_str(out, conninfo);
}

/* What libpq says ends with a line feed. */
bool conninfo_is_readable(const char *conninfo, struct buf *why)
{
    char *error = NULL;
    PQconninfoOption *options = PQconninfoParse(conninfo, &error);

    if (!options)
        buf_add(why, error ? error : "out of memory", error ? strcspn(error, "\n") : strlen("out of memory"));
    PQconninfoFree(options);
    PQfreemem(error);
    return options != NULL;
}
