/* SPDX-License-Identifier: BSD-2-Clause */
/* postfix_milters - see postfix_milters.h */

#include "ctl/postfix_milters.h"

#include <stdlib.h>
#include <string.h>

enum { LIST_MAX = 64 * 1024 };

static const char parting[] = ", \t";

/* The first entry of LIST, braces and all. */
static struct slice first_entry(const char *list)
{
    size_t depth = 0, len = 0;

    for (; list[len] && (depth > 0 || !strchr(parting, list[len])); len++) {
        if (list[len] == '{')
            depth++;
        else if (list[len] == '}' && depth > 0)
            depth--;
    }
    return slice_of(list, len);
}

static bool add(struct postfix_milters *milters, struct slice written, struct slice meaning)
{
    struct postfix_milter *milter;

    if (milters->count == POSTFIX_MILTERS_MOST)
        return false;
    milter = &milters->milter[milters->count++];
    *milter = (struct postfix_milter){strndup(written.p, written.len), strndup(meaning.p, meaning.len)};
    return milter->written && milter->meaning;
}

/* In a list that takes the place of smtpd_milters, or of one of ours, that name would be a circle. */
static bool names_a_list(struct slice written)
{
    return slice_find_i(written, "smtpd_milters") != (size_t)-1 || slice_find_i(written, "spoor_milters_") != (size_t)-1;
}

/* A reference to one filter keeps its name, one to several or to another list is taken apart. */
static bool add_written(struct postfix_milters *milters, const struct postfix_settings *settings, struct slice written)
{
    struct buf name, meaning;
    struct slice first;
    const char *at;
    bool good, one;

    buf_init(&name, LIST_MAX);
    buf_init(&meaning, LIST_MAX);
    buf_add_slice(&name, written);
    postfix_expand(settings, buf_text(&name), &meaning);
    at = buf_text(&meaning);
    at += strspn(at, parting);
    first = first_entry(at);
    one = first.p[first.len + strspn(first.p + first.len, parting)] == '\0';
    good = !name.failed && !meaning.failed;
    while (good && *at) {
        first = first_entry(at);
        good = add(milters, one && !names_a_list(written) ? written : first, first);
        at += first.len;
        at += strspn(at, parting);
    }
    buf_free(&name);
    buf_free(&meaning);
    return good;
}

bool postfix_milters_read(struct postfix_milters *milters, const struct postfix_settings *settings, const char *list)
{
    *milters = (struct postfix_milters){0};
    for (list += strspn(list, parting); *list; list += strspn(list, parting)) {
        struct slice written = first_entry(list);

        if (!add_written(milters, settings, written))
            return false;
        list += written.len;
    }
    return true;
}

void postfix_milters_free(struct postfix_milters *milters)
{
    for (size_t n = 0; n < milters->count; n++) {
        free(milters->milter[n].written);
        free(milters->milter[n].meaning);
    }
    milters->count = 0;
}

void postfix_milter_endpoint(const struct postfix_settings *settings, const char *meaning, struct buf *endpoint)
{
    const char *queue = postfix_main(settings, "queue_directory");
    static const char localhost[] = "inet:localhost:";
    struct slice where;

    meaning += strspn(meaning, "{ \t");
    where = slice_of(meaning, strcspn(meaning, ", \t}"));
    if (slice_starts_i(where, slice_str("unix:")) || slice_starts_i(where, slice_str("local:"))) {
        slice_cut(&where, ':');
        buf_add_str(endpoint, "unix:");
        if (!slice_empty(where) && where.p[0] != '/') /* below the queue folder, where Postfix's programs are at home */
            buf_add_f(endpoint, "%s/", queue ? queue : "");
    } else if (slice_starts_i(where, slice_str(localhost))) {
        buf_add_str(endpoint, "inet:127.0.0.1:");
        where = slice_from(where, strlen(localhost));
    }
    buf_add_slice(endpoint, where);
}

struct slice postfix_milter_setting(const char *meaning, const char *name)
{
    const char *end = strrchr(meaning, '}');
    struct slice rest;

    if (*meaning != '{' || !end)
        return slice_of("", 0);
    rest = slice_of(meaning + 1, (size_t)(end - meaning) - 1);
    while (!slice_empty(rest)) {
        struct slice value = slice_trim(slice_cut(&rest, ','));
        struct slice found = slice_trim(slice_cut(&value, '='));

        if (slice_is(found, name))
            return slice_trim(value);
    }
    return slice_of("", 0);
}

unsigned postfix_milter_does(const char *meaning)
{
    static const struct {
        const char *part; /* of a socket's name, or the port that the program's manual gives */
        unsigned does;
    } known[] = {
        {"openarc", MILTER_SEALS},
        {"opendmarc", MILTER_VERIFIES},
        {":8893", MILTER_VERIFIES},
        {"spf", MILTER_VERIFIES},
        {"rspamd", MILTER_VERIFIES | MILTER_SIGNS | MILTER_SEALS},
        {":11332", MILTER_VERIFIES | MILTER_SIGNS | MILTER_SEALS},
        {"dkim", MILTER_VERIFIES | MILTER_SIGNS},
        {":8891", MILTER_VERIFIES | MILTER_SIGNS},
        {"amavis", MILTER_VERIFIES | MILTER_SIGNS},
    };

    for (size_t row = 0; row < sizeof known / sizeof *known; row++)
        if (slice_find_i(slice_str(meaning), known[row].part) != (size_t)-1)
            return known[row].does;
    return 0;
}
