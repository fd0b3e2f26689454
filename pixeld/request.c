/* SPDX-License-Identifier: BSD-2-Clause */
/* request - see request.h */

#include "pixeld/request.h"

static const struct slice names[REQUEST_FIELDS] = {
    [REQUEST_USER_AGENT] = SLICE_TEXT("User-Agent"),
    [REQUEST_REFERER] = SLICE_TEXT("Referer"),
    [REQUEST_ACCEPT] = SLICE_TEXT("Accept"),
    [REQUEST_ACCEPT_LANGUAGE] = SLICE_TEXT("Accept-Language"),
    [REQUEST_PURPOSE] = SLICE_TEXT("Purpose"),
    [REQUEST_SEC_PURPOSE] = SLICE_TEXT("Sec-Purpose"),
    [REQUEST_X_PURPOSE] = SLICE_TEXT("X-Purpose"),
    [REQUEST_X_MOZ] = SLICE_TEXT("X-Moz"),
    [REQUEST_SEC_FETCH_MODE] = SLICE_TEXT("Sec-Fetch-Mode"),
    [REQUEST_SEC_FETCH_USER] = SLICE_TEXT("Sec-Fetch-User"),
    [REQUEST_SEC_GPC] = SLICE_TEXT("Sec-GPC"),
    [REQUEST_DNT] = SLICE_TEXT("DNT"),
};

enum request_field request_field_named(struct slice name)
{
    size_t n = 0;

    while (n < REQUEST_FIELDS && (names[n].len != name.len || !slice_starts_i(name, names[n])))
        n++;
    return (enum request_field)n;
}
