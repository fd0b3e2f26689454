/* SPDX-License-Identifier: BSD-2-Clause */
#include "pixeld/feed.h"

struct http_answer feed_answer(struct site *site, const struct request *request, const struct route *route)
{
    (void)site, (void)request, (void)route;
    return (struct http_answer){.at_desk = true};
}

struct http_answer feed_work(struct site *site, const struct request *request, const struct route *route, struct db *db)
{
    (void)request, (void)route;
    return (struct http_answer){.page = db ? site->pages.not_found : site->pages.unavailable};
}
