/* SPDX-License-Identifier: BSD-2-Clause */
/* request - see request.h */

#include "pixeld/request.h"

#include <stdint.h>

static const struct slice names[REQUEST_FIELDS] = {
    [REQUEST_DNT] = SLICE_TEXT("DNT"),
    [REQUEST_RANGE] = SLICE_TEXT("Range"),
    [REQUEST_X_MOZ] = SLICE_TEXT("X-Moz"),
    [REQUEST_ACCEPT] = SLICE_TEXT("Accept"),
    [REQUEST_COOKIE] = SLICE_TEXT("Cookie"),
    [REQUEST_ORIGIN] = SLICE_TEXT("Origin"),
    [REQUEST_PURPOSE] = SLICE_TEXT("Purpose"),
    [REQUEST_REFERER] = SLICE_TEXT("Referer"),
    [REQUEST_SEC_GPC] = SLICE_TEXT("Sec-GPC"),
    [REQUEST_IF_RANGE] = SLICE_TEXT("If-Range"),
    [REQUEST_X_PURPOSE] = SLICE_TEXT("X-Purpose"),
    [REQUEST_USER_AGENT] = SLICE_TEXT("User-Agent"),
    [REQUEST_SEC_PURPOSE] = SLICE_TEXT("Sec-Purpose"),
    [REQUEST_CONTENT_TYPE] = SLICE_TEXT("Content-Type"),
    [REQUEST_LAST_EVENT_ID] = SLICE_TEXT("Last-Event-ID"),
    [REQUEST_IF_NONE_MATCH] = SLICE_TEXT("If-None-Match"),
    [REQUEST_SEC_FETCH_MODE] = SLICE_TEXT("Sec-Fetch-Mode"),
    [REQUEST_SEC_FETCH_SITE] = SLICE_TEXT("Sec-Fetch-Site"),
    [REQUEST_SEC_FETCH_USER] = SLICE_TEXT("Sec-Fetch-User"),
    [REQUEST_ACCEPT_ENCODING] = SLICE_TEXT("Accept-Encoding"),
    [REQUEST_ACCEPT_LANGUAGE] = SLICE_TEXT("Accept-Language"),
};

enum { LONGEST = 15 };

/* Where the names of each length begin; those of the next length begin where they end. */
static const uint8_t first[LONGEST + 2] = {
    [3] = REQUEST_DNT,
    [4] = REQUEST_RANGE,
    [5] = REQUEST_RANGE,
    [6] = REQUEST_ACCEPT,
    [7] = REQUEST_PURPOSE,
    [8] = REQUEST_IF_RANGE,
    [9] = REQUEST_X_PURPOSE,
    [10] = REQUEST_USER_AGENT,
    [11] = REQUEST_SEC_PURPOSE,
    [12] = REQUEST_CONTENT_TYPE,
    [13] = REQUEST_LAST_EVENT_ID,
    [14] = REQUEST_SEC_FETCH_MODE,
    [15] = REQUEST_ACCEPT_ENCODING,
    [16] = REQUEST_FIELDS,
};

enum request_field request_field_named(struct slice name)
{
    if (name.len > LONGEST)
        return REQUEST_FIELDS;
    for (size_t n = first[name.len]; n < first[name.len + 1]; n++)
        if (slice_starts_i(name, names[n]))
            return (enum request_field)n;
    return REQUEST_FIELDS;
}

struct slice request_cookie(const struct request *request, const char *name)
{
    struct slice rest = request->field[REQUEST_COOKIE];

    while (rest.len) {
        size_t end = slice_find_char(rest, ';');
        struct slice pair = slice_trim(slice_of(rest.p, end));
        size_t equals = slice_find_char(pair, '=');

        if (equals < pair.len && slice_is(slice_of(pair.p, equals), name))
            return slice_from(pair, equals + 1);
        rest = slice_from(rest, end + 1);
    }
    return slice_of("", 0);
}

struct slice request_argument(const struct request *request, const char *name)
{
    for (size_t n = 0; n < request->arguments; n++)
        if (slice_is(request->argument[n].name, name))
            return request->argument[n].value;
    return slice_of("", 0);
}

bool request_is_same_origin(const struct request *request, struct slice origin)
{
    struct slice site = request->field[REQUEST_SEC_FETCH_SITE];
    struct slice said = request->field[REQUEST_ORIGIN];

    if (site.len && !slice_is(site, "same-origin"))
        return false;
    /* "null" hides it, as a referrer policy may wish; it says nothing */
    if (said.len && !slice_is(said, "null") && !slice_eq_i(said, origin))
        return false;
    return site.len || slice_eq_i(said, origin);
}
