/* SPDX-License-Identifier: BSD-2-Clause */
#include "pixeld/pixel.h"

struct http_answer pixel_answer(struct site *site, const struct request *request, const struct route *route)
{
    struct http_answer answer = {.page = site->pages.pixel};
    struct token token;

    if (route->readable) {
        enum token_result result = token_verify(site->keys, route->target.token, slice_of("", 0), &token);

        if (result == TOKEN_GOOD && token.kind == TOKEN_VIEW)
            answer.after = site_record(site, request, &token, slice_of("", 0));
        else if (result == TOKEN_UNKNOWN_KEY && token.kind == TOKEN_VIEW)
            answer.after = site_record(site, request, &token, route->path);
    }
    return answer;
}
